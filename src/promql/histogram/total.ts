// The sum or mean of many native histograms.

import type { CounterResetHint, FloatHistogram } from '../../storage/histogram.ts';
import { HistogramSum, IncompatibleSchemas } from './sum.ts';

/** Takes histograms one after the other. The mean is the direct one until the sum would overflow. */
export class HistogramTotal {
  readonly #mean: boolean;
  #sum: HistogramSum | null = null;
  #count = 0;
  #running = false;
  readonly #hints = new Set<CounterResetHint>();
  /** True once exponential and custom buckets met; there is no answer then. */
  incompatible = false;
  /** True once custom bounds had to be brought together. */
  boundsReconciled = false;

  constructor(mean: boolean) {
    this.#mean = mean;
  }

  get empty(): boolean {
    return this.#sum === null;
  }

  /** True where some said that a counter was reset and others that it was not. */
  get resetCollision(): boolean {
    return this.#hints.has('reset') && this.#hints.has('not-reset');
  }

  /** False where the histogram does not go with the ones before; nothing is added any more then. */
  add(histogram: FloatHistogram): boolean {
    if (this.incompatible) return true;
    this.#hints.add(histogram.counterResetHint);
    this.#count++;
    if (this.#sum === null) {
      this.#sum = new HistogramSum(histogram);
      return true;
    }
    try {
      if (this.#mean) this.#addToMean(this.#sum, histogram);
      else this.#note(this.#sum.add(histogram));
      return true;
    } catch (thrown) {
      if (!(thrown instanceof IncompatibleSchemas)) throw thrown;
      this.incompatible = true;
      return false;
    }
  }

  /** The sum or the mean; null where there is none. */
  get value(): FloatHistogram | null {
    if (this.#sum === null || this.incompatible) return null;
    if (!this.#mean || this.#running) return this.#sum.value;
    return this.#sum.clone().divide(this.#count).value;
  }

  #note(outcome: { readonly boundsReconciled: boolean }): void {
    if (outcome.boundsReconciled) this.boundsReconciled = true;
  }

  #addToMean(sum: HistogramSum, histogram: FloatHistogram): void {
    const count = this.#count;
    if (!this.#running) {
      const tried = sum.clone();
      this.#note(tried.add(histogram));
      if (!tried.overflows) {
        this.#sum = tried;
        return;
      }
      this.#running = true;
      sum.divide(count - 1);
    }
    sum.scale((count - 1) / count);
    this.#note(sum.add(new HistogramSum(histogram).divide(count).value));
  }
}
