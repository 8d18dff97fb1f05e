// Fewer, wider buckets: an exponential schema lowered by one merges each pair of neighbours.

import { assert } from '../../lifecycle/errors.ts';
import type { BucketSpan, FloatHistogram } from '../histogram.ts';
import { bucketIndices, spansOf } from './bucket-indices.ts';

/** The finest schema that readers know; chunks may hold finer ones, up to 52. */
export const READABLE_SCHEMA_MAX = 8;

/** The histogram at a lower exponential schema, without loss of counts. The given one is left as it is. */
export function reduceResolution(histogram: FloatHistogram, schema: number): FloatHistogram {
  const by = histogram.schema - schema;
  assert(by >= 0, `schema ${histogram.schema} reduced to ${schema}`);
  const positive = merge(histogram.positiveSpans, histogram.positiveBuckets, by);
  const negative = merge(histogram.negativeSpans, histogram.negativeBuckets, by);
  return {
    ...histogram,
    schema,
    positiveSpans: positive.spans,
    positiveBuckets: positive.counts,
    negativeSpans: negative.spans,
    negativeBuckets: negative.counts,
  };
}

function merge(
  spans: readonly BucketSpan[],
  counts: Float64Array,
  by: number,
): { spans: BucketSpan[]; counts: Float64Array } {
  const totals = new Map<number, number>();
  for (const [i, index] of bucketIndices(spans).entries()) {
    // Bucket i ends at base^i, so those up to a multiple of 2^by go together.
    const wider = Math.ceil(index / 2 ** by);
    totals.set(wider, (totals.get(wider) ?? 0) + counts[i]!);
  }
  return { spans: spansOf([...totals.keys()]), counts: Float64Array.from(totals.values()) };
}
