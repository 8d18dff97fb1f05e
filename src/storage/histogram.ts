// Native histograms as the engine sees them: float counts, absolute (not delta) buckets. Integer
// histograms are widened on decode; their on-disk form belongs to the chunk codec.

/** A run of consecutive buckets: `offset` buckets are skipped, then `length` follow. */
export interface BucketSpan {
  readonly offset: number;
  readonly length: number;
}

/** What is known about a counter reset before this sample. */
export type CounterResetHint = 'unknown' | 'reset' | 'not-reset' | 'gauge';

/** Schema number of custom-bucket histograms; −4…8 are exponential. */
export const CUSTOM_BUCKETS_SCHEMA = -53;

/** One native histogram sample. Buckets are absolute counts in the order of their spans. */
export interface FloatHistogram {
  readonly counterResetHint: CounterResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly positiveBuckets: Float64Array;
  readonly negativeSpans: readonly BucketSpan[];
  readonly negativeBuckets: Float64Array;
  /** Upper bounds, for the custom-bucket schema only. */
  readonly customValues: Float64Array;
  /**
   * True where it was stored with integer counts, and is stored so again as long as they are whole.
   * Nobody else looks at it, and what is computed from a histogram need not carry it.
   */
  readonly integer?: boolean;
}
