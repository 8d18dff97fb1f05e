// Writes docs/internals/performance.md of a run's figures. Everything on the page comes from here.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Figure, tables, verdict } from './figures.ts';

const PAGE = fileURLToPath(new URL('../../docs/internals/performance.md', import.meta.url));

/** What a run was told. */
export interface RunShape {
  readonly hosts: number;
  readonly rounds: number;
}

/** Replaces the page, except for groups of figures that this run has nothing of. */
export function writePage(figures: readonly Figure[], { hosts, rounds }: RunShape): void {
  const versions = {
    prometheus: versionOf('prometheus', /version (\S+)/),
    'victoria-metrics': versionOf('victoria-metrics', /(\d+\.\d+\.\d+)/),
  };
  const missed = figures.filter(figure => verdict(figure) === false);
  const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const groups = new Set(figures.map(figure => figure.group));
  const keptGroups = [...before.matchAll(/^### (.+)\n[^#]+/gm)].filter(
    ([, group]) => !groups.has(group!),
  );
  const keptMissed = keptGroups.flatMap(([, group]) =>
    before.split('\n').filter(line => line.startsWith(`- ${group}, `)),
  );
  const sections = [tables(figures, versions), ...keptGroups.map(([section]) => section)]
    .map(section => section.trimEnd())
    .join('\n\n');
  const lines = [...missed.map(describe), ...keptMissed];
  const met = sections.match(/\| yes \|$/gm)?.length ?? 0;
  const text = `# Performance

Made by \`npm run bench -- --write\`, which replaces this page; nothing in it is written by hand. Absolute times drift from machine to machine, and this one may have had other work: what counts are the ratios to the peers, which took the same bytes in the same run.

- Machine: ${availableParallelism()} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB of memory, ${process.platform} ${process.arch}
- Node.js ${process.versions.node}
- Peers: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version ?? 'is not installed'}`)
    .join(', ')}
- Load: ${hosts} hosts of 500 series, ${rounds} rounds of queries

CPU of servers is the sum over their threads, from /proc, from the first request of a fresh process on: what compiling and collecting costs them is in it. Peak memory is what the process had at the most while it answered a query, in all rounds. Turns of the event loop are CPU time of the thread, which the system accounts in steps of up to 4 ms; the delay that perf_hooks sees includes what other processes take. Of ${met + lines.length} figures with a target ${met} meet it.

${sections}

## What falls short

${lines.length === 0 ? 'Nothing.' : lines.join('\n')}
`;
  writeFileSync(PAGE, text);
  console.log(`\nwritten: ${PAGE}`);
}

function describe(figure: Figure): string {
  const { what, unit, ours, target, peers = {}, ratios = {} } = figure;
  const reasons: string[] = [];
  if (target !== undefined) reasons.push(`${round(ours)} ${unit} where ${round(target)} is wanted`);
  for (const [name, most] of Object.entries(ratios)) {
    const theirs = peers[name];
    if (theirs !== undefined && ours / theirs > most) {
      reasons.push(`${round(ours / theirs)} of ${name}'s where ${most} is wanted`);
    }
  }
  return `- ${figure.group}, ${what}: ${reasons.join('; ')}.`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

function versionOf(command: string, pattern: RegExp): string | null {
  const own = outputOf(command, ['--version']);
  if (own === null) return null;
  const found = pattern.exec(own)?.[1];
  // Some builds do not know their own.
  const packaged = outputOf('dpkg-query', ['-W', command])?.split('\t')[1]?.trim();
  return found ?? packaged ?? 'of unknown version';
}

function outputOf(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch {
    return null;
  }
}
