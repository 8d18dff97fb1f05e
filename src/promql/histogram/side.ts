// The buckets of one sign as sorted indices with compensated counts beside them.

import type { BucketSpan } from '../../storage/histogram.ts';
import { spanIndices } from './buckets.ts';

/** Buckets in ascending order of index; counts carry Neumaier compensations. */
export class Side {
  #indices: number[];
  #counts: number[];
  #compensations: number[];

  private constructor(indices: number[], counts: number[]) {
    this.#indices = indices;
    this.#counts = counts;
    this.#compensations = new Array(indices.length).fill(0);
  }

  static from(spans: readonly BucketSpan[], buckets: Float64Array): Side {
    return new Side(spanIndices(spans), Array.from(buckets));
  }

  get size(): number {
    return this.#indices.length;
  }

  indexAt(position: number): number {
    return this.#indices[position]!;
  }

  countAt(position: number): number {
    return this.#counts[position]! + this.#compensations[position]!;
  }

  /** Adds `sign` times another side's buckets. */
  add(other: Side, sign: 1 | -1): void {
    const indices: number[] = [];
    const counts: number[] = [];
    const compensations: number[] = [];
    let i = 0;
    let j = 0;
    while (i < this.size || j < other.size) {
      const a = this.#indices[i] ?? Number.POSITIVE_INFINITY;
      const b = other.#indices[j] ?? Number.POSITIVE_INFINITY;
      indices.push(Math.min(a, b));
      counts.push(a <= b ? this.#counts[i]! : 0);
      compensations.push(a <= b ? this.#compensations[i]! : 0);
      if (a <= b) i++;
      if (b > a) continue;
      addAt(counts, compensations, sign * other.countAt(j++));
    }
    this.#indices = indices;
    this.#counts = counts;
    this.#compensations = compensations;
  }

  /** Gives every bucket the index that `target` says; buckets that meet are added up. */
  remap(target: (index: number) => number): void {
    const indices: number[] = [];
    const counts: number[] = [];
    const compensations: number[] = [];
    for (let i = 0; i < this.size; i++) {
      const index = target(this.#indices[i]!);
      if (indices.at(-1) === index) {
        addAt(counts, compensations, this.#counts[i]!);
        addAt(counts, compensations, this.#compensations[i]!);
        continue;
      }
      indices.push(index);
      counts.push(this.#counts[i]!);
      compensations.push(this.#compensations[i]!);
    }
    this.#indices = indices;
    this.#counts = counts;
    this.#compensations = compensations;
  }

  /** Removes the first buckets. */
  dropFirst(count: number): void {
    this.#indices.splice(0, count);
    this.#counts.splice(0, count);
    this.#compensations.splice(0, count);
  }

  scale(factor: number): void {
    for (let i = 0; i < this.size; i++) {
      this.#counts[i]! *= factor;
      this.#compensations[i]! *= factor;
    }
  }

  divide(divisor: number): void {
    for (let i = 0; i < this.size; i++) {
      this.#counts[i]! /= divisor;
      this.#compensations[i]! /= divisor;
    }
  }

  clone(): Side {
    const copy = new Side([...this.#indices], [...this.#counts]);
    copy.#compensations = [...this.#compensations];
    return copy;
  }

  clear(): void {
    this.dropFirst(this.size);
  }

  get overflows(): boolean {
    return this.#counts.some(isInfinite);
  }

  /** Spans and counts of the buckets that are not empty. */
  compact(): { spans: BucketSpan[]; buckets: Float64Array } {
    const spans: { offset: number; length: number }[] = [];
    const buckets: number[] = [];
    let next = 0;
    for (let i = 0; i < this.size; i++) {
      const count = this.countAt(i);
      if (count === 0) continue;
      const index = this.#indices[i]!;
      const last = spans.at(-1);
      if (last && index === next) last.length++;
      else spans.push({ offset: index - next, length: 1 });
      next = index + 1;
      buckets.push(count);
    }
    return { spans, buckets: Float64Array.from(buckets) };
  }
}

/** True for either infinity. */
export function isInfinite(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

/** Adds a value to the last slot. */
function addAt(counts: number[], compensations: number[], value: number): void {
  const last = counts.length - 1;
  const sum = counts[last]!;
  const total = sum + value;
  if (isInfinite(total)) compensations[last] = 0;
  else {
    compensations[last]! +=
      Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
  }
  counts[last] = total;
}
