// The quantile aggregation: keeps all cells of a group until the end.

import type { StepBlock } from '../block.ts';
import { quantileOf } from '../quantile.ts';
import { sortForQuantileSliced } from '../sliced-sort.ts';
import {
  type Accumulator,
  type AccumulatorContext,
  type Aggregate,
  remarkIgnored,
} from './accumulators.ts';
import { type RowCells, RowStore } from './row-store.ts';

/** Holds rows × steps samples of its group until `finish`. */
export class QuantileAccumulator implements Accumulator {
  readonly #context: AccumulatorContext;
  readonly #store: RowStore;
  readonly #rows: RowCells[] = [];

  constructor(context: AccumulatorContext) {
    this.#context = context;
    this.#store = new RowStore(context.steps);
  }

  add(block: StepBlock, at: number): void {
    const { steps, execution } = this.#context;
    const { values, present } = this.#store.take();
    values.set(block.values.subarray(at, at + steps));
    present.set(block.present.subarray(at, at + steps));
    if (block.histograms) {
      for (let step = 0; step < steps; step++) {
        if (!block.histograms[at + step]) continue;
        present[step] = 0;
        remarkIgnored(this.#context);
      }
    }
    execution.hold(steps);
    this.#rows.push({ values, present });
  }

  async finish(): Promise<Aggregate> {
    const { steps, param, execution } = this.#context;
    const values = new Float64Array(steps);
    const present = new Uint8Array(steps);
    const scratch = new Float64Array(this.#rows.length);
    for (let step = 0; step < steps; step++) {
      if (execution.due) await execution.breathe();
      let count = 0;
      for (const row of this.#rows) {
        if (row.present[step] === 1) scratch[count++] = row.values[step]!;
      }
      if (count === 0) continue;
      present[step] = 1;
      const sorted = await sortForQuantileSliced(execution, scratch.subarray(0, count));
      values[step] = quantileOf(param![step]!, sorted);
    }
    execution.release(steps * this.#rows.length);
    return { values, present, histograms: null };
  }
}
