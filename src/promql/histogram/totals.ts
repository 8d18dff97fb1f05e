// sum and avg of native histograms, beside the floats of the same aggregation.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { StepBlock } from '../block.ts';
import type { AccumulatorContext, Aggregate } from '../operators/accumulators.ts';
import { boundsReconciled, mixedSchemas, resetCollision } from './messages.ts';
import { HistogramTotal } from './total.ts';

/** One total per step, made where a histogram turns up. */
export class HistogramTotals {
  readonly #context: AccumulatorContext;
  readonly #mean: boolean;
  #totals: (HistogramTotal | undefined)[] | null = null;

  constructor(context: AccumulatorContext, op: 'sum' | 'avg') {
    this.#context = context;
    this.#mean = op === 'avg';
  }

  /** Adds the histograms of a row. */
  add(block: StepBlock, at: number, metricName: () => string): void {
    for (let step = 0; step < this.#context.steps; step++) {
      const histogram = block.histograms?.[at + step];
      if (!histogram || block.present[at + step] === 0) continue;
      this.#totals ??= [];
      let total = this.#totals[step];
      if (!total) this.#totals[step] = total = new HistogramTotal(this.#mean);
      if (!total.add(histogram)) this.#warn(mixedSchemas(metricName()));
    }
  }

  /** Puts the totals beside the floats; a step with both has no answer. */
  finish(floats: Aggregate): Aggregate {
    if (this.#totals === null) return floats;
    const { values, present } = floats;
    const histograms: (FloatHistogram | undefined)[] = [];
    for (let step = 0; step < this.#context.steps; step++) {
      const total = this.#totals[step];
      if (!total) continue;
      this.#remark(total);
      if (present[step] === 1) {
        this.#warn('encountered a mix of histograms and floats for aggregation');
        present[step] = 0;
        continue;
      }
      const value = total.value;
      if (value === null) continue;
      histograms[step] = value;
      present[step] = 1;
    }
    return { values, present, histograms };
  }

  #remark(total: HistogramTotal): void {
    if (total.resetCollision) this.#warn(resetCollision('aggregation'));
    if (!total.boundsReconciled) return;
    const { execution, span } = this.#context;
    execution.annotations.add('info', boundsReconciled('aggregation'), span);
  }

  #warn(message: string): void {
    this.#context.execution.annotations.add('warning', message, this.#context.span);
  }
}
