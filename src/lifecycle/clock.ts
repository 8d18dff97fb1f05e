// Time as a parameter. Everything that waits or stamps takes a Clock, so that tests own the time.

/** Wall time, monotonic time and timers. */
export interface Clock {
  /** Unix time in ms. May step. */
  now(): number;
  /** Milliseconds since an arbitrary start; never steps. */
  monotonic(): number;
  /** Runs `fire` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, fire: () => void): () => void;
}

/** The host's clock. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(signal!.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A clock that stands still until `advance` moves it and fires what is due, in order. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;
  #timers: { due: number; fire: () => void }[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { due: this.#monotonic + delayMs, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  }

  /** Moves time forward and fires the timers that fall due, earliest first. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (;;) {
      const due = this.#timers.filter(t => t.due <= end).sort((a, b) => a.due - b.due)[0];
      if (!due) break;
      this.#timers = this.#timers.filter(other => other !== due);
      this.#step(Math.max(due.due, this.#monotonic));
      due.fire();
    }
    this.#step(end);
  }

  /** Steps the wall clock alone, as an operator or NTP would. */
  stepWall(now: number): void {
    this.#now = now;
  }

  #step(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}
