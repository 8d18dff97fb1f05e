// The head's samples of a range to which nothing is appended any more, for a block. A selection of all series
// would hold the event loop for as long as it takes to fix what belongs to it; here nothing can change, so
// that is done part by part.

import { Slicer } from '../../lifecycle/slicer.ts';
import type { Series, SeriesSet } from '../../storage/series.ts';
import type { TimeInterval } from '../block/tombstones.ts';
import type { Head } from './head.ts';
import { HeadSeriesSet } from './head-series-set.ts';
import type { Generation } from './out-of-order/generation.ts';
import { OutOfOrderSnapshot } from './out-of-order/snapshot.ts';
import { generationsFrom } from './out-of-order/store.ts';
import type { ReadLease } from './read-leases.ts';

const PART_SERIES = 2048;

/** All series with samples in the range, in label order. Close it: what it reads stays for as long. */
export class ClosedRange implements SeriesSet {
  readonly warnings: readonly string[] = [];
  readonly #head: Head;
  readonly #range: TimeInterval;
  readonly #generation: Generation;
  readonly #lease: ReadLease;
  readonly #signal: AbortSignal | undefined;
  #refs: Uint32Array | null = null;
  #at = 0;
  #part: HeadSeriesSet | null = null;

  /** Both ends of the range are inclusive. */
  constructor(head: Head, range: TimeInterval, signal?: AbortSignal) {
    this.#head = head;
    this.#range = { ...range, minTime: Math.max(range.minTime, head.visibleFrom) };
    this.#generation = head.outOfOrder.oldest;
    this.#lease = head.leases.take(this.#range.minTime);
    this.#signal = signal;
  }

  async next(): Promise<readonly Series[] | null> {
    this.#refs ??= await this.#sorted();
    for (;;) {
      const batch = await this.#part?.next();
      if (batch) return batch;
      if (this.#at >= this.#refs.length) return null;
      this.#part = this.#select(this.#refs.subarray(this.#at, this.#at + PART_SERIES));
      this.#at += PART_SERIES;
    }
  }

  close(): void {
    this.#lease.release();
  }

  #sorted(): Promise<Uint32Array> {
    const { index, order, options } = this.#head;
    const slicer = new Slicer(() => options.clock.monotonic(), this.#signal);
    return order.sort(index.allPostings(), slicer);
  }

  #select(refs: Uint32Array): HeadSeriesSet {
    return new HeadSeriesSet(this.#head, {
      refs,
      range: this.#range,
      outOfOrder: new OutOfOrderSnapshot(generationsFrom(this.#generation), this.#range),
      lease: this.#lease,
      labelsOnly: false,
      limit: Number.POSITIVE_INFINITY,
      ...(this.#signal && { signal: this.#signal }),
    });
  }
}
