// Sums and differences of native histograms. Exponential ones meet at the coarser resolution and the wider
// zero bucket, custom ones at the bounds they have in common.

import {
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
} from '../../storage/histogram.ts';
import { KahanSum } from '../go-math.ts';
import { exponentialBound } from './buckets.ts';
import { isInfinite, Side } from './side.ts';

/** Exponential and custom buckets cannot be brought together. */
export class IncompatibleSchemas extends Error {
  override readonly name: string = 'IncompatibleSchemas';
}

/** What came to light while two histograms were brought together. */
export interface Reconciliation {
  /** One said that a counter was reset, the other that it was not. */
  readonly resetCollision: boolean;
  /** Custom bounds differed; only the common ones remain. */
  readonly boundsReconciled: boolean;
}

/** The index of the bucket of a coarser schema that an exponential bucket falls into. */
export function coarserIndex(index: number, from: number, to: number): number {
  return ((index - 1) >> (from - to)) + 1;
}

/** True for histograms with custom bounds. */
export function isCustom(histogram: { readonly schema: number }): boolean {
  return histogram.schema === CUSTOM_BUCKETS_SCHEMA;
}

/** A histogram under construction; histograms handed in are never changed. */
export class HistogramSum {
  schema: number;
  hint: CounterResetHint;
  zeroThreshold: number;
  customValues: Float64Array;
  readonly #zero = new KahanSum();
  readonly #count = new KahanSum();
  readonly #sum = new KahanSum();
  positive: Side;
  negative: Side;

  constructor(histogram: FloatHistogram) {
    this.schema = histogram.schema;
    this.hint = histogram.counterResetHint;
    this.zeroThreshold = histogram.zeroThreshold;
    this.customValues = histogram.customValues;
    this.#zero.sum = histogram.zeroCount;
    this.#count.sum = histogram.count;
    this.#sum.sum = histogram.sum;
    this.positive = Side.from(histogram.positiveSpans, histogram.positiveBuckets);
    this.negative = Side.from(histogram.negativeSpans, histogram.negativeBuckets);
  }

