// From the bytes of a series' labels to its reference in the store. Two generations bound the memory:
// when the younger is full it becomes the elder, whose entries are copied back as they are used and
// otherwise go with the next change.

import { assert } from '../lifecycle/errors.ts';
import type { SeriesRef } from '../storage/appender.ts';
import { hashRegion, type LabelRegion } from './label-region.ts';

/** What `get` answers for a region that is not held. No store gives out this reference. */
export const NO_SERIES_REF = 0xffff_ffff;

const INITIAL_SLOTS = 1024;
const INITIAL_ARENA_BYTES = 64 * 1024;

export interface SeriesCacheOptions {
  /** Most series a generation holds. */
  readonly entriesMax: number;
  /** Most bytes of labels a generation holds. */
  readonly bytesMax: number;
  /** Any 32-bit number that senders cannot guess, so that they cannot choose colliding labels. */
  readonly seed: number;
}

/** Open addressing over one arena of label bytes. */
class Generation {
  count = 0;
  bytesUsed = 0;
  #slots = INITIAL_SLOTS;
  #hashes = new Uint32Array(INITIAL_SLOTS);
  #refs = new Uint32Array(INITIAL_SLOTS).fill(NO_SERIES_REF);
  #starts = new Uint32Array(INITIAL_SLOTS);
  #lengths = new Uint32Array(INITIAL_SLOTS);
  #arena = new Uint8Array(INITIAL_ARENA_BYTES);
  #view = new DataView(this.#arena.buffer);

  get(hash: number, region: LabelRegion): SeriesRef {
    return this.#refs[this.#find(hash, region)]!;
  }

  set(hash: number, region: LabelRegion, ref: SeriesRef): void {
    if ((this.count + 1) * 2 > this.#slots) this.#rehash();
    const slot = this.#find(hash, region);
    const isNew = this.#refs[slot] === NO_SERIES_REF;
    this.#refs[slot] = ref;
    if (!isNew) return;
    const length = region.end - region.start;
    this.#reserve(length);
    this.#arena.set(region.bytes.subarray(region.start, region.end), this.bytesUsed);
    this.#hashes[slot] = hash;
    this.#starts[slot] = this.bytesUsed;
    this.#lengths[slot] = length;
    this.bytesUsed += length;
    this.count++;
  }

  // The slot of the region, or the free slot where it would go.
  #find(hash: number, region: LabelRegion): number {
    const mask = this.#slots - 1;
    let slot = hash & mask;
    while (this.#refs[slot] !== NO_SERIES_REF) {
      if (this.#hashes[slot] === hash && this.#holds(slot, region)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #holds(slot: number, region: LabelRegion): boolean {
    const length = region.end - region.start;
    if (this.#lengths[slot] !== length) return false;
    let held = this.#starts[slot]!;
    let at = region.start;
    for (; at + 4 <= region.end; at += 4, held += 4) {
      if (this.#view.getUint32(held) !== region.view.getUint32(at)) return false;
    }
    for (; at < region.end; at++, held++) {
      if (this.#arena[held] !== region.bytes[at]) return false;
    }
    return true;
  }

  #rehash(): void {
    const [hashes, refs, starts, lengths] = [this.#hashes, this.#refs, this.#starts, this.#lengths];
    this.#slots *= 2;
    this.#hashes = new Uint32Array(this.#slots);
    this.#refs = new Uint32Array(this.#slots).fill(NO_SERIES_REF);
    this.#starts = new Uint32Array(this.#slots);
    this.#lengths = new Uint32Array(this.#slots);
    const mask = this.#slots - 1;
    for (let old = 0; old < refs.length; old++) {
      if (refs[old] === NO_SERIES_REF) continue;
      let slot = hashes[old]! & mask;
      while (this.#refs[slot] !== NO_SERIES_REF) slot = (slot + 1) & mask;
      this.#hashes[slot] = hashes[old]!;
      this.#refs[slot] = refs[old]!;
      this.#starts[slot] = starts[old]!;
      this.#lengths[slot] = lengths[old]!;
    }
  }

  #reserve(extra: number): void {
    const needed = this.bytesUsed + extra;
    if (needed <= this.#arena.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#arena.length * 2));
    larger.set(this.#arena);
    this.#arena = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Bounded; forgetting is safe, it only costs one more lookup by labels. */
export class SeriesCache {
  readonly #options: SeriesCacheOptions;
  #young = new Generation();
  #old = new Generation();

  constructor(options: SeriesCacheOptions) {
    this.#options = options;
  }

  /** Series held, counting those of both generations. */
  get size(): number {
    return this.#young.count + this.#old.count;
  }

  /** The series' reference, or NO_SERIES_REF. */
  get(region: LabelRegion): SeriesRef {
    const hash = hashRegion(region, this.#options.seed);
    const ref = this.#young.get(hash, region);
    if (ref !== NO_SERIES_REF) return ref;
    const elder = this.#old.get(hash, region);
    if (elder !== NO_SERIES_REF) this.#put(hash, region, elder);
    return elder;
  }

  /** Remembers or replaces a reference; the region's bytes are copied. */
  set(region: LabelRegion, ref: SeriesRef): void {
    assert(ref >= 0 && ref < NO_SERIES_REF, `series reference ${ref} is beyond 32 bits`);
    this.#put(hashRegion(region, this.#options.seed), region, ref);
  }

  #put(hash: number, region: LabelRegion, ref: SeriesRef): void {
    const { entriesMax, bytesMax } = this.#options;
    const bytes = this.#young.bytesUsed + region.end - region.start;
    if (this.#young.count >= entriesMax || bytes > bytesMax) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.set(hash, region, ref);
  }
}
