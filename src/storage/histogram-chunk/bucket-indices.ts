// Buckets by their indices rather than by spans: what two layouts have in common, and one written as the
// other.

import type { BucketSpan } from '../histogram.ts';

/** The index of each bucket, ascending. */
export function bucketIndices(spans: readonly BucketSpan[]): number[] {
  const indices: number[] = [];
  let next = 0;
  for (const { offset, length } of spans) {
    next += offset;
    for (let i = 0; i < length; i++) indices.push(next++);
  }
  return indices;
}

/** The shortest spans for ascending indices. */
export function spansOf(indices: readonly number[]): BucketSpan[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of indices) {
    const last = spans.at(-1);
    if (last && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}

/** True where both stand for the same buckets by the same spans. */
export function sameSpans(a: readonly BucketSpan[], b: readonly BucketSpan[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((span, i) => span.offset === b[i]!.offset && span.length === b[i]!.length)
  );
}

/** Buckets at the indices `to`, of which `from` is a part; those not in `from` are zero. */
export function spread(
  buckets: Float64Array,
  from: readonly number[],
  to: readonly number[],
): Float64Array {
  const out = new Float64Array(to.length);
  let at = 0;
  for (let i = 0; i < to.length && at < from.length; i++) {
    if (to[i] === from[at]) out[i] = buckets[at++]!;
  }
  return out;
}

/** One sign's buckets of a histogram. */
export interface Buckets {
  readonly spans: readonly BucketSpan[];
  readonly counts: Float64Array;
}

/** How the buckets of an open chunk and of the next sample go together. */
export interface Alignment {
  /** All buckets, ascending; null where both have the same. */
  readonly union: readonly number[] | null;
  /** Some bucket is new in the sample. */
  readonly added: boolean;
  /** Some bucket of the chunk is missing in the sample. */
  readonly missing: boolean;
}

const ALIGNED: Alignment = { union: null, added: false, missing: false };

/**
 * Puts the chunk's buckets, with their latest counts, beside the next sample's. Null where a counter was
 * reset: a count is lower, or a bucket that had one is gone. Gauges are never reset.
 */
export function alignBuckets(chunk: Buckets, sample: Buckets, gauge: boolean): Alignment | null {
  if (sameSpans(chunk.spans, sample.spans)) {
    return gauge || !anyLower(chunk.counts, sample.counts) ? ALIGNED : null;
  }
  const ours = bucketIndices(chunk.spans);
  const theirs = bucketIndices(sample.spans);
  const union: number[] = [];
  let a = 0;
  let b = 0;
  while (a < ours.length || b < theirs.length) {
    const our = ours[a] ?? Number.POSITIVE_INFINITY;
    const their = theirs[b] ?? Number.POSITIVE_INFINITY;
    if (!gauge && our <= their) {
      const now = our === their ? sample.counts[b]! : 0;
      if (our === their ? chunk.counts[a]! > now : chunk.counts[a] !== 0) return null;
    }
    union.push(Math.min(our, their));
    if (our <= their) a++;
    if (their <= our) b++;
  }
  const added = union.length > ours.length;
  const missing = union.length > theirs.length;
  return added || missing ? { union, added, missing } : ALIGNED;
}

function anyLower(before: Float64Array, now: Float64Array): boolean {
  for (let i = 0; i < before.length; i++) if (before[i]! > now[i]!) return true;
  return false;
}
