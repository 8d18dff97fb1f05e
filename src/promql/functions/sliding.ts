// What is kept from one window of a series for the next, so that a step costs what changes and not what a window
// holds. Answers have the same bits as those found anew.

import { sortForQuantile } from '../quantile.ts';
import type { Window } from './range-function.ts';

/** With more changes than this part of a window, sorting it anew is cheaper. */
const CHANGES_SHARE = 4;
const FIRST_CAPACITY = 64;

/** The values of windows in order: NaN first, −0 before 0. */
export class SortedWindow {
  #source: Float64Array | null = null;
  #from = 0;
  #to = 0;
  #sorted = new Float64Array(FIRST_CAPACITY);

  /** Forgets the series before; called once per series. */
  begin(window: Window): void {
    this.#source = window.values;
    this.#from = 0;
    this.#to = 0;
  }

  /** The window's values; valid until the next call, and not to be changed. */
  of(window: Window): Float64Array {
    const { values, from, to } = window;
    // Floats that were picked out from among histograms lie elsewhere, and differ from step to step.
    if (values !== this.#source) return sortForQuantile(values.slice(from, to));
    const count = to - from;
    const changes = from - this.#from + (to - this.#to);
    if (from < this.#from || from >= this.#to || changes * CHANGES_SHARE > count) {
      this.#sortAnew(values, from, to);
    } else {
      this.#slide(values, from, to);
    }
    this.#from = from;
    this.#to = to;
    return this.#sorted.subarray(0, count);
  }

  #sortAnew(values: Float64Array, from: number, to: number): void {
    this.#reserve(to - from);
    this.#sorted.set(values.subarray(from, to));
    sortForQuantile(this.#sorted.subarray(0, to - from));
  }

  #slide(values: Float64Array, from: number, to: number): void {
    let count = this.#to - this.#from;
    this.#reserve(count + to - this.#to);
    const sorted = this.#sorted;
    for (let i = this.#from; i < from; i++) {
      const at = placeOf(sorted, count, values[i]!);
      sorted.copyWithin(at, at + 1, count--);
    }
    for (let i = this.#to; i < to; i++) {
      const value = values[i]!;
      const at = placeOf(sorted, count, value);
      sorted.copyWithin(at + 1, at, count++);
      sorted[at] = value;
    }
  }

  #reserve(count: number): void {
    if (count <= this.#sorted.length) return;
    const larger = new Float64Array(2 * count);
    larger.set(this.#sorted);
    this.#sorted = larger;
  }
}

/** The first place among `count` sorted values that does not come before `value`. */
function placeOf(sorted: Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(sorted[middle]!, value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(a: number, b: number): boolean {
  if (a < b) return true;
  if (a >= b) return a === 0 && b === 0 && 1 / a < 1 / b;
  return Number.isNaN(a) && !Number.isNaN(b);
}

/**
 * Where the greatest (sign 1) or least value of windows is: the last among equals, NaN only where all are.
 * Keeps the places that may yet become the answer, best first.
 */
export class ExtremePlace {
  readonly #sign: 1 | -1;
  #source: Float64Array | null = null;
  #places = new Int32Array(FIRST_CAPACITY);
  #first = 0;
  #end = 0;
  /** Samples before it were seen. */
  #seen = 0;

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  /** Forgets the series before; called once per series. */
  begin(window: Window): void {
    this.#source = window.values;
    this.#forget(window, 0);
  }

  /** Index of the value in the window. */
  of(window: Window): number {
    const { values, from, to } = window;
    if (values !== this.#source) {
      // Floats that were picked out from among histograms; the next series begins anew, these do too.
      this.#source = null;
      this.#forget(window, from);
    }
    if (this.#seen < from) this.#forget(window, from);
    for (let i = this.#seen; i < to; i++) this.#push(values, i);
    this.#seen = to;
    const places = this.#places;
    while (places[this.#first]! < from) this.#first++;
    return places[this.#first]!;
  }

  #push(values: Float64Array, index: number): void {
    const places = this.#places;
    const value = this.#sign * values[index]!;
    const isNumber = !Number.isNaN(value);
    while (this.#end > this.#first) {
      const last = this.#sign * values[places[this.#end - 1]!]!;
      const isBeaten = isNumber ? !(last > value) : Number.isNaN(last);
      if (!isBeaten) break;
      this.#end--;
    }
    places[this.#end++] = index;
  }

  #forget({ length, to }: Window, from: number): void {
    // A place is taken at most once for each sample.
    const most = Math.max(length, to);
    if (this.#places.length < most) this.#places = new Int32Array(2 * most);
    this.#first = 0;
    this.#end = 0;
    this.#seen = from;
  }
}

/** The median of the distances of sorted values, none of them NaN, from one of their middle. */
export function medianDistance(sorted: Float64Array, middle: number): number {
  const count = sorted.length;
  // Distances fall towards the middle from both ends: walking inwards meets them in falling order.
  const wanted = (count - 1) / 2;
  const lower = Math.floor(wanted);
  const upper = Math.min(count - 1, lower + 1);
  let left = 0;
  let right = count - 1;
  let above = 0;
  for (let rank = count - 1; rank >= lower; rank--) {
    const fromLeft = Math.abs(sorted[left]! - middle);
    const fromRight = Math.abs(sorted[right]! - middle);
    const takesLeft = fromLeft >= fromRight;
    const distance = takesLeft ? fromLeft : fromRight;
    if (takesLeft) left++;
    else right--;
    if (rank === upper) above = distance;
    if (rank === lower) return distance * (1 - (wanted - lower)) + above * (wanted - lower);
  }
  return Number.NaN;
}
