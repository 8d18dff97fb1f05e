// sum and avg, with Neumaier's compensation in every slot.

import type { StepBlock } from '../block.ts';
import type { HistogramTotals } from '../histogram/totals.ts';
import type { Accumulator, Aggregate } from './accumulators.ts';

/** The sum of each step. */
export class SumAccumulator implements Accumulator {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #present: Uint8Array;
  readonly #totals: HistogramTotals;

  constructor(steps: number, totals: HistogramTotals) {
    this.#sums = new Float64Array(steps);
    this.#compensations = new Float64Array(steps);
    this.#present = new Uint8Array(steps);
    this.#totals = totals;
  }

  add(block: StepBlock, at: number, metricName: () => string): void {
    const sums = this.#sums;
    const compensations = this.#compensations;
    const { values, present, histograms } = block;
    if (histograms) this.#totals.add(block, at, metricName);
    for (let step = 0; step < sums.length; step++) {
      if (present[at + step] === 0 || histograms?.[at + step]) continue;
      const value = values[at + step]!;
      const sum = sums[step]!;
      const total = sum + value;
      if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) {
        compensations[step] = 0;
      } else if (Math.abs(sum) >= Math.abs(value)) {
        compensations[step]! += sum - total + value;
      } else {
        compensations[step]! += value - total + sum;
      }
      sums[step] = total;
      this.#present[step] = 1;
    }
  }

  finish(): Aggregate {
    const values = this.#sums;
    for (let step = 0; step < values.length; step++) values[step]! += this.#compensations[step]!;
    return this.#totals.finish({ values, present: this.#present, histograms: null });
  }
}

/** The direct mean, until the sum would overflow; from there the running mean. */
export class AverageAccumulator implements Accumulator {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #counts: Float64Array;
  /** 1 where `sums` holds the running mean. */
  readonly #running: Uint8Array;
  readonly #totals: HistogramTotals;

  constructor(steps: number, totals: HistogramTotals) {
    this.#sums = new Float64Array(steps);
    this.#compensations = new Float64Array(steps);
    this.#counts = new Float64Array(steps);
    this.#running = new Uint8Array(steps);
    this.#totals = totals;
  }

  add(block: StepBlock, at: number, metricName: () => string): void {
    const { values, present, histograms } = block;
    if (histograms) this.#totals.add(block, at, metricName);
    const counts = this.#counts;
    for (let step = 0; step < counts.length; step++) {
      if (present[at + step] === 0 || histograms?.[at + step]) continue;
      const value = values[at + step]!;
      const count = ++counts[step]!;
      if (count === 1) this.#sums[step] = value;
      else if (this.#running[step] === 1 || !this.#addDirect(step, value))
        this.#addRunning(step, value);
    }
  }

  /** False where the sum would overflow; the slot then holds a mean. */
  #addDirect(step: number, value: number): boolean {
    const sum = this.#sums[step]!;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) {
      const before = this.#counts[step]! - 1;
      this.#running[step] = 1;
      this.#sums[step] = sum / before;
      this.#compensations[step]! /= before;
      return false;
    }
    this.#sums[step] = total;
    this.#compensations[step]! +=
      Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    return true;
  }

  #addRunning(step: number, value: number): void {
    const count = this.#counts[step]!;
    const share = (count - 1) / count;
    const sum = share * this.#sums[step]!;
    const part = value / count;
    const total = sum + part;
    let compensation = share * this.#compensations[step]!;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) compensation = 0;
    else compensation += Math.abs(sum) >= Math.abs(part) ? sum - total + part : part - total + sum;
    this.#sums[step] = total;
    this.#compensations[step] = compensation;
  }

  finish(): Aggregate {
    const values = this.#sums;
    const present = new Uint8Array(values.length);
    for (let step = 0; step < values.length; step++) {
      const count = this.#counts[step]!;
      if (count === 0) continue;
      present[step] = 1;
      const divisor = this.#running[step] === 1 ? 1 : count;
      values[step] = values[step]! / divisor + this.#compensations[step]! / divisor;
    }
    return this.#totals.finish({ values, present, histograms: null });
  }
}
