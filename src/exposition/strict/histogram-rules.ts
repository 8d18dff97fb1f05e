// What the buckets, sum and count of one histogram of OpenMetrics must be to each other.

import type { SampleLine } from './openmetrics-line.ts';

/** Checks the samples of one metric at one time, in their order. */
export class HistogramRules {
  #bound: number | null = null;
  #total = 0;
  #count: number | null = null;
  #hasSum = false;
  #hasGaugeSum = false;
  #hasNegativeBound = false;
  #hasNegativeGaugeSum = false;

  /** The sentence that says what is wrong with a sample after those before, or null. */
  add(suffix: string, { labels, value }: SampleLine): string | null {
    if (suffix === '_bucket') return this.#bucket(Number(bound(labels.get('le') ?? '')), value);
    if (suffix === '_count' || suffix === '_gcount') this.#count = value;
    else if (suffix === '_sum') this.#hasSum = true;
    else if (suffix === '_gsum') {
      this.#hasGaugeSum = true;
      this.#hasNegativeGaugeSum = value < 0;
    }
    return null;
  }

  /** The sentence that says what is wrong with the whole, or null. */
  end(): string | null {
    if (this.#bound !== Number.POSITIVE_INFINITY) return 'the bucket with le="+Inf" is missing';
    if (this.#count !== null && this.#count !== this.#total) {
      return `the count is ${this.#count}, the bucket with le="+Inf" ${this.#total}`;
    }
    const hasSum = this.#hasSum || this.#hasGaugeSum;
    if (hasSum !== (this.#count !== null)) return 'a sum needs a count, and a count a sum';
    if (this.#hasNegativeBound && this.#hasSum) return 'a sum beside buckets below 0';
    if (!this.#hasNegativeBound && this.#hasNegativeGaugeSum) {
      return 'a sum below 0 without buckets below 0';
    }
    return null;
  }

  #bucket(le: number, value: number): string | null {
    if (Number.isNaN(le)) return 'a bucket without a bound';
    if (le < 0) this.#hasNegativeBound = true;
    if (this.#bound !== null && le <= this.#bound) return 'buckets are out of order';
    if (value < this.#total) return 'a bucket has less than the one before';
    this.#bound = le;
    this.#total = value;
    return null;
  }
}

function bound(text: string): string {
  if (text === '') return 'none';
  return text.replace(/^([+-]?)Inf$/, '$1Infinity');
}
