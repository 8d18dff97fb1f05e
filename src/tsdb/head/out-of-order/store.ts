// Samples older than their series' newest, until they are in blocks. They live in generations: new ones go
// to the newest, and a cut seals what there is, writes it to blocks and drops it whole. What was dropped last
// is kept for a while longer, so that repetitions of it are still told from new samples.

import { Generation } from './generation.ts';
import { Held, type LateValues } from './held.ts';

/** Beyond this many bytes nothing is taken until blocks have been cut. */
export const OUT_OF_ORDER_BYTES_MAX: number = 1024 * 1024 * 1024;

/** The out-of-order samples of a head. */
export class OutOfOrderStore {
  readonly #rangeMs: number;
  #oldest: Generation;
  #newest: Generation;
  /** In blocks already; only compared with. */
  #dropped: readonly Generation[] = [];

  /** `rangeMs` is the range of blocks. */
  constructor(rangeMs: number) {
    this.#rangeMs = rangeMs;
    this.#oldest = new Generation(rangeMs);
    this.#newest = this.#oldest;
  }

  /**
   * The oldest generation. A reader that keeps it sees, through `next`, all samples from then on, even
   * those that have meanwhile gone to blocks.
   */
  get oldest(): Generation {
    return this.#oldest;
  }

  get samples(): number {
    return this.#sum(generation => generation.samples);
  }

  /** Bytes of memory that samples take which are not in blocks, about. */
  get bytes(): number {
    return this.#sum(generation => generation.bytes);
  }

  /** Bytes of memory held, about. */
  get bytesHeld(): number {
    return this.#dropped.reduce((sum, generation) => sum + generation.bytes, this.bytes);
  }

  /** Unix ms of the oldest sample, Infinity while there is none. */
  get minTime(): number {
    let time = Number.POSITIVE_INFINITY;
    for (const one of generationsFrom(this.#oldest)) time = Math.min(time, one.minTime);
    return time;
  }

  /** Unix ms of the newest sample, −Infinity while there is none. */
  get maxTime(): number {
    let time = Number.NEGATIVE_INFINITY;
    for (const one of generationsFrom(this.#oldest)) time = Math.max(time, one.maxTime);
    return time;
  }

  has(ref: number): boolean {
    for (let one: Generation | null = this.#oldest; one; one = one.next)
      if (one.has(ref)) return true;
    return false;
  }

  /** Whether the series' samples reach into minTime…maxTime. */
  overlaps(ref: number, minTime: number, maxTime: number): boolean {
    for (let one: Generation | null = this.#oldest; one; one = one.next) {
      if (one.overlaps(ref, minTime, maxTime)) return true;
    }
    return false;
  }

  /** Range of the series' samples; Infinity to −Infinity where it has none. */
  rangeOf(ref: number): { readonly minTime: number; readonly maxTime: number } {
    let minTime = Number.POSITIVE_INFINITY;
    let maxTime = Number.NEGATIVE_INFINITY;
    for (const one of generationsFrom(this.#oldest)) {
      minTime = Math.min(minTime, one.minTimeOf(ref));
      maxTime = Math.max(maxTime, one.maxTimeOf(ref));
    }
    return { minTime, maxTime };
  }

  /**
   * Compares sample `index` of `late` with what the series holds at that time, or held a while ago: one of
   * `Held`.
   */
  compare(ref: number, time: number, late: LateValues, index: number): number {
    for (const one of this.#dropped) {
      const held = one.compare(ref, time, late, index);
      if (held !== Held.nothing) return held;
    }
    for (let one: Generation | null = this.#oldest; one; one = one.next) {
      const held = one.compare(ref, time, late, index);
      if (held !== Held.nothing) return held;
    }
    return Held.nothing;
  }

  /** Adds a sample at whose time `compare` finds nothing. */
  insert(ref: number, time: number, late: LateValues, index: number): void {
    this.#newest.insert(ref, time, late, index);
  }

  /** Lets new samples go to a fresh generation; returns those that hold what there is, oldest first. */
  seal(): readonly Generation[] {
    const sealed = [...generationsFrom(this.#oldest)];
    this.#newest.next = new Generation(this.#rangeMs);
    this.#newest = this.#newest.next;
    return sealed;
  }

  /** Says that sealed generations are in blocks; they are the oldest ones. */
  drop(sealed: readonly Generation[]): void {
    const next = sealed.at(-1)?.next;
    if (next) this.#oldest = next;
    this.#dropped = sealed.filter(generation => generation.samples > 0);
  }

  /** Says that no sample before `time` is taken any more. */
  forgetBefore(time: number): void {
    this.#dropped = this.#dropped.filter(generation => generation.maxTime >= time);
  }

  #sum(value: (generation: Generation) => number): number {
    let sum = 0;
    for (const one of generationsFrom(this.#oldest)) sum += value(one);
    return sum;
  }
}

/** A generation and those after it. */
export function* generationsFrom(first: Generation): Generator<Generation> {
  for (let one: Generation | null = first; one; one = one.next) yield one;
}
