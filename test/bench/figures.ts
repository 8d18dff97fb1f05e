// Figures of a run with their targets, and the page that is made of them. Phases that need a process of
// their own tell theirs on standard output, one line each.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MARK = '#figure ';

/** One measured figure. */
export interface Figure {
  readonly group: string;
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  /** What it is held against: at most so much, or at least where `atLeast` says so. */
  readonly target?: number;
  readonly atLeast?: boolean;
  /** Of installed peers in the same run, by name. */
  readonly peers?: Readonly<Record<string, number>>;
  /** Most that ours may be of a peer's, by name. */
  readonly ratios?: Readonly<Record<string, number>>;
}

/** Tells a figure to whoever started this process. */
export function tell(figure: Figure): void {
  console.log(MARK + JSON.stringify(figure));
}

/** Runs a script of this folder in a process of its own; what it tells is shown and returned. */
export async function toldBy(script: string, options: readonly string[] = []): Promise<Figure[]> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', '--no-maglev', path, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new Error(`${script} ended with code ${code}`);
  const lines = Buffer.concat(parts).toString().split('\n');
  const figures = lines
    .filter(line => line.startsWith(MARK))
    .map(line => JSON.parse(line.slice(MARK.length)) as Figure);
  for (const figure of figures) console.log(`${figure.what}: ${shown(figure.ours)} ${figure.unit}`);
  return figures;
}

/** Whether a figure keeps its target and every ratio; null where there is nothing to keep. */
export function verdict(figure: Figure): boolean | null {
  const { ours, target, atLeast, peers = {}, ratios = {} } = figure;
  const kept: boolean[] = [];
  if (target !== undefined) kept.push(atLeast ? ours >= target : ours <= target);
  for (const [name, most] of Object.entries(ratios)) {
    const theirs = peers[name];
    if (theirs !== undefined) kept.push(ours / theirs <= most);
  }
  return kept.length === 0 ? null : kept.every(Boolean);
}

/** The tables of the page, in Markdown. `versions` names the peers that can be there; null for one that is not. */
export function tables(
  figures: readonly Figure[],
  versions: Readonly<Record<string, string | null>>,
): string {
  const names = Object.keys(versions);
  const out: string[] = [];
  for (const group of new Set(figures.map(figure => figure.group))) {
    const own = figures.filter(figure => figure.group === group);
    const shownNames = names.filter(name => own.some(one => one.peers !== undefined) && name);
    out.push(`### ${group}`, '');
    const heads = [
      'figure',
      'outpost',
      'target',
      ...shownNames.flatMap(n => [n, `outpost / ${n}`]),
      'met',
    ];
    out.push(row(heads), row(heads.map(() => '---')));
    for (const one of own) out.push(row(cells(one, shownNames, versions)));
    out.push('');
  }
  return out.join('\n');
}

function cells(
  figure: Figure,
  names: readonly string[],
  versions: Readonly<Record<string, string | null>>,
): string[] {
  const { what, unit, ours, target, atLeast, peers = {}, ratios = {} } = figure;
  const bounds = target === undefined ? [] : [`${atLeast ? '≥' : '≤'} ${shown(target)}`];
  for (const [name, most] of Object.entries(ratios)) bounds.push(`≤ ${most} × ${name}`);
  const theirs = names.flatMap(name => {
    const value = peers[name];
    if (value === undefined) return [versions[name] === null ? 'not installed' : '–', '–'];
    return [shown(value), shown(ours / value)];
  });
  const met = verdict(figure);
  return [
    `${what}, ${unit}`,
    shown(ours),
    bounds.join(', ') || '–',
    ...theirs,
    met === null ? '–' : met ? 'yes' : '**no**',
  ];
}

/** Three digits that matter. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function row(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}
