// `h </ x` and `h >/ x`: observations above or below a value taken away.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { allBuckets, type Bucket } from './buckets.ts';
import { fractionBelow } from './native-quantile.ts';
import { HistogramSum, isCustom } from './sum.ts';

/** Which observations go. */
export type TrimSide = 'above' | 'below';

/** What is left of one bucket, and where its observations are taken to lie. */
interface Remainder {
  readonly count: number;
  readonly middle: number;
}

/** The histogram without the observations beyond the limit; sum and count are estimated anew. */
export function trimHistogram(
  histogram: FloatHistogram,
  limit: number,
  side: TrimSide,
): FloatHistogram {
  const custom = isCustom(histogram);
  const buckets = allBuckets(histogram);
  const negativeCount = histogram.negativeBuckets.length;
  const zeroAt = histogram.zeroCount > 0 ? negativeCount : -1;
  const populated = {
    negative: histogram.negativeBuckets.some(count => count !== 0),
    positive: histogram.positiveBuckets.some(count => count !== 0),
  };
  const counts: number[] = [];
  let count = 0;
  let sum = 0;
  let trimmed = false;
  for (const [i, bucket] of buckets.entries()) {
    const rest =
      i === zeroAt
        ? trimZero(bucket, limit, side, populated)
        : bucket.count === 0
          ? { count: 0, middle: 0 }
          : trimBucket(bucket, limit, side, { custom, positive: i >= negativeCount });
    counts.push(rest.count);
    if (rest.count !== bucket.count) trimmed = true;
    count += rest.count;
    sum += rest.middle * rest.count;
  }
  if (!trimmed) return histogram;
  const negative = counts.slice(0, negativeCount).reverse();
  return new HistogramSum({
    ...histogram,
    zeroCount: zeroAt >= 0 ? counts[zeroAt]! : histogram.zeroCount,
    count,
    sum,
    negativeBuckets: Float64Array.from(negative),
    positiveBuckets: Float64Array.from(counts.slice(zeroAt >= 0 ? zeroAt + 1 : negativeCount)),
  }).value;
}

function trimBucket(
  bucket: Bucket,
  limit: number,
  side: TrimSide,
  kind: { readonly custom: boolean; readonly positive: boolean },
): Remainder {
  const { lower, upper, count } = bucket;
  const whole = side === 'above' ? upper <= limit : lower >= limit;
  if (whole) return { count, middle: middleOf(lower, upper, kind) };
  const nothing = side === 'above' ? lower >= limit : upper <= limit;
  if (nothing) return { count: 0, middle: 0 };
  if (!Number.isFinite(lower) || !Number.isFinite(upper)) return trimInfinite(bucket, limit, side);
  const below = count * fractionBelow(bucket, limit, kind.custom);
  return side === 'above'
    ? { count: below, middle: middleOf(lower, limit, kind) }
    : { count: count - below, middle: middleOf(limit, upper, kind) };
}

/** Where a bound is infinite nothing is known of the distribution, but for 0 as a natural bound. */
function trimInfinite({ lower, upper, count }: Bucket, limit: number, side: TrimSide): Remainder {
  if (lower === Number.NEGATIVE_INFINITY) {
    const finite = upper !== Number.POSITIVE_INFINITY;
    if (side === 'above') {
      if (limit > 0 && upper > 0 && finite)
        return { count: (count * limit) / upper, middle: limit / 2 };
      return upper <= 0 ? { count, middle: limit } : { count: 0, middle: 0 };
    }
    if (limit >= 0 && upper > limit && finite) {
      return { count: count * (1 - limit / upper), middle: (limit + upper) / 2 };
    }
    return { count: 0, middle: 0 };
  }
  return side === 'below' && limit >= lower ? { count, middle: limit } : { count: 0, middle: 0 };
}

function trimZero(
  bucket: Bucket,
  limit: number,
  side: TrimSide,
  populated: { readonly negative: boolean; readonly positive: boolean },
): Remainder {
  const { count } = bucket;
  const upper = populated.negative && !populated.positive ? 0 : bucket.upper;
  const lower = populated.positive && !populated.negative ? 0 : bucket.lower;
  const above = side === 'above';
  if (above ? limit >= upper : limit <= lower) return { count, middle: (lower + upper) / 2 };
  if (above ? limit <= lower : limit >= upper) return { count: 0, middle: 0 };
  return above
    ? { count: (count * (limit - lower)) / (upper - lower), middle: (lower + limit) / 2 }
    : { count: (count * (upper - limit)) / (upper - lower), middle: (limit + upper) / 2 };
}

function middleOf(
  lower: number,
  upper: number,
  kind: { readonly custom: boolean; readonly positive: boolean },
): number {
  if (!Number.isFinite(lower)) {
    if (!Number.isFinite(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (!Number.isFinite(upper)) return lower;
  if (kind.custom) return (lower + upper) / 2;
  const geometric = Math.sqrt(Math.abs(lower * upper));
  return kind.positive ? geometric : -geometric;
}
