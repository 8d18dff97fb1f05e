// sum and avg of native histograms, beside the floats of the same aggregation.

import type { StepBlock } from '../block.ts';
import { unsupported } from '../functions/rate-histograms.ts';
import type { AccumulatorContext, Aggregate } from '../operators/accumulators.ts';

export class HistogramTotals {
  readonly #op: 'sum' | 'avg';

  constructor(_context: AccumulatorContext, op: 'sum' | 'avg') {
    this.#op = op;
  }

  add(_block: StepBlock, _at: number, _metricName: () => string): void {
    throw unsupported(this.#op);
  }

  finish(floats: Aggregate): Aggregate {
    return floats;
  }
}
