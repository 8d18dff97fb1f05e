// Keeps the event loop responsive: long synchronous work calls `pause` between its parts, which gives way
// once the slice is used up.

import { OutpostError } from './errors.ts';

/**
 * Longest stretch of work without giving way, in ms. Two may stand in one turn of the event loop: behind
 * the callback of a read comes what was put off at its end.
 */
export const SLICE_MS = 5;

/** One long job's share of the event loop. */
export class Slicer {
  readonly #sliceMs: number;
  readonly #monotonic: () => number;
  readonly #signal: AbortSignal | undefined;
  #started: number;

  constructor(monotonic: () => number, signal?: AbortSignal, sliceMs: number = SLICE_MS) {
    this.#sliceMs = sliceMs;
    this.#monotonic = monotonic;
    this.#signal = signal;
    this.#started = monotonic();
  }

  /** True when the slice is used up and the caller should await `pause`. */
  get due(): boolean {
    return this.#monotonic() - this.#started >= this.#sliceMs;
  }

  /** Gives way to timers and I/O; throws `canceled` or `timeout` when the job's signal has aborted. */
  async pause(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve));
    this.#started = this.#monotonic();
    if (this.#signal?.aborted) throw OutpostError.from(this.#signal.reason);
  }
}
