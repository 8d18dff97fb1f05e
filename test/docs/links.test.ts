// Links between the documents lead somewhere, and every command they name exists with its flags.

import { dirname, join, normalize } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { allCommands } from '../../scripts/reference-docs.ts';
import {
  anchors,
  type Document,
  documents,
  existsInProject,
  fencedBlocks,
  links,
  projectFile,
  prose,
} from './documents.ts';

const all = documents();

describe('links', () => {
  const byPath = new Map(all.map(document => [document.path, document]));

  test('inside the project lead to files and headings that exist', () => {
    const broken = all.flatMap(document =>
      links(document)
        .filter(link => !/^[a-z]+:/.test(link))
        .map(link => problemOf(document, link))
        .filter(problem => problem !== null),
    );
    expect(broken).toEqual([]);
  });

  test('are seen at all', () => {
    expect(all.flatMap(links).length).toBeGreaterThan(80);
  });

  test('lead from docs/README.md to every page', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      const document = byPath.get(path);
      if (!document || reached.has(path)) return;
      reached.add(path);
      for (const link of links(document)) visit(resolve(path, link.split('#')[0]!));
    };
    visit('docs/README.md');
    const lost = all.map(({ path }) => path).filter(path => path.startsWith('docs/'));
    expect(lost.filter(path => !reached.has(path))).toEqual([]);
  });

  function problemOf(from: Document, link: string): string | null {
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? from.path : resolve(from.path, file);
    if (!existsInProject(path)) return `${from.path}: there is no ${link}`;
    if (anchor === undefined) return null;
    const target = byPath.get(path);
    const found = target !== undefined && anchors(target).includes(anchor);
    return found ? null : `${from.path}: no heading #${anchor} in ${path}`;
  }
});

function resolve(from: string, link: string): string {
  return normalize(join(dirname(from), link)).replace(/\/$/, '');
}

describe('commands', async () => {
  const commands = await allCommands();
  const scripts = Object.keys(JSON.parse(projectFile('package.json')).scripts);

  test('of outpost exist, with every flag they are given', () => {
    const named = all.flatMap(document => linesOf(document).flatMap(outpostCalls));
    expect(named.length).toBeGreaterThan(20);
    expect(named.map(({ words, place }) => problemOfCall(words, place)).filter(Boolean)).toEqual(
      [],
    );
  });

  test('of npm exist', () => {
    const named = all.flatMap(document =>
      linesOf(document).flatMap(({ text, path }) =>
        [...text.matchAll(/\bnpm (?:run (?:--\S+ )*([\w:-]+)|(start|test)\b)/g)].map(match => ({
          path,
          script: match[1] ?? match[2]!,
        })),
      ),
    );
    expect(named.length).toBeGreaterThan(10);
    const unknown = named.filter(({ script }) => !scripts.includes(script));
    expect(unknown).toEqual([]);
  });

  interface Line {
    readonly path: string;
    readonly text: string;
  }

  interface Call {
    readonly place: string;
    readonly words: readonly string[];
  }

  /** What a reader may type: lines of fenced blocks, continued ones joined, and code spans. */
  function linesOf(document: Document): Line[] {
    const fenced = fencedBlocks(document)
      .filter(({ language }) => ['', 'sh', 'bash'].includes(language))
      .flatMap(({ text }) => text.replace(/\\\n\s*/g, ' ').split('\n'));
    const indented = [...document.text.matchAll(/^ {3}(.+)$/gm)].map(match => match[1]!.trim());
    const spans = [...prose(document).matchAll(/`([^`\n]+)`/g)].map(match => match[1]!);
    return [...fenced, ...indented, ...spans].map(text => ({ path: document.path, text }));
  }

  function outpostCalls({ path, text }: Line): Call[] {
    const match = /^(?:npm run (?:--silent )?)?outpost (?!--$)(?:-- )?([^#|>&;]+)/.exec(
      text.trim(),
    );
    if (!match) return [];
    return [{ place: `${path}: ${text}`, words: match[1]!.trim().split(/\s+/) }];
  }

  function problemOfCall(words: readonly string[], place: string): string | null {
    let name = 'outpost';
    let at = 0;
    while (commands.has(`${name} ${words[at]}`)) name += ` ${words[at++]}`;
    const flags = words.filter(word => /^--?[a-z]/.test(word)).map(word => word.split('=')[0]!);
    if (at === 0) {
      const general = flags.length > 0 && flags.every(flag => /^--(help|version)$/.test(flag));
      return general ? null : `${place} — no such command`;
    }
    const unknown = flags.find(flag => !takes(commands.get(name)!, flag));
    return unknown === undefined ? null : `${place} — ${name} has no ${unknown}`;
  }

  function takes(command: Command, flag: string): boolean {
    if (flag === '--help' || flag === '-h') return true;
    return command.options.some(({ long, short }) => flag === long || flag === short);
  }
});
