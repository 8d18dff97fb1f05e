// The best k of many numbers: a binary heap with the worst kept on top. NaN is worse than any number.

import type { Execution } from '../execution.ts';
import { sortSliced } from '../sliced-sort.ts';

const INITIAL = 4;

/** A number and whose it is. */
export interface Ranked {
  readonly id: number;
  readonly value: number;
}

/** Keeps at most `limit` numbers with an id each; `sign` 1 prefers great numbers, −1 small ones. */
export class RankHeap {
  readonly #limit: number;
  readonly #sign: 1 | -1;
  #values: Float64Array = new Float64Array(0);
  #ids: Int32Array = new Int32Array(0);
  #size = 0;

  constructor(limit: number, sign: 1 | -1) {
    this.#limit = limit;
    this.#sign = sign;
  }

  /** True where `add` would keep the number. */
  accepts(value: number): boolean {
    if (this.#size < this.#limit) return true;
    return this.#limit > 0 && this.#worse(this.#values[0]!, value);
  }

  /** Keeps a number that is accepted; the worst one goes where there is no room. True where there was. */
  add(value: number, id: number): boolean {
    const isRoom = this.#size < this.#limit;
    if (isRoom) {
      if (this.#size === this.#values.length) this.#grow();
      this.#rise(this.#size++, value, id);
    } else {
      this.#sink(value, id);
    }
    return isRoom;
  }

  /** What is kept, best first; equal ones in the order of their ids. */
  ranked(execution: Execution): Promise<Ranked[]> {
    const all = Array.from({ length: this.#size }, (_, i) => ({
      id: this.#ids[i]!,
      value: this.#values[i]!,
    }));
    return sortSliced(execution, all, (a, b) =>
      this.#worse(b.value, a.value) ? -1 : this.#worse(a.value, b.value) ? 1 : a.id - b.id,
    );
  }

  #worse(a: number, b: number): boolean {
    if (Number.isNaN(a)) return !Number.isNaN(b);
    return this.#sign * a < this.#sign * b;
  }

  #grow(): void {
    const capacity = Math.min(this.#limit, Math.max(INITIAL, this.#values.length * 2));
    const values = new Float64Array(capacity);
    const ids = new Int32Array(capacity);
    values.set(this.#values);
    ids.set(this.#ids);
    this.#values = values;
    this.#ids = ids;
  }

  #rise(from: number, value: number, id: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#worse(value, this.#values[parent]!)) break;
      this.#values[at] = this.#values[parent]!;
      this.#ids[at] = this.#ids[parent]!;
      at = parent;
    }
    this.#values[at] = value;
    this.#ids[at] = id;
  }

  /** Replaces the top. */
  #sink(value: number, id: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#worse(this.#values[child + 1]!, this.#values[child]!)) {
        child++;
      }
      if (!this.#worse(this.#values[child]!, value)) break;
      this.#values[at] = this.#values[child]!;
      this.#ids[at] = this.#ids[child]!;
      at = child;
    }
    this.#values[at] = value;
    this.#ids[at] = id;
  }
}
