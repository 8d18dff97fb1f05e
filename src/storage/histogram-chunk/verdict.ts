// May the next sample join an open chunk of histograms? A pure decision over the chunk's latest sample.

import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
} from '../histogram.ts';
import { type Alignment, alignBuckets, bucketIndices, spansOf, spread } from './bucket-indices.ts';

/** An open chunk as far as the decision needs it. */
export interface OpenState {
  readonly gauge: boolean;
  readonly float: boolean;
  /** The latest sample in the chunk's layout; null where it is a staleness marker. */
  readonly last: FloatHistogram | null;
}

/** What to do with the next sample. */
export type Verdict =
  /** Append this: the sample in the chunk's layout. */
  | { readonly kind: 'append'; readonly histogram: FloatHistogram }
  /** Rewrite the chunk with the layout of this, then append it. */
  | { readonly kind: 'widen'; readonly histogram: FloatHistogram }
  /** Begin a new chunk, of whose first sample this much is known. */
  | { readonly kind: 'cut'; readonly reset: CounterResetHint };

/** Judges a sample that is no staleness marker. */
export function judge(open: OpenState, next: FloatHistogram): Verdict {
  const gauge = next.counterResetHint === 'gauge';
  if (gauge && (!open.gauge || !open.last)) return { kind: 'cut', reset: 'gauge' };
  // Prometheus writes these two differently, for all that neither is known.
  if (open.gauge && !gauge) return { kind: 'cut', reset: open.float ? 'unknown' : 'not-reset' };
  if (next.counterResetHint === 'reset') return { kind: 'cut', reset: 'reset' };
  if (!open.last) return { kind: 'cut', reset: 'unknown' };
  return compare(open.last, next, gauge);
}

function compare(last: FloatHistogram, next: FloatHistogram, gauge: boolean): Verdict {
  const reset: Verdict = { kind: 'cut', reset: gauge ? 'gauge' : 'reset' };
  if (!gauge && next.count < last.count) return reset;
  if (next.schema !== last.schema || next.zeroThreshold !== last.zeroThreshold) {
    return { kind: 'cut', reset: gauge ? 'gauge' : 'unknown' };
  }
  if (next.schema === CUSTOM_BUCKETS_SCHEMA && !sameBounds(last, next)) return reset;
  if (!gauge && next.zeroCount < last.zeroCount) return reset;
  const positive = alignBuckets(positiveOf(last), positiveOf(next), gauge);
  const negative = positive && alignBuckets(negativeOf(last), negativeOf(next), gauge);
  if (!positive || !negative) return reset;
  return aligned(last, next, { positive, negative, gauge });
}

interface Alignments {
  readonly positive: Alignment;
  readonly negative: Alignment;
  readonly gauge: boolean;
}

function aligned(last: FloatHistogram, next: FloatHistogram, both: Alignments): Verdict {
  const { positive, negative, gauge } = both;
  const missing = positive.missing || negative.missing;
  if (!positive.added && !negative.added) {
    const histogram = missing ? inSpans(next, last.positiveSpans, last.negativeSpans) : next;
    return { kind: 'append', histogram };
  }
  if (!missing) return { kind: 'widen', histogram: next };
  // Prometheus joins the spans of a side that has to be filled up; of gauges, it joins both sides'.
  const spansFor = (side: Alignment, spans: readonly BucketSpan[]): readonly BucketSpan[] =>
    gauge || side.missing ? spansOf(side.union ?? bucketIndices(spans)) : spans;
  return {
    kind: 'widen',
    histogram: inSpans(
      next,
      spansFor(positive, next.positiveSpans),
      spansFor(negative, next.negativeSpans),
    ),
  };
}

/** The histogram with its counts at the buckets of other spans, which cover its own. */
export function inSpans(
  histogram: FloatHistogram,
  positiveSpans: readonly BucketSpan[],
  negativeSpans: readonly BucketSpan[],
): FloatHistogram {
  return {
    ...histogram,
    positiveSpans,
    positiveBuckets: respread(positiveOf(histogram), positiveSpans),
    negativeSpans,
    negativeBuckets: respread(negativeOf(histogram), negativeSpans),
  };
}

function respread(
  { spans, counts }: ReturnType<typeof positiveOf>,
  to: readonly BucketSpan[],
): Float64Array {
  return spread(counts, bucketIndices(spans), bucketIndices(to));
}

function positiveOf(histogram: FloatHistogram) {
  return { spans: histogram.positiveSpans, counts: histogram.positiveBuckets };
}

function negativeOf(histogram: FloatHistogram) {
  return { spans: histogram.negativeSpans, counts: histogram.negativeBuckets };
}

function sameBounds(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.customValues.length === b.customValues.length &&
    a.customValues.every((bound, i) => bound === b.customValues[i])
  );
}
