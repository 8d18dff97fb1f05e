// What a native histogram must be like to be stored. The rules are Prometheus' (model/histogram, Validate).

import { type BucketSpan, CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from './histogram.ts';
import { hasIntegerCounts } from './histogram-chunk/appender.ts';
import { sameSpans } from './histogram-chunk/bucket-indices.ts';
import { READABLE_SCHEMA_MAX, reduceResolution } from './histogram-chunk/resolution.ts';

const SCHEMA_MIN = -9;
const SCHEMA_MAX = 52;
const OFFSET_MAX = 2 ** 31 - 1;

/**
 * The reason a histogram cannot be stored, or null. Staleness markers are none of its business. Float counts
 * may add up to more than the count, as rounding makes them.
 */
export function histogramProblem(histogram: FloatHistogram): string | null {
  const { schema, count, zeroCount, zeroThreshold } = histogram;
  const custom = schema === CUSTOM_BUCKETS_SCHEMA;
  if (!custom && !(Number.isInteger(schema) && schema >= SCHEMA_MIN && schema <= SCHEMA_MAX)) {
    return `schema ${schema} is unknown`;
  }
  if (!(zeroThreshold >= 0)) return `its zero threshold is ${zeroThreshold}`;
  if (zeroCount < 0) return `its zero bucket has the count ${zeroCount}`;
  if (count < 0) return `its count is ${count}`;
  return (
    (custom ? customProblem(histogram) : exponentialProblem(histogram)) ??
    bucketsProblem('positive', histogram.positiveBuckets) ??
    bucketsProblem('negative', histogram.negativeBuckets) ??
    (histogram.integer ? integerProblem(histogram) : null)
  );
}

function exponentialProblem(histogram: FloatHistogram): string | null {
  if (histogram.customValues.length > 0) return 'it has custom bounds and an exponential schema';
  return (
    spansProblem('positive', histogram.positiveSpans, histogram.positiveBuckets.length) ??
    spansProblem('negative', histogram.negativeSpans, histogram.negativeBuckets.length)
  );
}

function customProblem(histogram: FloatHistogram): string | null {
  const { positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram;
  const { zeroCount, zeroThreshold, customValues } = histogram;
  if (zeroCount !== 0 || zeroThreshold !== 0) return 'it has custom bounds and a zero bucket';
  if (negativeSpans.length > 0 || negativeBuckets.length > 0) {
    return 'it has custom bounds and negative buckets';
  }
  for (let i = 0; i < customValues.length; i++) {
    const bound = customValues[i]!;
    if (!(bound < Number.POSITIVE_INFINITY)) return `its custom bound ${i + 1} is ${bound}`;
    if (i > 0 && bound <= customValues[i - 1]!) return 'its custom bounds do not ascend';
  }
  const problem = spansProblem('positive', positiveSpans, positiveBuckets.length);
  if (problem !== null) return problem;
  const end = positiveSpans.reduce((sum, { offset, length }) => sum + offset + length, 0);
  if ((positiveSpans[0]?.offset ?? 0) < 0 || end > customValues.length + 1) {
    return `its spans reach beyond its ${customValues.length} custom bounds`;
  }
  return null;
}

function spansProblem(side: string, spans: readonly BucketSpan[], buckets: number): string | null {
  let total = 0;
  for (const [i, { offset, length }] of spans.entries()) {
    if (Math.abs(offset) > OFFSET_MAX || (i > 0 && offset < 0)) {
      return `${side} span ${i + 1} has the offset ${offset}`;
    }
    total += length;
  }
  return total === buckets ? null : `its ${side} spans are for ${total} buckets, it has ${buckets}`;
}

function bucketsProblem(side: string, buckets: Float64Array): string | null {
  const at = buckets.findIndex(bucket => bucket < 0);
  return at < 0 ? null : `${side} bucket ${at + 1} has the count ${buckets[at]}`;
}

function integerProblem(histogram: FloatHistogram): string | null {
  const { count, zeroCount, sum, positiveBuckets, negativeBuckets } = histogram;
  let total = zeroCount;
  for (const bucket of positiveBuckets) total += bucket;
  for (const bucket of negativeBuckets) total += bucket;
  // Observations of NaN are in the count and in no bucket.
  const matches = Number.isNaN(sum) ? total <= count : total === count;
  return matches ? null : `its buckets add up to ${total}, its count is ${count}`;
}

/**
 * The histogram as stores keep it: not finer than readers know, and with the integer flag only where its
 * counts can be kept as integers.
 */
export function storableHistogram(histogram: FloatHistogram): FloatHistogram {
  const finer = histogram.schema > READABLE_SCHEMA_MAX;
  const readable = finer ? reduceResolution(histogram, READABLE_SCHEMA_MAX) : histogram;
  if (!readable.integer || hasIntegerCounts(readable)) return readable;
  const { integer: _, ...float } = readable;
  return float;
}

/** True where both are the same sample: equal numbers, bits of the sum included, in the same buckets. */
export function sameHistogram(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    (a.integer ?? false) === (b.integer ?? false) &&
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.zeroCount === b.zeroCount &&
    a.count === b.count &&
    Object.is(a.sum, b.sum) &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    sameNumbers(a.positiveBuckets, b.positiveBuckets) &&
    sameNumbers(a.negativeBuckets, b.negativeBuckets) &&
    sameNumbers(a.customValues, b.customValues)
  );
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
