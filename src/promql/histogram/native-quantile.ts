// Quantiles and fractions of native histograms. Within a bucket the observations are taken to spread evenly:
// on a logarithmic scale in exponential buckets, on a linear one in custom buckets and the zero bucket.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { AnnotationKind } from '../annotations.ts';
import { allBuckets, type Bucket } from './buckets.ts';
import { isCustom } from './sum.ts';

/** Takes remarks about the histogram. */
export type Remark = (kind: AnnotationKind, message: string) => void;

/** The share of a bucket's width below a value inside it. */
export function fractionBelow({ lower, upper }: Bucket, value: number, linear: boolean): number {
  if (linear) return (value - lower) / (upper - lower);
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logValue = Math.log2(Math.abs(value));
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** The zero bucket ends at 0 on a side where nothing was observed. */
function clipZero(bucket: Bucket, histogram: FloatHistogram): Bucket {
  const negative = histogram.negativeBuckets.length > 0;
  const positive = histogram.positiveBuckets.length > 0;
  if (!negative && positive) return { ...bucket, lower: 0 };
  return !positive && negative ? { ...bucket, upper: 0 } : bucket;
}

/** The q-quantile; NaN where there are no observations. */
export function nativeQuantile(q: number, histogram: FloatHistogram, remark: Remark): number {
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  if (histogram.count === 0 || Number.isNaN(q)) return Number.NaN;
  // NaN observations count without being in a bucket, so ranks only hold from below.
  const forward = Number.isNaN(histogram.sum) || q < 0.5;
  const buckets = allBuckets(histogram);
  if (!forward) buckets.reverse();
  const rank = (forward ? q : 1 - q) * histogram.count;
  let count = 0;
  let at = -1;
  for (let i = 0; i < buckets.length; i++) {
    if (buckets[i]!.count === 0) continue;
    count += buckets[i]!.count;
    at = i;
    if (count >= rank) break;
  }
  const found = at < 0 ? { lower: 0, upper: 0, count: 0 } : buckets[at]!;
  const rest = buckets.slice(at + 1).reduce((sum, bucket) => sum + bucket.count, 0);
  return interpolate({ histogram, found, rank, count, rest, forward, remark });
}

interface Landing {
  readonly histogram: FloatHistogram;
  /** The bucket in which the quantile lies. */
  readonly found: Bucket;
  readonly rank: number;
  /** Observations up to and including the bucket, in the direction of the search. */
  readonly count: number;
  /** Observations beyond it. */
  readonly rest: number;
  readonly forward: boolean;
  readonly remark: Remark;
}

function interpolate(landing: Landing): number {
  const { histogram, forward, remark } = landing;
  const custom = isCustom(histogram);
  let bucket = landing.found;
  if (custom) {
    if (bucket.lower === Number.NEGATIVE_INFINITY) {
      if (bucket.upper <= 0) return bucket.upper;
      bucket = { ...bucket, lower: 0 };
    } else if (bucket.upper === Number.POSITIVE_INFINITY) {
      return bucket.lower;
    }
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    bucket = clipZero(bucket, histogram);
  }
  // Inaccuracies may have made the buckets hold more than the count.
  const count = Math.min(landing.count, histogram.count);
  if (count < landing.rank) {
    if (!Number.isNaN(histogram.sum)) return bucket.upper;
    remark('info', 'input to histogram_quantile has NaN observations, result is NaN');
    return Number.NaN;
  }
  if (Number.isNaN(histogram.sum) && count + landing.rest < histogram.count) {
    remark('info', 'input to histogram_quantile has NaN observations, result is skewed higher');
  }
  const rank = forward ? landing.rank - (count - bucket.count) : count - landing.rank;
  return valueAt(bucket, rank / bucket.count, custom);
}

/** The value at a share of a bucket's width. */
function valueAt({ lower, upper }: Bucket, fraction: number, custom: boolean): number {
  if (custom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

/** The share of observations between two values. */
export function nativeFraction(
  bounds: { readonly lower: number; readonly upper: number },
  histogram: FloatHistogram,
  remark: Remark,
): number {
  const { lower, upper } = bounds;
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const buckets = allBuckets(histogram);
  let total = histogram.count;
  if (Number.isNaN(histogram.sum)) {
    total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    if (total < histogram.count) {
      remark(
        'info',
        'input to histogram_fraction has NaN observations, which are excluded from all fractions',
      );
    }
  }
  const low = Math.min(rankOf(lower, buckets, histogram), total);
  const high = Math.min(rankOf(upper, buckets, histogram), total);
  return (high - low) / histogram.count;
}

/** Observations below a value; infinite beyond all buckets. */
function rankOf(value: number, buckets: readonly Bucket[], histogram: FloatHistogram): number {
  const custom = isCustom(histogram);
  let rank = 0;
  for (const original of buckets) {
    const zero = original.lower <= 0 && original.upper >= 0;
    const bucket = zero ? clipZero(original, histogram) : original;
    if (bucket.lower >= value) return rank;
    if (bucket.upper > value) {
      const linear = custom || zero;
      if (linear && bucket.lower === Number.NEGATIVE_INFINITY) return bucket.count;
      return rank + bucket.count * fractionBelow(bucket, value, linear);
    }
    rank += bucket.count;
  }
  return Number.POSITIVE_INFINITY;
}
