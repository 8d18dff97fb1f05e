// The head's series: what label set each has, and which series has a label set. All of it lies in flat
// arrays by slot; label sets are runs of symbol numbers, found by a hash table with open addressing.

import { RefTable } from './ref-table.ts';
import { SpanArena } from './span-arena.ts';

const INITIAL_SLOTS = 1024;

/** Series by slot, by reference and by label set. */
export class SeriesTable {
  readonly #refs = new RefTable();
  readonly #labels = new SpanArena();
  #slotRefs = new Uint32Array(INITIAL_SLOTS);
  /** Where a slot's labels start in the arena; 0 where the slot is empty. */
  #labelsAt = new Uint32Array(INITIAL_SLOTS);
  #labelWords = new Uint16Array(INITIAL_SLOTS);
  #hashes = new Uint32Array(INITIAL_SLOTS);
  /** The age in which somebody last asked for the series. */
  #touched = new Uint8Array(INITIAL_SLOTS);
  #age = 0;
  /** Slot + 1, 0 where empty; linear probing from `hash & mask`. */
  #buckets = new Uint32Array(INITIAL_SLOTS * 2);

  /** Series in the table. */
  get size(): number {
    return this.#refs.size;
  }

  /** Bytes of memory held, about. */
  get bytes(): number {
    const columns = this.#slotRefs.length * (4 + 4 + 2 + 4 + 1);
    return columns + this.#buckets.byteLength + this.#labels.bytes + this.#refs.bytes;
  }

  /** The slot of a reference, −1 where the series is gone. */
  slotOf(ref: number): number {
    return this.#refs.get(ref);
  }

  /** The reference of a slot in use. */
  refOf(slot: number): number {
    return this.#slotRefs[slot]!;
  }

  /** True where the slot holds this very series. */
  holds(slot: number, ref: number): boolean {
    // References are never given out twice, so an old one cannot have come back.
    return this.#slotRefs[slot] === ref && this.#labelWords[slot] !== 0;
  }

  /** Notes that somebody has the series' reference in hand and may be about to append. */
  touch(slot: number): void {
    this.#touched[slot] = this.#age;
  }

  /** Starts a new age; touches of the last two count as recent. */
  nextAge(): void {
    this.#age = (this.#age + 1) & 0xff;
  }

  /** Whether the series was touched or created recently; once in a long while true without reason. */
  recentlyTouched(slot: number): boolean {
    return ((this.#age - this.#touched[slot]!) & 0xff) < 2;
  }

  /** Symbols of a slot's labels: name, value, name, value, … Valid until a series is added. */
  symbols(slot: number): Uint32Array {
    const start = this.#labelsAt[slot]!;
    return this.#labels.words.subarray(start, start + this.#labelWords[slot]!);
  }

  /** The symbol of a label's value, −1 where the series does not have it. */
  valueOf(slot: number, name: number): number {
    const words = this.#labels.words;
    const start = this.#labelsAt[slot]!;
    const end = start + this.#labelWords[slot]!;
    for (let i = start; i < end; i += 2) if (words[i] === name) return words[i + 1]!;
    return -1;
  }

  /** The slot of the series with exactly these symbols, −1 where there is none. */
  find(symbols: Uint32Array, count: number): number {
    const hash = hashOf(symbols, count);
    const mask = this.#buckets.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = this.#buckets[at]! - 1;
      if (slot < 0) return -1;
      if (this.#hashes[slot] === hash && this.#equal(slot, symbols, count)) return slot;
    }
  }

  /** Adds a series whose labels are not in the table; at least one label. */
  add(slot: number, ref: number, symbols: Uint32Array, count: number): void {
    this.#reserve(slot);
    const start = this.#labels.take(count);
    for (let i = 0; i < count; i++) this.#labels.words[start + i] = symbols[i]!;
    this.#slotRefs[slot] = ref;
    this.#touched[slot] = this.#age;
    this.#labelsAt[slot] = start;
    this.#labelWords[slot] = count;
    this.#hashes[slot] = hashOf(symbols, count);
    this.#refs.set(ref, slot);
    if (this.size * 2 > this.#buckets.length) this.#rehash();
    this.#link(slot);
  }

  /** Removes the series of a slot in use. */
  remove(slot: number): void {
    this.#unlink(slot);
    this.#refs.delete(this.#slotRefs[slot]!);
    this.#labels.free(this.#labelsAt[slot]!, this.#labelWords[slot]!);
    this.#labelsAt[slot] = 0;
    this.#labelWords[slot] = 0;
  }

  #equal(slot: number, symbols: Uint32Array, count: number): boolean {
    if (this.#labelWords[slot] !== count) return false;
    const words = this.#labels.words;
    const start = this.#labelsAt[slot]!;
    for (let i = 0; i < count; i++) if (words[start + i] !== symbols[i]) return false;
    return true;
  }

  #link(slot: number): void {
    const mask = this.#buckets.length - 1;
    let at = this.#hashes[slot]! & mask;
    while (this.#buckets[at] !== 0) at = (at + 1) & mask;
    this.#buckets[at] = slot + 1;
  }

  // Moves later members of the run back into the hole, so that lookups need no deletion marks.
  #unlink(slot: number): void {
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    let hole = this.#hashes[slot]! & mask;
    while (buckets[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; buckets[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashes[buckets[at]! - 1]! & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      buckets[hole] = buckets[at]!;
      hole = at;
    }
    buckets[hole] = 0;
  }

  #rehash(): void {
    const old = this.#buckets;
    this.#buckets = new Uint32Array(old.length * 2);
    for (const entry of old) if (entry !== 0) this.#link(entry - 1);
  }

  #reserve(slot: number): void {
    if (slot < this.#slotRefs.length) return;
    const length = Math.max(slot + 1, Math.ceil(this.#slotRefs.length * 1.5));
    this.#slotRefs = grown(this.#slotRefs, new Uint32Array(length));
    this.#labelsAt = grown(this.#labelsAt, new Uint32Array(length));
    this.#labelWords = grown(this.#labelWords, new Uint16Array(length));
    this.#hashes = grown(this.#hashes, new Uint32Array(length));
    this.#touched = grown(this.#touched, new Uint8Array(length));
  }
}

function grown<T extends Uint32Array | Uint16Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function hashOf(symbols: Uint32Array, count: number): number {
  let hash = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    hash = Math.imul(hash ^ symbols[i]!, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
