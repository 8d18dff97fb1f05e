// Samples travel as columns. A buffer is reused from series to series, so reading a million samples
// allocates nothing.

import type { FloatHistogram } from './histogram.ts';

const INITIAL_CAPACITY = 1024;

/** A growable pair of columns: times in Unix milliseconds ascending, values beside them. */
export class SampleColumns {
  times: Float64Array;
  values: Float64Array;
  /** Samples in use; the arrays may be longer. */
  length = 0;
  /** Histograms by sample index where the series has any, else null. The float beside one is unused. */
  histograms: (FloatHistogram | undefined)[] | null = null;
  /** Start times in Unix ms by sample index where the store knows any, else null. */
  startTimes: (number | undefined)[] | null = null;

  constructor(capacity: number = INITIAL_CAPACITY) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  clear(): void {
    this.length = 0;
    this.histograms = null;
    this.startTimes = null;
  }

  /** Makes room for `extra` more samples; existing ones are kept, the arrays may be replaced. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.times.length) return;
    const capacity = Math.max(needed, this.times.length * 2);
    const times = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    times.set(this.times.subarray(0, this.length));
    values.set(this.values.subarray(0, this.length));
    this.times = times;
    this.values = values;
  }

  push(time: number, value: number): void {
    this.reserve(1);
    this.times[this.length] = time;
    this.values[this.length] = value;
    this.length++;
    this.#alignObjects();
  }

  /** Copies `count` samples of typed columns to the end, bit by bit. */
  append(times: Float64Array, values: Float64Array, from: number, to: number): void {
    this.reserve(to - from);
    this.times.set(times.subarray(from, to), this.length);
    this.values.set(values.subarray(from, to), this.length);
    this.length += to - from;
    this.#alignObjects();
  }

  /** Whoever moves samples moves these by the same indices, so they must not be shorter. */
  #alignObjects(): void {
    const { histograms, startTimes, length } = this;
    if (histograms && histograms.length < length) histograms.length = length;
    if (startTimes && startTimes.length < length) startTimes.length = length;
  }
}

/** Index of the first time ≥ `time` among times from…length−1; `length` where there is none. */
export function lowerBound(times: Float64Array, length: number, time: number, from = 0): number {
  let low = from;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
