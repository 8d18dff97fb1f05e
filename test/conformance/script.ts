// Scripts as data: load, clear and eval commands with what is expected of each.

import { parseDuration } from '../../src/encoding/units.ts';
import type { Labels } from '../../src/labels/labels.ts';
import { parseNumber, unquote } from '../../src/promql/literals.ts';
import { parseSeriesLine, parseStartLine, type SeriesLine } from './notation.ts';

export interface LoadCommand {
  readonly kind: 'load';
  readonly line: number;
  readonly stepMs: number;
  readonly series: readonly SeriesLine[];
  /** Start times relative to the samples, by key of the series; null where there is none. */
  readonly starts: ReadonlyMap<string, readonly (number | null)[]>;
  /** Also as native histograms with custom buckets. */
  readonly asNative: boolean;
}

export interface ClearCommand {
  readonly kind: 'clear';
  readonly line: number;
}

/** A text that must occur, exactly or by expression; null accepts any. */
export interface Expectation {
  readonly type: 'fail' | 'warn' | 'info';
  readonly accepts: ((text: string) => boolean) | null;
  readonly text: string;
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly query: string;
  /** Null for an instant query. */
  readonly range: {
    readonly startMs: number;
    readonly endMs: number;
    readonly stepMs: number;
  } | null;
  readonly timeMs: number;
  readonly expectations: readonly Expectation[];
  readonly noWarn: boolean;
  readonly noInfo: boolean;
  readonly ordered: boolean;
  /** The expected answer. */
  readonly scalar: number | null;
  readonly text: string | null;
  readonly series: readonly SeriesLine[];
  /** Times of an expected range vector. */
  readonly vectorTimes: { readonly startMs: number; readonly stepMs: number } | null;
}

/** What is loaded from here on lies in a store of its own. */
export interface StoreCommand {
  readonly kind: 'store';
  readonly line: number;
  /** External labels. */
  readonly labels: Labels;
  /** What it announces to have. */
  readonly minTime: number;
  readonly maxTime: number;
}

export type Command = LoadCommand | ClearCommand | StoreCommand | EvalCommand;

/** Reads a whole script. Throws SyntaxError with the line. */
export function parseScript(text: string): Command[] {
  // A comment ends a command as an empty line does.
  const lines = text.split('\n').map(line => line.trim().replace(/^#.*/, ''));
  const commands: Command[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === '') continue;
    let end = i + 1;
    while (end < lines.length && lines[end] !== '' && !isNumber(lines[end - 1]!)) end++;
    const body = lines.slice(i + 1, end);
    try {
      if (line === 'clear') {
        commands.push({ kind: 'clear', line: i + 1 });
        continue;
      }
      if (line.startsWith('store')) {
        commands.push(parseStore(line, i + 1));
        continue;
      }
      commands.push(
        line.startsWith('load') ? parseLoad(line, body, i + 1) : parseEval(line, body, i + 1),
      );
    } catch (cause) {
      throw new SyntaxError(`line ${i + 1}: ${cause}`, { cause });
    }
    i = end - 1;
  }
  return commands;
}

function duration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const ms = parseDuration(text.replace(/^-/, ''));
  if (ms === null) throw new SyntaxError(`not a duration: ${text}`);
  return sign * ms;
}

const START_LINE = /^\S*@st\s/;

function parseLoad(line: string, body: readonly string[], number: number): LoadCommand {
  const parts = /^load(_with_nhcb)?\s+(\S+)$/.exec(line);
  if (!parts) throw new SyntaxError(`not a load command: ${line}`);
  return {
    kind: 'load',
    line: number,
    stepMs: duration(parts[2]!),
    series: body.filter(other => !START_LINE.test(other)).map(parseSeriesLine),
    starts: new Map(body.filter(other => START_LINE.test(other)).map(parseStartLine)),
    asNative: parts[1] !== undefined,
  };
}

function parseStore(line: string, number: number): StoreCommand {
  const parts = /^store\s+(\{.*\})\s+(\S+)\s+(\S+)$/.exec(line);
  if (!parts) throw new SyntaxError(`not a store command: ${line}`);
  return {
    kind: 'store',
    line: number,
    labels: parseSeriesLine(`${parts[1]} _`).labels,
    minTime: duration(parts[2]!),
    maxTime: duration(parts[3]!),
  };
}

const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+))?\s+(.+)$/;
const RANGE =
  /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+?)\s+(.+)$/;

function parseEval(line: string, body: readonly string[], number: number): EvalCommand {
  const instant = INSTANT.exec(line);
  const range = RANGE.exec(line);
  if (!instant && !range) throw new SyntaxError(`not a command: ${line}`);
  const mode = (instant ?? range)![1];
  const expected = parseExpected(body);
  if (mode === 'fail' || mode === 'warn' || mode === 'info') {
    expected.expectations.push({ type: mode, accepts: null, text: '' });
  }
  return {
    kind: 'eval',
    line: number,
    query: instant ? instant[3]! : range![5]!,
    timeMs: instant ? duration(instant[2] ?? '0') : 0,
    range: range
      ? { startMs: duration(range[2]!), endMs: duration(range[3]!), stepMs: duration(range[4]!) }
      : null,
    ...expected,
    ordered: expected.ordered || mode === 'ordered',
  };
}

function parseExpected(body: readonly string[]) {
  const expectations: Expectation[] = [];
  const series: SeriesLine[] = [];
  const out = {
    expectations,
    series,
    noWarn: false,
    noInfo: false,
    ordered: false,
    scalar: null as number | null,
    text: null as string | null,
    vectorTimes: null as EvalCommand['vectorTimes'],
  };
  for (const line of body) {
    const times = /^expect range vector from (\S+) to (\S+) step (\S+)$/.exec(line);
    const text = /^expect string\s+(.*)$/.exec(line);
    const expect = /^expect\s+(\w+)\s*(?:(msg|regex)\s*:\s*(.*))?$/.exec(line);
    if (times) out.vectorTimes = { startMs: duration(times[1]!), stepMs: duration(times[3]!) };
    else if (text) out.text = unquote(text[1]!.trim());
    else if (expect) parseExpect(expect, out);
    else if (isNumber(line)) out.scalar = parseNumber(line);
    else series.push(parseSeriesLine(line));
  }
  return out;
}

function isNumber(line: string): boolean {
  return /^[+-]?(?:inf|nan|[\d.][\d._]*(?:e[+-]?\d+)?)$/i.test(line);
}

function parseExpect(
  parts: RegExpExecArray,
  out: { expectations: Expectation[]; noWarn: boolean; noInfo: boolean; ordered: boolean },
): void {
  const [, word, how, raw = ''] = parts;
  const text = raw.trim().replace(/^"(.*)"$/, '$1');
  switch (word) {
    case 'no_warn':
      out.noWarn = true;
      return;
    case 'no_info':
      out.noInfo = true;
      return;
    case 'ordered':
      out.ordered = true;
      return;
    case 'fail':
    case 'warn':
    case 'info': {
      const pattern = how === 'regex' ? new RegExp(text) : null;
      const accepts =
        how === undefined
          ? null
          : (actual: string): boolean => (pattern ? pattern.test(actual) : actual === text);
      out.expectations.push({ type: word, accepts, text });
      return;
    }
    default:
      throw new SyntaxError(`unknown expectation: ${word}`);
  }
}
