// The head's label names and values, each string once, known by a small number. Unused ones are found by
// mark and sweep: counting uses would cost two updates for every label of every series. The tables are in
// parts that grow one by one, so that no string pays for the growth of all.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import { SHARDS, shardOf } from './uneven-shards.ts';

const SYMBOLS_MAX = 16_000_000;
const SLICE_SYMBOLS = 1024;
const PAGE_BITS = 10;
const PAGE_SYMBOLS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SYMBOLS - 1;

/** Interned strings. Numbers of swept strings are given out again. */
export class SymbolTable {
  readonly #shards: readonly Map<string, number>[] = Array.from(
    { length: SHARDS },
    () => new Map<string, number>(),
  );
  #size = 0;
  readonly #pages: (string | undefined)[][] = [];
  /** One more than the largest number ever given out. */
  #limit = 0;
  readonly #free: number[] = [];
  /** One byte a symbol while a collection marks, else null. */
  #marks: Uint8Array | null = null;

  /** Strings held. */
  get size(): number {
    return this.#size;
  }

  /** One more than the largest number in use. */
  get limit(): number {
    return this.#limit;
  }

  /** The string's number, given out where it is new. Throws `limit-exceeded` when there are too many. */
  intern(text: string): number {
    const ids = this.#idsOf(text);
    const known = ids.get(text);
    if (known !== undefined) {
      if (this.#marks) this.mark(known);
      return known;
    }
    if (this.#size >= SYMBOLS_MAX) {
      throw new OutpostError(
        'limit-exceeded',
        `intern a label: there are ${SYMBOLS_MAX} different label values already`,
      );
    }
    const own = detached(text);
    const id = this.#free.pop() ?? this.#limit++;
    if (id >>> PAGE_BITS === this.#pages.length) this.#pages.push([]);
    this.#pages[id >>> PAGE_BITS]![id & PAGE_MASK] = own;
    ids.set(own, id);
    this.#size++;
    if (this.#marks) this.mark(id);
    return id;
  }

  /** The string's number, −1 where it is not known. */
  find(text: string): number {
    return this.#idsOf(text).get(text) ?? -1;
  }

  /** The string of a number in use. */
  text(id: number): string {
    return this.#pages[id >>> PAGE_BITS]![id & PAGE_MASK]!;
  }

  /** Starts a collection: everything is unused until marked. Strings interned from now on are marked. */
  beginMark(): void {
    this.#marks = new Uint8Array(this.#limit);
  }

  /** Notes that a symbol is in use. */
  mark(id: number): void {
    if (this.#marks && id >= this.#marks.length) {
      const grown = new Uint8Array(Math.max(id + 1, this.#marks.length * 2));
      grown.set(this.#marks);
      this.#marks = grown;
    }
    if (this.#marks) this.#marks[id] = 1;
  }

  /** Ends a collection: forgets what is not marked and returns how many that were. */
  async sweep(slicer: Slicer): Promise<number> {
    let swept = 0;
    for (let id = 0; this.#marks && id < this.#limit; id++) {
      const page = this.#pages[id >>> PAGE_BITS]!;
      const text = page[id & PAGE_MASK];
      if (text !== undefined && this.#marks[id] !== 1) {
        this.#idsOf(text).delete(text);
        page[id & PAGE_MASK] = undefined;
        this.#free.push(id);
        this.#size--;
        swept++;
      }
      if (id % SLICE_SYMBOLS === 0 && slicer.due) await slicer.pause();
    }
    this.#marks = null;
    return swept;
  }

  #idsOf(text: string): Map<string, number> {
    const end = text.length;
    // What tells values apart is at the end most often. Behind both ends there is NaN, which counts as 0.
    const mixed =
      text.charCodeAt(end - 1) +
      Math.imul(text.charCodeAt(end - 2), 31) +
      Math.imul(text.charCodeAt(end - 3), 17) +
      Math.imul(text.charCodeAt(end >>> 1), 7);
    return this.#shards[shardOf(Math.imul(mixed + end, 0x9e3779b1))]!;
  }
}

// A string cut from a request body keeps the whole body alive; a copy of its bytes does not.
function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
