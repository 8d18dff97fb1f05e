// Subqueries: an inner query's steps become the samples of a range.

import type { Labels } from '../../labels/labels.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import type { Execution } from '../execution.ts';
import type { Grid } from '../grid.ts';
import { lasting } from './names.ts';
import type { Distinctness, RangeSeries, RangeSource, VectorOperator } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Row } from './rows.ts';

/** Evaluates the inner operator in full when first asked. */
export class SubquerySource implements RangeSource {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  readonly #grid: Grid;
  #held = 0;
  #done = false;

  /** `grid` is the inner query's own. */
  constructor(execution: Execution, input: VectorOperator, grid: Grid) {
    this.#execution = execution;
    this.#input = input;
    this.#grid = grid;
    this.distinct = { full: true, nameless: input.distinct.nameless };
  }

  async next(): Promise<readonly RangeSeries[] | null> {
    if (this.#done) return null;
    this.#done = true;
    const rows = await this.#collect();
    return rows.length === 0 ? null : rows;
  }

  close(): void {
    this.#input.close();
    this.#execution.release(this.#held);
    this.#held = 0;
  }

  async #collect(): Promise<SubqueryRow[]> {
    const merged = new Map<string, SubqueryRow>();
    const all: SubqueryRow[] = [];
    const merging = !this.#input.distinct.full;
    const store = new RowStore(this.#grid.count);
    for (;;) {
      const block = await this.#input.next();
      if (block === null) return all;
      this.#execution.hold(block.rows.length * block.steps);
      this.#held += block.rows.length * block.steps;
      for (let i = 0; i < block.rows.length; i++) {
        if (this.#execution.due) await this.#execution.breathe();
        const labels = lasting(block.rows[i]!);
        this.#execution.holdLabels(labels);
        const row = store.copy(block, i, labels);
        this.#execution.holdHistograms(row);
        const known = merging ? merged.get(row.labels.labels.key) : undefined;
        if (known) {
          known.merge(row);
          continue;
        }
        const made = new SubqueryRow(row, this.#grid);
        if (merging) merged.set(row.labels.labels.key, made);
        all.push(made);
      }
      await this.#execution.breathe();
    }
  }
}

class SubqueryRow implements RangeSeries {
  readonly nameDropped: boolean;
  readonly #row: Row;
  readonly #grid: Grid;
  #histograms: (FloatHistogram | undefined)[] | null;

  constructor(row: Row, grid: Grid) {
    this.#row = row;
    this.#grid = grid;
    this.#histograms = row.histograms;
    this.nameDropped = row.labels.nameDropped === true;
  }

  get labels(): Labels {
    return this.#row.labels.labels;
  }

  label(name: string): string {
    return this.#row.labels.label(name);
  }

  /** Takes over the steps of another row with the same labels. */
  merge(other: Row): void {
    const { values, present } = this.#row;
    for (let step = 0; step < present.length; step++) {
      if (other.present[step] === 0) continue;
      values[step] = other.values[step]!;
      present[step] = 1;
      const histogram = other.histograms?.[step];
      if (histogram) {
        this.#histograms ??= [];
        this.#histograms[step] = histogram;
      }
    }
  }

  samples(out: SampleColumns): void {
    const { values, present } = this.#row;
    const { startMs, stepMs } = this.#grid;
    out.reserve(present.length);
    for (let step = 0; step < present.length; step++) {
      if (present[step] === 0) continue;
      const histogram = this.#histograms?.[step];
      if (histogram) {
        out.histograms ??= [];
        out.histograms[out.length] = withoutHint(histogram);
      }
      out.push(startMs + step * stepMs, values[step]!);
    }
  }
}

/** What is known of resets concerns a sample's neighbour in the store, which may not be one here. */
function withoutHint(histogram: FloatHistogram): FloatHistogram {
  const { counterResetHint } = histogram;
  if (counterResetHint === 'gauge' || counterResetHint === 'unknown') return histogram;
  return { ...histogram, counterResetHint: 'unknown' };
}
