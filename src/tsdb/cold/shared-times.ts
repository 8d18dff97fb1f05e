// Columns of times that several series share, while a cold block is written: those of one scrape are the
// same for all its series, and are written once.

import { LRUCache } from 'lru-cache';

// At eight bytes a time.
const TIMES_MAX = 1024 * 1024;
// Hosts differ in nearly every time, so a few tell them apart.
const HASHED_EVERY = 16;

interface Known {
  readonly times: Float64Array;
  readonly place: number;
}

/** Remembers where columns were written, the most recently used of them. */
export class SharedTimes {
  readonly #known = new LRUCache<number, Known>({
    maxSize: TIMES_MAX,
    sizeCalculation: ({ times }) => times.length,
  });

  /** The place of the same times, written earlier; −1 where it is not known. */
  find(times: Float64Array, from: number, to: number): number {
    const known = this.#known.get(hashOf(times, from, to));
    if (known?.times.length !== to - from) return -1;
    for (let i = from; i < to; i++) if (times[i] !== known.times[i - from]) return -1;
    return known.place;
  }

  add(times: Float64Array, from: number, to: number, place: number): void {
    this.#known.set(hashOf(times, from, to), { times: times.slice(from, to), place });
  }
}

/** FNV-1a over the count and the low halves of some times; whoever collides is written again. */
function hashOf(times: Float64Array, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ (to - from);
  for (let i = from; i < to; i += HASHED_EVERY) {
    hash = Math.imul(hash ^ (times[i]! % 0x1_0000_0000), 0x01000193);
  }
  return hash >>> 0;
}
