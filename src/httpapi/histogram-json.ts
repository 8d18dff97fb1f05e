// Native histograms in the API's JSON: count, sum and the populated buckets from the lowest up.

import { formatFloat } from '../encoding/format-float.ts';
import { allBuckets, type Bucket } from '../promql/histogram/buckets.ts';
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../storage/histogram.ts';

// Which ends belong to a bucket, by the API's numbers.
const INCLUDES_UPPER = 0;
const INCLUDES_LOWER = 1;
const INCLUDES_BOTH = 3;

/** `{"count":…,"sum":…,"buckets":[[ends,"lower","upper","count"],…]}`; no buckets where all are empty. */
export function histogramJson(histogram: FloatHistogram): string {
  const isCustom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  const buckets: string[] = [];
  for (const bucket of allBuckets(histogram)) {
    if (bucket.count === 0) continue;
    const { lower, upper, count } = bucket;
    const bounds = `"${formatFloat(lower)}","${formatFloat(upper)}"`;
    buckets.push(`[${endsOf(bucket, isCustom)},${bounds},"${formatFloat(count)}"]`);
  }
  const head = `{"count":"${formatFloat(histogram.count)}","sum":"${formatFloat(histogram.sum)}"`;
  return buckets.length === 0 ? `${head}}` : `${head},"buckets":[${buckets.join(',')}]}`;
}

function endsOf({ lower, upper }: Bucket, isCustom: boolean): number {
  if (isCustom) return lower === Number.NEGATIVE_INFINITY ? INCLUDES_BOTH : INCLUDES_UPPER;
  // Only the zero bucket lies on both sides of zero.
  if (lower === -upper) return INCLUDES_BOTH;
  return lower < 0 ? INCLUDES_LOWER : INCLUDES_UPPER;
}
