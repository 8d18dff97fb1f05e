// Operators' rows to the answer of a query: names that were marked are dropped, pieces of one series are
// joined, stable order.

import type { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { FloatHistogram } from '../storage/histogram.ts';
import { SampleColumns } from '../storage/samples.ts';
import type { RowLabels } from './block.ts';
import type { Execution } from './execution.ts';
import type { Grid } from './grid.ts';
import { removeStale } from './operators/lookup.ts';
import { lasting, sameLabelset, withoutName } from './operators/names.ts';
import type { Distinctness, VectorOperator } from './operators/operator.ts';
import { FloatStore, RowStore } from './operators/row-store.ts';
import type { Row } from './operators/rows.ts';
import type { RangePlan } from './plan-selectors.ts';
import type { MatrixSeries, VectorSample } from './result.ts';
import { countWindows, type SampleCounts } from './sample-counts.ts';
import { sortSliced } from './sliced-sort.ts';

/** The time that a sample has beside its cell. */
const TIME_BYTES = 8;

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
  const store = new FloatStore();
  const series: MatrixSeries[] = [];
  for (const { labels, row } of rows) {
    series.push(toSeries(labels, row, allTimes, store));
    if (execution.dueAfter(grid.count)) await execution.breathe();
  }
  return sortSliced(execution, series, (a, b) => a.labels.compareTo(b.labels));
}

interface NamedRow {
  readonly labels: Labels;
  row: Row;
}

async function collectRows(execution: Execution, operator: VectorOperator): Promise<NamedRow[]> {
  const collection = new RowCollection(execution, operator.distinct);
  if (operator.all) {
    for (const row of await operator.all()) {
      if (!row.present.includes(1)) continue;
      execution.hold(row.present.length);
      execution.holdLabels(row.labels);
      execution.holdHistograms(row);
      collection.add(row, lasting(row.labels));
      if (execution.dueAfter(row.present.length)) await execution.breathe();
    }
    return collection.rows;
  }
  let store: RowStore | null = null;
  for (;;) {
    const block = await operator.next();
    if (block === null) return collection.rows;
    execution.hold(block.rows.length * block.steps);
    store ??= new RowStore(block.steps);
    store.expect(block.rows.length);
    for (let i = 0; i < block.rows.length; i++) {
      if (execution.dueAfter(block.steps)) await execution.breathe();
      const source = lasting(block.rows[i]!);
      execution.holdLabels(source);
      const row = store.copy(block, i, source);
      execution.holdHistograms(row);
      collection.add(row, source);
    }
    await execution.breathe();
  }
}

/** Rows by their final labels; pieces of one series are joined. */
class RowCollection {
  readonly rows: NamedRow[] = [];
  /** Rows by label key; null where no two can be the same series. */
  readonly #known: Map<string, NamedRow> | null;

  constructor(execution: Execution, distinct: Distinctness) {
    const delayed = execution.semantics.delayedNameRemoval;
    const isDistinct = delayed ? distinct.full && distinct.nameless : distinct.full;
    this.#known = isDistinct ? null : new Map();
  }

  add(row: Row, source: RowLabels): void {
    const labels = source.nameDropped ? withoutName(source.labels) : source.labels;
    const other = this.#known?.get(labels.key);
    if (other) {
      other.row = join(other.row, row);
      return;
    }
    const named = { labels, row };
    this.#known?.set(labels.key, named);
    this.rows.push(named);
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

function toSeries(
  labels: Labels,
  row: Row,
  allTimes: Float64Array,
  store: FloatStore,
): MatrixSeries {
  const { present, values, histograms } = row;
  if (!present.includes(0)) return { labels, times: allTimes, values, histograms };
  let count = 0;
  for (let step = 0; step < present.length; step++) count += present[step]!;
  const times = store.take(count);
  const kept = store.take(count);
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

/** The samples of a range expression asked for by itself, ordered by labels; counted where asked. */
export async function collectRange(
  execution: Execution,
  plan: RangePlan,
  counts: SampleCounts | null,
): Promise<MatrixSeries[]> {
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
      if (counts) {
        const windows = { ends: shape.ends, beforeMs: shape.rangeMs, afterMs: 0 };
        countWindows(counts, columns, windows, plan.bare);
      }
      execution.hold(length);
      execution.holdBytes(length * TIME_BYTES);
      execution.holdLabels(series);
      if (execution.due) await execution.breathe();
      execution.holdHistograms(columns);
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
