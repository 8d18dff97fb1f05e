// Bounds how many remote reads are worked on at a time, streams to their end included; others wait in order,
// a bounded number of them.

import { OutpostError } from '../lifecycle/errors.ts';

const WAITING_MAX = 1000;

/** Places that are taken and given back. */
export class ReadGate {
  readonly #places: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Those that run or wait. */
  get length(): number {
    return this.#running + this.#waiting.length;
  }

  /** Resolves with a place; `leave` must follow. Rejects when the signal aborts, or `unavailable`. */
  enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(OutpostError.from(signal.reason));
    if (this.#running < this.#places) {
      this.#running++;
      return Promise.resolve();
    }
    if (this.#waiting.length >= WAITING_MAX) {
      const text = `wait for a remote read to end: ${WAITING_MAX} wait already; ask again later`;
      return Promise.reject(new OutpostError('unavailable', text));
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        reject(OutpostError.from(signal.reason));
      };
      this.#waiting.push(admit);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hands the place on. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}
