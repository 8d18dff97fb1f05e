// Limits how many queries run at a time; the others wait in order.

import { OutpostError } from '../lifecycle/errors.ts';

/** A counting gate. */
export class Gate {
  readonly #limit: number;
  #running = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when there is room; `leave` must follow. Rejects when the signal aborts first. */
  enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(OutpostError.from(signal.reason));
    if (this.#running < this.#limit) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter(other => other !== admit);
        reject(OutpostError.from(signal.reason));
      };
      this.#waiting.push(admit);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Passes the place on to the next in line. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}
