// The head's label names and values, each string once, known by a small number. Unused ones are found by
// mark and sweep: counting uses would cost two updates for every label of every series.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';

// A Map of V8 holds at most 2^24 entries.
const SYMBOLS_MAX = 16_000_000;
const SLICE_SYMBOLS = 4096;

/** Interned strings. Numbers of swept strings are given out again. */
export class SymbolTable {
  readonly #ids = new Map<string, number>();
  readonly #texts: (string | undefined)[] = [];
  readonly #free: number[] = [];
  /** One byte a symbol while a collection marks, else null. */
  #marks: Uint8Array | null = null;

  /** Strings held. */
  get size(): number {
    return this.#ids.size;
  }

  /** One more than the largest number in use. */
  get limit(): number {
    return this.#texts.length;
  }

  /** The string's number, given out where it is new. Throws `limit-exceeded` when there are too many. */
  intern(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) {
      if (this.#marks) this.mark(known);
      return known;
    }
    if (this.#ids.size >= SYMBOLS_MAX) {
      throw new OutpostError(
        'limit-exceeded',
        `intern a label: there are ${SYMBOLS_MAX} different label values already`,
      );
    }
    const own = detached(text);
    const id = this.#free.pop() ?? this.#texts.length;
    this.#texts[id] = own;
    this.#ids.set(own, id);
    if (this.#marks) this.mark(id);
    return id;
  }

  /** The string's number, −1 where it is not known. */
  find(text: string): number {
    return this.#ids.get(text) ?? -1;
  }

  /** The string of a number in use. */
  text(id: number): string {
    return this.#texts[id]!;
  }

  /** Starts a collection: everything is unused until marked. Strings interned from now on are marked. */
  beginMark(): void {
    this.#marks = new Uint8Array(this.#texts.length);
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
    for (let id = 0; this.#marks && id < this.#texts.length; id++) {
      const text = this.#texts[id];
      if (text !== undefined && this.#marks[id] !== 1) {
        this.#ids.delete(text);
        this.#texts[id] = undefined;
        this.#free.push(id);
        swept++;
      }
      if (id % SLICE_SYMBOLS === 0 && slicer.due) await slicer.pause();
    }
    this.#marks = null;
    return swept;
  }
}

// A string cut from a request body keeps the whole body alive; a copy of its bytes does not.
function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
