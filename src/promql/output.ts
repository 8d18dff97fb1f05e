// Operators' rows to the answer of a query: names that were marked are dropped, pieces of one series are
// joined, stable order.

import type { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { FloatHistogram } from '../storage/histogram.ts';
import { SampleColumns } from '../storage/samples.ts';
import type { Execution } from './execution.ts';
import type { Grid } from './grid.ts';
import { removeStale } from './operators/lookup.ts';
import { lasting, sameLabelset, withoutName } from './operators/names.ts';
import type { VectorOperator } from './operators/operator.ts';
import { RowStore } from './operators/row-store.ts';
import type { Row } from './operators/rows.ts';
import type { RangePlan } from './plan-selectors.ts';
import type { MatrixSeries, VectorSample } from './result.ts';
import { sortSliced } from './sliced-sort.ts';

/** The single step of an operator, in the operator's order. */
export async function collectVector(
  execution: Execution,
  operator: VectorOperator,
): Promise<VectorSample[]> {
  const rows = await collectRows(execution, operator);
  return rows.map(({ labels, row }) => ({
    labels,
    value: row.values[0]!,
    histogram: row.histograms?.[0] ?? null,
  }));
}

/** All steps of an operator, ordered by labels. */
export async function collectMatrix(
  execution: Execution,
  operator: VectorOperator,
  grid: Grid,
): Promise<MatrixSeries[]> {
  const rows = await collectRows(execution, operator);
  const allTimes = Float64Array.from(
    { length: grid.count },
    (_, step) => grid.startMs + step * grid.stepMs,
  );
  const series = rows.map(({ labels, row }) => toSeries(labels, row, allTimes));
  return sortSliced(execution, series, (a, b) => a.labels.compareTo(b.labels));
}

interface NamedRow {
  readonly labels: Labels;
  row: Row;
}

async function collectRows(execution: Execution, operator: VectorOperator): Promise<NamedRow[]> {
  const { distinct } = operator;
  const delayed = execution.semantics.delayedNameRemoval;
  const merging = !(delayed ? distinct.full && distinct.nameless : distinct.full);
  const known = new Map<string, NamedRow>();
  const rows: NamedRow[] = [];
  let store: RowStore | null = null;
  for (;;) {
    const block = await operator.next();
    if (block === null) return rows;
    execution.hold(block.rows.length * block.steps);
    store ??= new RowStore(block.steps);
    store.expect(block.rows.length);
    for (let i = 0; i < block.rows.length; i++) {
      if (execution.due) await execution.breathe();
      const source = lasting(block.rows[i]!);
      const labels = source.nameDropped ? withoutName(source.labels) : source.labels;
      const row = store.copy(block, i, source);
      const other = merging ? known.get(labels.key) : undefined;
      if (other) {
        other.row = join(other.row, row);
        continue;
      }
      const named = { labels, row };
      if (merging) known.set(labels.key, named);
      rows.push(named);
    }
    await execution.breathe();
  }
}

/** Two pieces of one series; they must not meet at a step. */
function join(a: Row, b: Row): Row {
  let histograms: (FloatHistogram | undefined)[] | null = a.histograms;
  for (let step = 0; step < a.present.length; step++) {
    if (b.present[step] === 0) continue;
    if (a.present[step] === 1) throw sameLabelset();
    a.present[step] = 1;
    a.values[step] = b.values[step]!;
    const histogram = b.histograms?.[step];
    if (histogram) (histograms ??= [])[step] = histogram;
  }
  return { ...a, histograms };
}

function toSeries(labels: Labels, row: Row, allTimes: Float64Array): MatrixSeries {
  const { present, values, histograms } = row;
  if (!present.includes(0)) return { labels, times: allTimes, values, histograms };
  const count = present.reduce((sum, cell) => sum + cell, 0);
  const times = new Float64Array(count);
  const kept = new Float64Array(count);
  const keptHistograms: (FloatHistogram | undefined)[] | null = histograms ? [] : null;
  let next = 0;
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0) continue;
    times[next] = allTimes[step]!;
    kept[next] = values[step]!;
    if (keptHistograms) keptHistograms[next] = histograms![step];
    next++;
  }
  return { labels, times, values: kept, histograms: keptHistograms };
}

/** The samples of a range expression asked for by itself, ordered by labels. */
export async function collectRange(execution: Execution, plan: RangePlan): Promise<MatrixSeries[]> {
  const { source, shape } = plan;
  if (shape.beforeMs > 0) {
    throw new OutpostError(
      'execution',
      'an anchored or smoothed range has no samples of its own: ask rate, increase or delta of it',
    );
  }
  const end = shape.ends.startMs;
  const columns = new SampleColumns();
  const out: MatrixSeries[] = [];
  for (;;) {
    const batch = await source.next();
    if (batch === null) break;
    for (const series of batch) {
      columns.clear();
      series.samples(columns);
      execution.samplesRead += columns.length;
      removeStale(columns);
      const { length } = columns;
      if (length === 0 || columns.times[length - 1]! <= end - shape.rangeMs) continue;
      execution.hold(length);
      out.push({
        labels: series.nameDropped ? withoutName(series.labels) : series.labels,
        times: columns.times.slice(0, length),
        values: columns.values.slice(0, length),
        histograms: columns.histograms?.slice(0, length) ?? null,
      });
    }
    await execution.breathe();
  }
  return sortSliced(execution, out, (a, b) => a.labels.compareTo(b.labels));
}
