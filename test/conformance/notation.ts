// The notation of series in test scripts: `metric{a="b"} 0+10x5 _ stale {{schema:1 count:3 …}}x2`.

import { parseDuration } from '../../src/encoding/units.ts';
import { Labels } from '../../src/labels/labels.ts';
import { HistogramSum } from '../../src/promql/histogram/sum.ts';
import { parseNumber } from '../../src/promql/literals.ts';
import { parseSelector } from '../../src/promql/parser.ts';
import type { CounterResetHint, FloatHistogram } from '../../src/storage/histogram.ts';

/** One position of a sequence. */
export type Point =
  | { readonly kind: 'none' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'histogram'; readonly histogram: FloatHistogram; readonly hintGiven: boolean };

/** A line of a script: a label set and its points. */
export interface SeriesLine {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

/** Reads one line. Throws SyntaxError. */
export function parseSeriesLine(line: string): SeriesLine {
  const split = labelsEnd(line);
  return { labels: parseMetric(line.slice(0, split)), points: parsePoints(line.slice(split)) };
}

/** Where the label set ends: behind its braces, or at the first space where it has none. */
function labelsEnd(line: string): number {
  const head = /^[^\s{]*\s*(?=\{(?!\{))/.exec(line);
  if (!head) return /^\S*/.exec(line)![0].length;
  const shape = /\{(?:[^"'`}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)*\}/y;
  shape.lastIndex = head[0].length;
  const braces = shape.exec(line);
  if (!braces) throw new SyntaxError(`unclosed braces: ${line}`);
  return shape.lastIndex;
}

/** A label set as PromQL writes a selector with `=` alone. */
export function parseMetric(text: string): Labels {
  const trimmed = text.trim();
  if (trimmed === '{}' || trimmed === '') return Labels.empty;
  const plain = trimmed.replace(/\{\s*\}$/, '');
  const { matchers } = parseSelector(withAnchor(plain));
  const pairs = matchers.filter(m => m.name !== ANCHOR).map(m => [m.name, m.value] as const);
  return Labels.fromPairs(pairs);
}

// A selector must say something; a label set need not.
const ANCHOR = 'conformance_anchor';

function withAnchor(text: string): string {
  if (!text.endsWith('}')) return text;
  return `${text.slice(0, -1).trimEnd().replace(/,$/, '')}, ${ANCHOR}="x"}`.replace('{,', '{');
}

/** Reads a sequence of points. */
export function parsePoints(text: string): Point[] {
  const points: Point[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const item = /^(?:\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+)/.exec(rest)![0];
    points.push(...(item.startsWith('{{') ? histogramPoints(item) : floatPoints(item)));
    rest = rest.slice(item.length).trimStart();
  }
  return points;
}

const NUMBER = String.raw`[+-]?(?:[iI]nf|[nN]a[nN]|NAN|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`;
const ITEM = new RegExp(`^(${NUMBER})(?:([+-])(${NUMBER}))?(?:x(\\d+))?$`);

function floatPoints(item: string): Point[] {
  const blanks = /^_(?:x(\d+))?$/.exec(item);
  if (blanks) return Array.from({ length: Number(blanks[1] ?? 1) }, () => ({ kind: 'none' }));
  const stale = /^stale(?:x(\d+))?$/.exec(item);
  if (stale) return Array.from({ length: Number(stale[1] ?? 0) + 1 }, () => ({ kind: 'stale' }));
  const duration = /^\d+(?:ms|[smhdwy])/.test(item) ? parseDuration(item) : null;
  if (duration !== null) return [{ kind: 'float', value: duration / 1000 }];
  const parts = ITEM.exec(item);
  if (!parts) throw new SyntaxError(`not a point: ${item}`);
  const [, base, sign, by, times] = parts;
  const step = by === undefined ? 0 : parseNumber(by) * (sign === '-' ? -1 : 1);
  let value = parseNumber(base!);
  const points: Point[] = [];
  for (let i = 0; i <= Number(times ?? 0); i++) {
    points.push({ kind: 'float', value });
    if (by !== undefined) value += step;
  }
  return points;
}

function histogramPoints(item: string): Point[] {
  const parts = /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/.exec(item)!;
  const [, base, sign, by, times] = parts;
  const first = parseHistogram(base!);
  const hintGiven = (by ?? base!).includes('counter_reset_hint');
  const points: Point[] = [];
  let histogram = first;
  const step = by === undefined ? null : parseHistogram(by);
  for (let i = 0; i <= Number(times ?? 0); i++) {
    points.push({ kind: 'histogram', histogram, hintGiven });
    if (!step) continue;
    const sum = new HistogramSum(histogram);
    if (sign === '-') sum.subtract(step);
    else sum.add(step);
    histogram = sum.value;
  }
  return points;
}

/** Reads what stands between the double braces. */
function parseHistogram(text: string): FloatHistogram {
  const fields = new Map<string, string>();
  for (const [, key, list, word] of text.matchAll(/(\w+):(?:\[([^\]]*)\]|(\S+))/g)) {
    fields.set(key!, list ?? word!);
  }
  const number = (key: string): number => {
    const value = fields.get(key);
    return value === undefined ? 0 : parseNumber(value);
  };
  const numbers = (key: string): Float64Array =>
    Float64Array.from((fields.get(key) ?? '').split(/\s+/).filter(Boolean), parseNumber);
  const positiveBuckets = numbers('buckets');
  const negativeBuckets = numbers('n_buckets');
  const spans = (offset: number, length: number) => (length === 0 ? [] : [{ offset, length }]);
  return {
    counterResetHint: parseHint(fields.get('counter_reset_hint')),
    schema: number('schema'),
    zeroThreshold: number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    count: number('count'),
    sum: number('sum'),
    positiveSpans: spans(number('offset'), positiveBuckets.length),
    positiveBuckets,
    negativeSpans: spans(number('n_offset'), negativeBuckets.length),
    negativeBuckets,
    customValues: numbers('custom_values'),
  };
}

function parseHint(text: string | undefined): CounterResetHint {
  if (text === 'reset' || text === 'gauge') return text;
  return text === 'not_reset' ? 'not-reset' : 'unknown';
}

/** Reads `metric{…}@st -1m+1sx3 _ …`: the key of the label set and offsets in ms. */
export function parseStartLine(line: string): [string, (number | null)[]] {
  const at = line.search(/@st\s/);
  const items = line
    .slice(at + 3)
    .trim()
    .split(/\s+/);
  return [parseMetric(line.slice(0, at)).key, items.flatMap(startOffsets)];
}

const OFFSET = String.raw`([+-]?)(\d+(?:ms|[smhdwy])?)`;
const START = new RegExp(`^${OFFSET}(?:([+-])(\\d+(?:ms|[smhdwy])?))?(?:x(\\d+))?$`);

function startOffsets(item: string): (number | null)[] {
  const blanks = /^_(?:x(\d+))?$/.exec(item);
  if (blanks) return new Array(Number(blanks[1] ?? 1)).fill(null);
  const parts = START.exec(item);
  if (!parts) throw new SyntaxError(`not a start time: ${item}`);
  const [, sign, base, stepSign, step = '0', times = '0'] = parts;
  const first = (sign === '-' ? -1 : 1) * parseDuration(base!)!;
  const by = (stepSign === '-' ? -1 : 1) * parseDuration(step)!;
  return Array.from({ length: Number(times) + 1 }, (_, i) => first + i * by);
}
