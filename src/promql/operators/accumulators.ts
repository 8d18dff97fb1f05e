// The arithmetic of aggregations: one accumulator per group, one slot per step.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { AggregateOp, Span } from '../ast.ts';
import type { StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { HistogramTotals } from '../histogram/totals.ts';
import { AverageAccumulator, SumAccumulator } from './sums.ts';

/** What an accumulator may use. */
export interface AccumulatorContext {
  readonly execution: Execution;
  readonly op: AggregateOp;
  readonly steps: number;
  /** The place of the aggregated expression. */
  readonly span: Span;
  /** The quantile per step, where the aggregation has one. */
  readonly param: Float64Array | null;
}

/** What came of a group. */
export interface Aggregate {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms: (FloatHistogram | undefined)[] | null;
}

/** Takes rows one after the other. */
export interface Accumulator {
  /** Adds the row whose first cell is `at`. */
  add(block: StepBlock, at: number, metricName: () => string): void;
  /** Called once; may give way to the event loop. */
  finish(): Aggregate | Promise<Aggregate>;
}

/** Remarks that an aggregation leaves histograms out. */
export function remarkIgnored(context: AccumulatorContext): void {
  context.execution.annotations.add(
    'info',
    `ignored histogram in ${context.op} aggregation`,
    context.span,
  );
}

/** The accumulator of one group. */
export function newAccumulator(context: AccumulatorContext): Accumulator {
  switch (context.op) {
    case 'sum':
      return new SumAccumulator(context.steps, new HistogramTotals(context, 'sum'));
    case 'avg':
      return new AverageAccumulator(context.steps, new HistogramTotals(context, 'avg'));
    case 'min':
      return new ExtremeAccumulator(context, -1);
    case 'max':
      return new ExtremeAccumulator(context, 1);
    case 'stddev':
    case 'stdvar':
      return new DeviationAccumulator(context);
    default:
      return new CountAccumulator(context);
  }
}

/** count and group: how many cells, or that there is any. */
class CountAccumulator implements Accumulator {
  readonly #counts: Float64Array;
  readonly #group: boolean;

  constructor(context: AccumulatorContext) {
    this.#counts = new Float64Array(context.steps);
    this.#group = context.op === 'group';
  }

  add(block: StepBlock, at: number): void {
    const counts = this.#counts;
    for (let step = 0; step < counts.length; step++) counts[step]! += block.present[at + step]!;
  }

  finish(): Aggregate {
    const values = this.#counts;
    const present = new Uint8Array(values.length);
    for (let step = 0; step < values.length; step++) {
      if (values[step]! > 0) present[step] = 1;
      if (this.#group) values[step] = 1;
    }
    return { values, present, histograms: null };
  }
}

/** min and max; any number wins over NaN. */
class ExtremeAccumulator implements Accumulator {
  readonly #context: AccumulatorContext;
  readonly #sign: 1 | -1;
  readonly #values: Float64Array;
  readonly #present: Uint8Array;

  constructor(context: AccumulatorContext, sign: 1 | -1) {
    this.#context = context;
    this.#sign = sign;
    this.#values = new Float64Array(context.steps);
    this.#present = new Uint8Array(context.steps);
  }

  add(block: StepBlock, at: number): void {
    const values = this.#values;
    const present = this.#present;
    const sign = this.#sign;
    for (let step = 0; step < values.length; step++) {
      if (block.present[at + step] === 0) continue;
      if (block.histograms?.[at + step]) {
        remarkIgnored(this.#context);
        continue;
      }
      const value = block.values[at + step]!;
      const current = values[step]!;
      if (present[step] === 0 || sign * value > sign * current || Number.isNaN(current)) {
        values[step] = value;
        present[step] = 1;
      }
    }
  }

  finish(): Aggregate {
    return { values: this.#values, present: this.#present, histograms: null };
  }
}

/** stddev and stdvar by Welford's method, over the population. */
class DeviationAccumulator implements Accumulator {
  readonly #context: AccumulatorContext;
  readonly #counts: Float64Array;
  readonly #means: Float64Array;
  readonly #squares: Float64Array;

  constructor(context: AccumulatorContext) {
    this.#context = context;
    this.#counts = new Float64Array(context.steps);
    this.#means = new Float64Array(context.steps);
    this.#squares = new Float64Array(context.steps);
  }

  add(block: StepBlock, at: number): void {
    const counts = this.#counts;
    const means = this.#means;
    const squares = this.#squares;
    for (let step = 0; step < counts.length; step++) {
      if (block.present[at + step] === 0) continue;
      if (block.histograms?.[at + step]) {
        remarkIgnored(this.#context);
        continue;
      }
      const value = block.values[at + step]!;
      const count = ++counts[step]!;
      if (count === 1) {
        means[step] = value;
        squares[step] = Number.isFinite(value) ? 0 : Number.NaN;
        continue;
      }
      const delta = value - means[step]!;
      const mean = means[step]! + delta / count;
      means[step] = mean;
      squares[step]! += delta * (value - mean);
    }
  }

  finish(): Aggregate {
    const values = this.#squares;
    const present = new Uint8Array(values.length);
    const root = this.#context.op === 'stddev';
    for (let step = 0; step < values.length; step++) {
      const count = this.#counts[step]!;
      if (count === 0) continue;
      present[step] = 1;
      const variance = values[step]! / count;
      values[step] = root ? Math.sqrt(variance) : variance;
    }
    return { values, present, histograms: null };
  }
}
