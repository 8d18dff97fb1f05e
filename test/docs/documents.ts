// The documents of the project as tests read them: files, fenced blocks, headings, links.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEFT_OUT = ['node_modules', 'dist', 'data', '.git', 'fixtures', 'coverage'];

/** One Markdown file. */
export interface Document {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block. `name` is what follows `name=` behind the fence, '' where nothing does. */
export interface FencedBlock {
  readonly path: string;
  readonly language: string;
  readonly name: string;
  readonly text: string;
}

/** Every Markdown file, or those under a folder. */
export function documents(under = ''): Document[] {
  return markdownFiles(join(ROOT, under)).map(file => ({
    path: relative(ROOT, file),
    text: readFileSync(file, 'utf8'),
  }));
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    if (LEFT_OUT.includes(name)) return [];
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return markdownFiles(path);
    return name.endsWith('.md') ? [path] : [];
  });
}

/** The text of any file of the project. */
export function projectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** True where there is such a file or folder; a leading `../` leaves the project and is never there. */
export function existsInProject(path: string): boolean {
  if (path.startsWith('..')) return false;
  return statSync(join(ROOT, path), { throwIfNoEntry: false }) !== undefined;
}

/** The fenced blocks of a document in order. */
export function fencedBlocks({ path, text }: Document): FencedBlock[] {
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(match => {
    const [language = '', ...rest] = match[1]!.trim().split(/\s+/);
    const name = rest.find(word => word.startsWith('name='))?.slice('name='.length) ?? '';
    return { path, language, name, text: match[2]! };
  });
}

/** The document without its fenced blocks. */
export function prose({ text }: Document): string {
  return text.replace(/^```[^\n]*\n[\s\S]*?^```$/gm, '');
}

/** The bytes a `hex` block shows; what follows `#` is a remark. Throws where anything else stands there. */
export function hexBytes({ name, text }: FencedBlock): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})+$/.test(digits)) throw new Error(`block ${name} is not hex`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** Anchors of a document's headings, as GitHub makes them. */
export function anchors(document: Document): string[] {
  return [...prose(document).matchAll(/^#{1,6} (.+)$/gm)].map(match =>
    match[1]!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

/** Targets of the Markdown links of a document, fenced blocks and code spans left out. */
export function links(document: Document): string[] {
  const text = prose(document).replace(/`[^`\n]*`/g, '``');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1]!);
}
