// The head's series: what label set each has, and which series has a label set. All of it lies in flat
// arrays by slot, in pages, so that no series pays for the growth of all; label sets are runs of symbol
// numbers.

import type { Slicer } from '../../lifecycle/slicer.ts';
import { LabelBuckets } from './label-buckets.ts';
import { RefTable } from './ref-table.ts';
import { offsetOf, SpanArena } from './span-arena.ts';

const PAGE_BITS = 10;
const PAGE_SLOTS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SLOTS - 1;
/** Columns of a page, each PAGE_SLOTS long, one behind the other. */
const REF = 0;
/** Where the labels start in the arena. */
const LABELS = PAGE_SLOTS;
const HASH = 2 * PAGE_SLOTS;
/** How many words of labels in the lower half, 0 where the slot is empty; the age of the last touch above. */
const WORDS = 3 * PAGE_SLOTS;
const COLUMNS = 4 * PAGE_SLOTS;
const COUNT_MASK = 0xffff;
const AGE_SHIFT = 16;

/** Series by slot, by reference and by label set. */
export class SeriesTable {
  readonly #refs = new RefTable();
  readonly #labels = new SpanArena();
  readonly #pages: Uint32Array[] = [];
  readonly #buckets = new LabelBuckets(slot => this.#page(slot)[HASH + (slot & PAGE_MASK)]!);
  /** The age in which somebody last asked for a series is compared with it. */
  #age = 0;

  /** Series in the table. */
  get size(): number {
    return this.#refs.size;
  }

  /** Bytes of memory held, about. */
  get bytes(): number {
    const columns = this.#pages.length * COLUMNS * 4;
    return columns + this.#buckets.bytes + this.#labels.bytes + this.#refs.bytes;
  }

  /** The slot of a reference, −1 where the series is gone. */
  slotOf(ref: number): number {
    return this.#refs.get(ref);
  }

  /** The reference of a slot in use. */
  refOf(slot: number): number {
    return this.#page(slot)[REF + (slot & PAGE_MASK)]!;
  }

  /** True where the slot holds this very series. */
  holds(slot: number, ref: number): boolean {
    // References are never given out twice, so an old one cannot have come back.
    return this.refOf(slot) === ref && this.#countOf(slot) !== 0;
  }

  /** Notes that somebody has the series' reference in hand and may be about to append. */
  touch(slot: number): void {
    this.#page(slot)[WORDS + (slot & PAGE_MASK)] = this.#countOf(slot) | (this.#age << AGE_SHIFT);
  }

  /** Starts a new age; touches of the last two count as recent. */
  nextAge(): void {
    this.#age = (this.#age + 1) & 0xff;
  }

  /** Whether the series was touched or created recently; once in a long while true without reason. */
  recentlyTouched(slot: number): boolean {
    const touched = this.#page(slot)[WORDS + (slot & PAGE_MASK)]! >>> AGE_SHIFT;
    return ((this.#age - touched) & 0xff) < 2;
  }

  /** Symbols of a slot's labels: name, value, name, value, … Valid until the caller gives way or adds a series. */
  symbols(slot: number): Uint32Array {
    const start = this.#page(slot)[LABELS + (slot & PAGE_MASK)]!;
    const offset = offsetOf(start);
    return this.#labels.wordsOf(start).subarray(offset, offset + this.#countOf(slot));
  }

  /** The symbol of a label's value, −1 where the series does not have it. */
  valueOf(slot: number, name: number): number {
    const start = this.#page(slot)[LABELS + (slot & PAGE_MASK)]!;
    const words = this.#labels.wordsOf(start);
    const from = offsetOf(start);
    const end = from + this.#countOf(slot);
    for (let i = from; i < end; i += 2) if (words[i] === name) return words[i + 1]!;
    return -1;
  }

  /** The slot of the series with exactly these symbols, −1 where there is none. */
  find(symbols: Uint32Array, count: number): number {
    const hash = hashOf(symbols, count);
    return this.#buckets.find(hash, slot => this.#equal(slot, { hash, symbols, count }));
  }

  /** Adds a series whose labels are not in the table; at least one label. */
  add(slot: number, ref: number, symbols: Uint32Array, count: number): void {
    while (slot >>> PAGE_BITS >= this.#pages.length) this.#pages.push(new Uint32Array(COLUMNS));
    const start = this.#labels.take(count);
    const words = this.#labels.wordsOf(start);
    const offset = offsetOf(start);
    for (let i = 0; i < count; i++) words[offset + i] = symbols[i]!;
    const hash = hashOf(symbols, count);
    const page = this.#page(slot);
    const at = slot & PAGE_MASK;
    page[REF + at] = ref;
    page[LABELS + at] = start;
    page[HASH + at] = hash;
    page[WORDS + at] = count | (this.#age << AGE_SHIFT);
    this.#refs.set(ref, slot);
    this.#buckets.add(slot, hash);
  }

  /** Removes the series of a slot in use. */
  remove(slot: number): void {
    const page = this.#page(slot);
    const at = slot & PAGE_MASK;
    this.#buckets.remove(slot, page[HASH + at]!);
    this.#refs.delete(page[REF + at]!);
    this.#labels.free(page[LABELS + at]!, this.#countOf(slot));
    page[LABELS + at] = 0;
    page[WORDS + at] = 0;
  }

  /** Gives memory back that removed series have left; series come and go meanwhile. */
  async compact(slicer: Slicer): Promise<void> {
    if (!this.#labels.beginMove()) return;
    for (let slot = 0; slot < this.#pages.length * PAGE_SLOTS; slot++) {
      const at = LABELS + (slot & PAGE_MASK);
      if (at === LABELS && slicer.due) await slicer.pause();
      const page = this.#page(slot);
      const count = this.#countOf(slot);
      if (count > 0 && this.#labels.isOld(page[at]!))
        page[at] = this.#labels.move(page[at]!, count);
    }
    this.#labels.endMove();
  }

  #page(slot: number): Uint32Array {
    return this.#pages[slot >>> PAGE_BITS]!;
  }

  #countOf(slot: number): number {
    return this.#page(slot)[WORDS + (slot & PAGE_MASK)]! & COUNT_MASK;
  }

  #equal(slot: number, { hash, symbols, count }: Wanted): boolean {
    const page = this.#page(slot);
    const at = slot & PAGE_MASK;
    if (page[HASH + at] !== hash || this.#countOf(slot) !== count) return false;
    const start = page[LABELS + at]!;
    const words = this.#labels.wordsOf(start);
    const offset = offsetOf(start);
    for (let i = 0; i < count; i++) if (words[offset + i] !== symbols[i]) return false;
    return true;
  }
}

/** A label set that is looked for: the first `count` symbols. */
interface Wanted {
  readonly hash: number;
  readonly symbols: Uint32Array;
  readonly count: number;
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
