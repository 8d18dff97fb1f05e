// A matrix as Prometheus' HTTP API writes it in JSON, read into columns. Native histograms come without their
// schema; it is found again from the bounds of their buckets.

import { parseGoFloat } from '../../../exposition/parse-float.ts';
import { Labels } from '../../../labels/labels.ts';
import type { MatrixSeries } from '../../../promql/result.ts';
import type { CounterResetHint, FloatHistogram } from '../../../storage/histogram.ts';
import { type BucketRow, type HistogramRow, histogramOf, shapeOf } from './bucket-rows.ts';

/** The series of `data` of an answer, or what is wrong with it. Histograms get the hint. */
export function matrixOf(data: unknown, hint: CounterResetHint): MatrixSeries[] | string {
  const { resultType, result } = fieldsOf(data);
  if (resultType !== 'matrix' || !Array.isArray(result)) return 'the answer is no matrix';
  const series: MatrixSeries[] = [];
  for (const one of result) {
    const read = seriesOf(one, hint);
    if (typeof read === 'string') return read;
    series.push(read);
  }
  return series;
}

function seriesOf(json: unknown, hint: CounterResetHint): MatrixSeries | string {
  const { metric, values = [], histograms = [] } = fieldsOf(json);
  const labels = Object.entries(fieldsOf(metric));
  if (!labels.every((pair): pair is [string, string] => typeof pair[1] === 'string')) {
    return 'a label is no text';
  }
  const floats = rowsOf(values, numberOf);
  const rows = rowsOf(histograms, rowOf);
  if (!floats || !rows) return `a sample of ${JSON.stringify(metric)} cannot be read`;
  return { labels: Labels.fromPairs(labels), ...columnsOf(floats, rows, hint) };
}

interface Timed<Value> {
  readonly time: number;
  readonly value: Value;
}

function columnsOf(
  floats: readonly Timed<number>[],
  rows: readonly Timed<HistogramRow>[],
  hint: CounterResetHint,
): Omit<MatrixSeries, 'labels'> {
  const shape = shapeOf(rows.map(({ value }) => value));
  const all: Timed<number | FloatHistogram>[] = [...floats];
  for (const { time, value } of rows) all.push({ time, value: histogramOf(value, shape, hint) });
  if (rows.length > 0) all.sort((a, b) => a.time - b.time);
  const times = Float64Array.from(all, ({ time }) => time);
  const values = Float64Array.from(all, ({ value }) => (typeof value === 'number' ? value : 0));
  const histograms =
    rows.length === 0
      ? null
      : all.map(({ value }) => (typeof value === 'number' ? undefined : value));
  return { times, values, histograms };
}

function rowsOf<Value>(
  json: unknown,
  read: (json: unknown) => Value | null,
): Timed<Value>[] | null {
  if (!Array.isArray(json)) return null;
  const out: Timed<Value>[] = [];
  for (const row of json) {
    const [seconds, text] = Array.isArray(row) ? row : [];
    const value = read(text);
    if (typeof seconds !== 'number' || value === null) return null;
    out.push({ time: Math.round(seconds * 1000), value });
  }
  return out;
}

function numberOf(json: unknown): number | null {
  return typeof json === 'string' ? parseGoFloat(json) : null;
}

function rowOf(json: unknown): HistogramRow | null {
  const { count, sum, buckets = [] } = fieldsOf(json);
  const total = numberOf(count);
  const sumOf = numberOf(sum);
  if (total === null || sumOf === null || !Array.isArray(buckets)) return null;
  const rows: BucketRow[] = [];
  for (const bucket of buckets) {
    const [, lower, upper, held] = Array.isArray(bucket) ? bucket.map(numberOf) : [];
    if (lower == null || upper == null || held == null) return null;
    rows.push({ lower, upper, count: held });
  }
  return { count: total, sum: sumOf, buckets: rows };
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}