  /** A histogram without observations in the layout of another. */
  static emptyLike(histogram: FloatHistogram): HistogramSum {
    const sum = new HistogramSum(histogram);
    sum.scale(0);
    for (const total of [sum.#zero, sum.#count, sum.#sum]) total.reset();
    sum.positive.clear();
    sum.negative.clear();
    sum.zeroThreshold = 0;
    sum.hint = 'unknown';
    return sum;
  }

  /** An independent copy, compensations included. */
  clone(): HistogramSum {
    const copy = new HistogramSum(this.value);
    copy.positive = this.positive.clone();
    copy.negative = this.negative.clone();
    for (const [to, from] of [
      [copy.#zero, this.#zero],
      [copy.#count, this.#count],
      [copy.#sum, this.#sum],
    ] as const) {
      to.sum = from.sum;
      to.compensation = from.compensation;
    }
    return copy;
  }

  get count(): number {
    return this.#count.value;
  }

  get zeroCount(): number {
    return this.#zero.value;
  }

  get overflows(): boolean {
    const totals = [this.#zero, this.#count, this.#sum];
    return (
      totals.some(t => isInfinite(t.sum)) || this.positive.overflows || this.negative.overflows
    );
  }

  /** Throws IncompatibleSchemas. */
  add(other: FloatHistogram): Reconciliation {
    return this.#combine(other, 1);
  }

  /** Throws IncompatibleSchemas. */
  subtract(other: FloatHistogram): Reconciliation {
    return this.#combine(other, -1);
  }

  scale(factor: number): this {
    for (const total of [this.#zero, this.#count, this.#sum]) {
      total.sum *= factor;
      total.compensation *= factor;
    }
    this.positive.scale(factor);
    this.negative.scale(factor);
    if (factor < 0) this.hint = 'gauge';
    return this;
  }

  divide(divisor: number): this {
    for (const total of [this.#zero, this.#count, this.#sum]) {
      total.sum /= divisor;
      total.compensation = divisor === 0 ? 0 : total.compensation / divisor;
    }
    // Nothing is left of the distribution when everything is infinite.
    if (divisor === 0) {
      this.positive.clear();
      this.negative.clear();
      return this;
    }
    this.positive.divide(divisor);
    this.negative.divide(divisor);
    if (divisor < 0) this.hint = 'gauge';
    return this;
  }

  /** The histogram as it stands, empty buckets left out. */
  get value(): FloatHistogram {
    const positive = this.positive.compact();
    const negative = this.negative.compact();
    return {
      counterResetHint: this.hint,
      schema: this.schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.#zero.value,
      count: this.#count.value,
      sum: this.#sum.value,
      positiveSpans: positive.spans,
      positiveBuckets: positive.buckets,
      negativeSpans: negative.spans,
      negativeBuckets: negative.buckets,
      customValues: this.customValues,
    };
  }

  /** Lowers the resolution to a coarser schema. */
  reduceTo(schema: number): void {
    if (schema >= this.schema || isCustom(this)) return;
    const from = this.schema;
    for (const side of [this.positive, this.negative]) {
      side.remap(index => coarserIndex(index, from, schema));
    }
    this.schema = schema;
  }

  /** Widens the zero bucket to at least a threshold, and to the end of a populated bucket it falls in. */
  widenZero(threshold: number): void {
    let limit = threshold;
    for (;;) {
      const positive = this.#reach(this.positive, limit);
      const negative = this.#reach(this.negative, positive.limit);
      if (negative.limit === limit) {
        this.#absorb(this.positive, positive.count);
        this.#absorb(this.negative, negative.count);
        this.zeroThreshold = limit;
        return;
      }
      limit = negative.limit;
    }
  }

  /** How many buckets begin below the limit, and the limit moved to the end of a populated one. */
  #reach(side: Side, limit: number): { count: number; limit: number } {
    let count = 0;
    let moved = limit;
    while (count < side.size) {
      const index = side.indexAt(count);
      if (exponentialBound(index - 1, this.schema) >= moved) break;
      const upper = exponentialBound(index, this.schema);
      count++;
      if (upper > moved) {
        if (side.countAt(count - 1) !== 0) moved = upper;
        break;
      }
    }
    return { count, limit: moved };
  }

  #absorb(side: Side, count: number): void {
    for (let i = 0; i < count; i++) this.#zero.add(side.countAt(i));
    side.dropFirst(count);
  }

  #combine(histogram: FloatHistogram, sign: 1 | -1): Reconciliation {
    if (isCustom(this) !== isCustom(histogram)) {
      throw new IncompatibleSchemas('exponential and custom buckets cannot be combined');
    }
    const other = new HistogramSum(histogram);
    const resetCollision = this.#combineHints(histogram.counterResetHint);
    let boundsReconciled = false;
    if (isCustom(this)) boundsReconciled = this.#reconcileBounds(other);
    else this.#reconcileExponential(other);
    this.#zero.add(sign * other.zeroCount);
    this.#count.add(sign * histogram.count);
    this.#sum.add(sign * histogram.sum);
    this.positive.add(other.positive, sign);
    this.negative.add(other.negative, sign);
    return { resetCollision, boundsReconciled };
  }

  #combineHints(other: CounterResetHint): boolean {
    if (other === this.hint || this.hint === 'gauge') return false;
    if (other === 'gauge') {
      this.hint = 'gauge';
      return false;
    }
    const collision = this.hint !== 'unknown' && other !== 'unknown';
    this.hint = 'unknown';
    return collision;
  }

  #reconcileExponential(other: HistogramSum): void {
    while (this.zeroThreshold !== other.zeroThreshold) {
      if (this.zeroThreshold > other.zeroThreshold) other.widenZero(this.zeroThreshold);
      else this.widenZero(other.zeroThreshold);
    }
    const schema = Math.min(this.schema, other.schema);
    this.reduceTo(schema);
    other.reduceTo(schema);
  }

  /** True where the bounds differed. */
  #reconcileBounds(other: HistogramSum): boolean {
    if (sameBounds(this.customValues, other.customValues)) return false;
    const common = intersectBounds(this.customValues, other.customValues);
    this.mapToBounds(common);
    other.mapToBounds(common);
    return true;
  }

  /** Moves every bucket into the one that contains it among coarser bounds. */
  mapToBounds(bounds: Float64Array): void {
    const own = this.customValues;
    this.positive.remap(index => {
      const upper = own[index] ?? Number.POSITIVE_INFINITY;
      const found = bounds.findIndex(bound => bound >= upper);
      return found < 0 ? bounds.length : found;
    });
    this.customValues = bounds;
  }
}

/** True where both have the same bounds in the same order. */
export function sameBounds(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}

/** The bounds that both have. */
export function intersectBounds(a: Float64Array, b: Float64Array): Float64Array {
  const other = new Set(b);
  return a.filter(bound => other.has(bound));
}
