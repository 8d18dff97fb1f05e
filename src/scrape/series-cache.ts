// What is known of the series of one target: by the bytes that name a series, its reference. A scrape that
// brings the same series as the one before looks at bytes and numbers only.

import { ByteTable } from '../exposition/scan/byte-table.ts';
import type { SampleScanner } from '../exposition/scan/scanner.ts';
import type { SeriesRef } from '../storage/appender.ts';

/** Instead of a reference: the store has not been asked, and relabelling has dropped the series. */
export const UNRESOLVED = -1;
export const DROPPED = -2;

/** Series beyond those of the last scrape that are kept before the table is made anew. */
const SLACK = 1000;

/** Series by slot. */
export class SeriesCache {
  #table: ByteTable;
  readonly #seed: number;
  #refs = new Float64Array(64);
  /** The number of the scrape that last had the series, and of the last that promised it a next time. */
  #seen = new Uint32Array(64);
  #tracked = new Uint32Array(64);
  /** The number of the last scrape that had what the one before it had, too. */
  #lasting = new Uint32Array(64);
  #scrape = 1;
  #seenNow = 0;

  /** `seed`: any 32 bits that targets do not know. */
  constructor(seed: number) {
    this.#seed = seed;
    this.#table = new ByteTable(seed);
  }

  get size(): number {
    return this.#table.size;
  }

  /** Begins a scrape. */
  begin(): void {
    this.#scrape++;
    this.#seenNow = 0;
    this.#table.rewind();
  }

  /** The slot of the scanner's sample, made where there is none; marks it as seen. */
  slotOf({ keyBytes, keyStart, keyEnd }: SampleScanner): number {
    let slot = this.#table.slotOf(keyBytes, keyStart, keyEnd);
    if (slot < 0) slot = this.#add(keyBytes, keyStart, keyEnd);
    if (this.#seen[slot] !== this.#scrape) this.#seenNow++;
    this.#seen[slot] = this.#scrape;
    return slot;
  }

  refOf(slot: number): SeriesRef {
    return this.#refs[slot]!;
  }

  resolve(slot: number, ref: SeriesRef): void {
    this.#refs[slot] = ref;
  }

  /**
   * Says that the series is in this scrape, so that its absence from the next one ends it; true where it was
   * not in the one before.
   */
  track(slot: number): boolean {
    const before = this.#tracked[slot]!;
    if (before === this.#scrape) return false;
    this.#tracked[slot] = this.#scrape;
    if (before !== this.#scrape - 1) return true;
    this.#lasting[slot] = this.#scrape;
    return false;
  }

  /** References that the last scrape tracked and this one has not. */
  ended(): SeriesRef[] {
    const ended: SeriesRef[] = [];
    const last = this.#scrape - 1;
    for (let slot = 0; slot < this.#table.size; slot++) {
      if (this.#tracked[slot] === last && this.#refs[slot]! >= 0) ended.push(this.#refs[slot]!);
    }
    if (ended.length === 0) return ended;
    // Two spellings may be one series.
    const current = new Set<SeriesRef>();
    for (let slot = 0; slot < this.#table.size; slot++) {
      if (this.#tracked[slot] === this.#scrape) current.add(this.#refs[slot]!);
    }
    return ended.filter(ref => !current.has(ref));
  }

  /** Ends a scrape that had everything: what has not been seen for long is let go. */
  finish(): void {
    if (this.#table.size > 2 * this.#seenNow + SLACK) this.#compact();
  }

  /** Ends a scrape that failed, and with it all series of the one before: their references. */
  fail(): SeriesRef[] {
    const ended: SeriesRef[] = [];
    for (let slot = 0; slot < this.#table.size; slot++) {
      const tracked = this.#tracked[slot]!;
      const isNew = tracked === this.#scrape;
      if (isNew) this.#tracked[slot] = 0;
      const wasThere = isNew ? this.#lasting[slot] === this.#scrape : tracked === this.#scrape - 1;
      if (wasThere && this.#refs[slot]! >= 0) ended.push(this.#refs[slot]!);
    }
    return ended;
  }

  /** Forgets all references; the series stay known. */
  forgetRefs(): void {
    for (let slot = 0; slot < this.#table.size; slot++) {
      if (this.#refs[slot]! >= 0) this.#refs[slot] = UNRESOLVED;
    }
  }

  #add(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#table.add(bytes, start, end);
    if (slot === this.#refs.length) this.#grow();
    this.#refs[slot] = UNRESOLVED;
    this.#seen[slot] = 0;
    this.#tracked[slot] = 0;
    this.#lasting[slot] = 0;
    return slot;
  }

  #compact(): void {
    const before = this.#table;
    this.#table = new ByteTable(this.#seed);
    let to = 0;
    for (let slot = 0; slot < before.size; slot++) {
      if (this.#seen[slot] !== this.#scrape) continue;
      const bytes = before.bytesOf(slot);
      this.#table.add(bytes, 0, bytes.length);
      this.#refs[to] = this.#refs[slot]!;
      this.#seen[to] = this.#seen[slot]!;
      this.#lasting[to] = this.#lasting[slot]!;
      this.#tracked[to++] = this.#tracked[slot]!;
    }
  }

  #grow(): void {
    const length = this.#refs.length * 2;
    const [refs, seen, tracked] = [this.#refs, this.#seen, this.#tracked];
    const lasting = this.#lasting;
    (this.#refs = new Float64Array(length)).set(refs);
    (this.#seen = new Uint32Array(length)).set(seen);
    (this.#tracked = new Uint32Array(length)).set(tracked);
    (this.#lasting = new Uint32Array(length)).set(lasting);
  }
}
