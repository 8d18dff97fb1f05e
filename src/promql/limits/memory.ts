// The account of memory that queries hold. It counts what grows with data (columns, label sets,
// histograms, received bytes), not what V8 allocates around it; a query that would exceed its share is stopped, not the process.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { limitReached, type QueryLimits } from './query-limits.ts';

/** Bytes of a cell: its value and whether it is present. */
export const CELL_BYTES = 9;
/** An object, its array of pairs and its place in a list. */
const LABELS_BYTES = 96;
/** References to a name and a value, and the value's header. */
const PAIR_BYTES = 28;

/** Bytes a label set takes: names are shared between sets, values are taken as its own. */
export function labelBytes(pairs: readonly string[]): number {
  let bytes = LABELS_BYTES;
  for (let i = 1; i < pairs.length; i += 2) bytes += PAIR_BYTES + pairs[i]!.length;
  return bytes;
}

/** A native histogram without spans and buckets: an object with ten fields and five arrays. */
const HISTOGRAM_BYTES = 400;
/** An object in an array. */
const SPAN_BYTES = 40;
const BUCKET_BYTES = 8;

/** Bytes that the native histograms of a row take; one that stands at several steps in a row is there once. */
export function histogramBytes(histograms: readonly (FloatHistogram | undefined)[]): number {
  let bytes = 0;
  let last: FloatHistogram | undefined;
  for (const histogram of histograms) {
    if (histogram === undefined || histogram === last) continue;
    last = histogram;
    const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram;
    const buckets = positiveBuckets.length + negativeBuckets.length + histogram.customValues.length;
    const spans = positiveSpans.length + negativeSpans.length;
    bytes += HISTOGRAM_BYTES + spans * SPAN_BYTES + buckets * BUCKET_BYTES;
  }
  return bytes;
}

/** What all queries of an engine hold together. */
export class MemoryPool {
  readonly limits: QueryLimits;
  #held = 0;

  constructor(limits: QueryLimits) {
    this.limits = limits;
  }

  get held(): number {
    return this.#held;
  }

  /** Throws `unavailable` where the pool would be exceeded; nothing is taken then. */
  take(bytes: number): void {
    if (this.#held + bytes > this.limits.bytesTotalMax) {
      throw limitReached('memory_total', this.limits);
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** What one query holds; `close` gives everything back, whatever was released before. */
export class QueryMemory {
  peak = 0;
  readonly #pool: MemoryPool;
  #held = 0;
  #closed = false;

  constructor(pool: MemoryPool) {
    this.#pool = pool;
  }

  get held(): number {
    return this.#held;
  }

  /** Throws `limit-exceeded`, or `unavailable` where all queries together hold too much. */
  hold(bytes: number): void {
    if (this.#held + bytes > this.#pool.limits.bytesMax) {
      throw limitReached('memory', this.#pool.limits);
    }
    if (!this.#closed) this.#pool.take(bytes);
    this.#held += bytes;
    if (this.#held > this.peak) this.peak = this.#held;
  }

  release(bytes: number): void {
    this.#held -= bytes;
    if (!this.#closed) this.#pool.give(bytes);
  }

  /** Safe more than once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool.give(this.#held);
  }
}
