// A map from small numbers to numbers in parts, which grow one by one: a Map of V8 with a million entries
// holds the thread for a tenth of a second each time it doubles.

const PART_BITS = 12;

/** As a Map, but in no particular order. */
export class NumberMap {
  readonly #parts: (Map<number, number> | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): number | undefined {
    return this.#parts[key >>> PART_BITS]?.get(key);
  }

  /** Adds a key that is not there. */
  set(key: number, value: number): void {
    const index = key >>> PART_BITS;
    while (this.#parts.length <= index) this.#parts.push(undefined);
    this.#parts[index] ??= new Map();
    this.#parts[index].set(key, value);
    this.#size++;
  }

  /** Removes a key that is there. */
  delete(key: number): void {
    this.#parts[key >>> PART_BITS]!.delete(key);
    this.#size--;
  }

  /** All keys; follows changes made while it is walked, and never yields a key that has gone. */
  *keys(): IterableIterator<number> {
    for (let i = 0; i < this.#parts.length; i++) yield* this.#parts[i]?.keys() ?? [];
  }
}
