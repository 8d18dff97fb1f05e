// Bounds how many calls run at the same time; the others wait their turn.

import { OutpostError } from '../lifecycle/errors.ts';

/** A number of places and a bounded queue before them. */
export class Gate {
  readonly #places: number;
  readonly #queueMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(places: number, queueMax: number) {
    this.#places = places;
    this.#queueMax = queueMax;
  }

  /** Calls that wait now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` once there is a place. Rejects with `limit-exceeded` where the queue is full. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#places) await this.#wait(signal);
    else this.#running++;
    try {
      return await work();
    } finally {
      // The place is handed on, so nobody can slip in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#queueMax) {
      throw new OutpostError(
        'limit-exceeded',
        `wait for a free place: ${this.#places} calls run and ${this.#queueMax} wait; ask again later`,
      );
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(OutpostError.from(signal.reason));
      };
      this.#waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
