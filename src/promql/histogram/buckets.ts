// The buckets of a native histogram as intervals.

import type { BucketSpan } from '../../storage/histogram.ts';
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../../storage/histogram.ts';
import { FRACTIONS } from './fractions.ts';

/** One bucket. Bounds may be infinite. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** The upper bound of an exponential bucket; index 0 ends at 1. */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    // The last bucket before overflow ends at the greatest number; one more ends at infinity.
    if (exponent === 1024) return Number.MAX_VALUE;
    return 2 ** exponent;
  }
  const perPower = 2 ** schema;
  const power = Math.floor(index / perPower);
  const rest = index - power * perPower;
  if (rest === 0 && power === 1024) return Number.MAX_VALUE;
  const fraction = FRACTIONS[rest * (FRACTIONS.length / perPower)];
  return scale((fraction ?? 2 ** (rest / perPower - 1)) * 2, power);
}

/** value·2^power without losing the edges of the range. */
function scale(value: number, power: number): number {
  if (power > 1023) return value * 2 ** 1023 * 2 ** (power - 1023);
  if (power < -1022) return value * 2 ** -1022 * 2 ** (power + 1022);
  return value * 2 ** power;
}

/** The indices of the buckets that a list of spans stands for. */
export function spanIndices(spans: readonly BucketSpan[]): number[] {
  const indices: number[] = [];
  let next = 0;
  for (const { offset, length } of spans) {
    next += offset;
    for (let i = 0; i < length; i++) indices.push(next++);
  }
  return indices;
}

/** The bounds of a custom bucket: (previous, own]. */
function customBounds(values: Float64Array, index: number): { lower: number; upper: number } {
  return {
    lower: index === 0 ? Number.NEGATIVE_INFINITY : values[index - 1]!,
    upper: index >= values.length ? Number.POSITIVE_INFINITY : values[index]!,
  };
}

/** All buckets in ascending order: negative, zero, positive. Empty ones inside spans are included. */
export function allBuckets(histogram: FloatHistogram): Bucket[] {
  const { schema } = histogram;
  const out: Bucket[] = [];
  const negative = spanIndices(histogram.negativeSpans);
  for (let i = negative.length - 1; i >= 0; i--) {
    out.push({
      lower: -exponentialBound(negative[i]!, schema),
      upper: -exponentialBound(negative[i]! - 1, schema),
      count: histogram.negativeBuckets[i]!,
    });
  }
  if (histogram.zeroCount > 0) {
    const { zeroThreshold: threshold, zeroCount: count } = histogram;
    out.push({ lower: -threshold, upper: threshold, count });
  }
  for (const [i, index] of spanIndices(histogram.positiveSpans).entries()) {
    const bounds =
      schema === CUSTOM_BUCKETS_SCHEMA
        ? customBounds(histogram.customValues, index)
        : { lower: exponentialBound(index - 1, schema), upper: exponentialBound(index, schema) };
    out.push({ ...bounds, count: histogram.positiveBuckets[i]! });
  }
  return out;
}
