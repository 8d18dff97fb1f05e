// Expected against actual answers, with upstream's tolerances.

import { spanIndices } from '../../src/promql/histogram/buckets.ts';
import type { MatrixSeries, VectorSample } from '../../src/promql/result.ts';
import type { BucketSpan, FloatHistogram } from '../../src/storage/histogram.ts';
import type { Point, SeriesLine } from './notation.ts';

const EPSILON = 1e-6;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Equal within a relative tolerance of 1e-6; NaN equals NaN. */
export function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < EPSILON * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < EPSILON;
}

export function compareScalar(expected: number | null, actual: number): string | null {
  if (expected === null) return `expected a vector, got the scalar ${actual}`;
  return almostEqual(expected, actual) ? null : `expected ${expected}, got ${actual}`;
}

export function compareVector(
  expected: readonly SeriesLine[],
  actual: readonly VectorSample[],
  ordered: boolean,
): string | null {
  const wanted = new Map(expected.map((line, i) => [line.labels.key, { line, i }]));
  const seen = new Set<string>();
  for (const [i, sample] of actual.entries()) {
    const found = wanted.get(sample.labels.key);
    const shown = sample.histogram ? showHistogram(sample.histogram) : sample.value;
    if (!found) return `unexpected ${sample.labels} ${shown}`;
    if (ordered && found.i !== i) return `${sample.labels} is number ${i}, expected ${found.i}`;
    const problem = comparePoint(found.line.points[0]!, sample.value, sample.histogram);
    if (problem) return `${sample.labels}: ${problem}`;
    seen.add(sample.labels.key);
  }
  const missing = expected.find(line => !seen.has(line.labels.key));
  return missing ? `missing ${missing.labels} ${showPoint(missing.points[0]!)}` : null;
}

export function compareMatrix(
  expected: readonly SeriesLine[],
  actual: readonly MatrixSeries[],
  grid: { readonly startMs: number; readonly stepMs: number },
): string | null {
  const wanted = new Map(expected.map(line => [line.labels.key, line]));
  const seen = new Set<string>();
  for (const [i, series] of actual.entries()) {
    const before = actual[i - 1];
    if (before && before.labels.compareTo(series.labels) >= 0) return 'the series are not in order';
    const line = wanted.get(series.labels.key);
    if (!line) return `unexpected ${showSeries(series)}`;
    const problem = compareSeries(line, series, grid);
    if (problem) return `${showSeries(series)}: ${problem}`;
    seen.add(series.labels.key);
  }
  const missing = expected.find(line => !seen.has(line.labels.key));
  return missing ? `missing ${missing.labels}` : null;
}

function compareSeries(
  line: SeriesLine,
  series: MatrixSeries,
  grid: { readonly startMs: number; readonly stepMs: number },
): string | null {
  const points = line.points
    .map((point, i) => ({ point, time: grid.startMs + i * grid.stepMs }))
    .filter(({ point }) => point.kind !== 'none');
  if (points.length !== series.times.length) {
    return `expected ${points.length} points, got ${series.times.length}`;
  }
  for (const [i, { point, time }] of points.entries()) {
    if (series.times[i] !== time) return `expected a point at ${time}, got ${series.times[i]}`;
    const problem = comparePoint(point, series.values[i]!, series.histograms?.[i] ?? null);
    if (problem) return `at ${time}: ${problem}`;
  }
  return null;
}

function comparePoint(
  expected: Point,
  value: number,
  histogram: FloatHistogram | null,
): string | null {
  const shown = histogram ? showHistogram(histogram) : String(value);
  const wrong = `expected ${showPoint(expected)}, got ${shown}`;
  if (expected.kind === 'histogram') {
    if (!histogram) return wrong;
    const same = sameHistogram(expected.histogram, histogram, expected.hintGiven);
    return same ? null : wrong;
  }
  if (expected.kind !== 'float' || histogram) return wrong;
  return almostEqual(expected.value, value) ? null : wrong;
}

function sameHistogram(a: FloatHistogram, b: FloatHistogram, hints: boolean): boolean {
  return (
    a.schema === b.schema &&
    almostEqual(a.count, b.count) &&
    almostEqual(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    almostEqual(a.zeroCount, b.zeroCount) &&
    sameNumbers([...a.customValues], [...b.customValues]) &&
    sameBuckets(a.positiveSpans, a.positiveBuckets, b.positiveSpans, b.positiveBuckets) &&
    sameBuckets(a.negativeSpans, a.negativeBuckets, b.negativeSpans, b.negativeBuckets) &&
    (!hints || a.counterResetHint === b.counterResetHint)
  );
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => almostEqual(value, b[i]!));
}

function sameBuckets(
  aSpans: readonly BucketSpan[],
  aCounts: Float64Array,
  bSpans: readonly BucketSpan[],
  bCounts: Float64Array,
): boolean {
  const a = filled(aSpans, aCounts);
  const b = filled(bSpans, bCounts);
  return sameNumbers(a.flat(), b.flat());
}

/** [index, count] of the buckets that are not empty. */
function filled(spans: readonly BucketSpan[], counts: Float64Array): [number, number][] {
  return spanIndices(spans)
    .map((index, i): [number, number] => [index, counts[i]!])
    .filter(([, count]) => count !== 0);
}

function showPoint(point: Point): string {
  if (point.kind === 'float') return String(point.value);
  return point.kind === 'histogram' ? showHistogram(point.histogram) : point.kind;
}

function showSeries({ labels, values, histograms }: MatrixSeries): string {
  const shown = [...values].map((value, i) => {
    const histogram = histograms?.[i];
    return histogram ? showHistogram(histogram) : String(value);
  });
  return `${labels} ${shown.join(' ')}`;
}

function showHistogram(h: FloatHistogram): string {
  const buckets = JSON.stringify(filled(h.positiveSpans, h.positiveBuckets));
  const negative = JSON.stringify(filled(h.negativeSpans, h.negativeBuckets));
  return `{{schema:${h.schema} count:${h.count} sum:${h.sum} z:${h.zeroCount}/${h.zeroThreshold} b:${buckets} n:${negative} c:[${h.customValues}] ${h.counterResetHint}}}`;
}
