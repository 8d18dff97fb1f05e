// Limits how many queries run at a time. The others wait, a bounded number for a bounded time, and places go
// to the source that has the fewest: one dashboard with many panels does not keep others from theirs.

import { formatDuration } from '../encoding/units.ts';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { LimitError, type QueryLimits } from './limits/query-limits.ts';

export interface GateOptions extends Pick<QueryLimits, 'concurrencyMax' | 'waitingMax' | 'waitMs'> {
  readonly clock: Clock;
}

interface Waiter {
  admit(): void;
  refuse(error: OutpostError): void;
}

/** Those who ask in the same name. Kept while any of them runs or waits. */
interface Source {
  running: number;
  /** When it got its last place: a count of admissions. */
  admitted: number;
  readonly waiting: Waiter[];
}

/** A counting gate, fair between sources. */
export class Gate {
  readonly #options: GateOptions;
  readonly #sources = new Map<string, Source>();
  #running = 0;
  #waiting = 0;
  #admissions = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Resolves when there is room; `leave` with the same source must follow. Rejects with the signal's reason
   * when it aborts first, `timeout` after the longest wait, `unavailable` where too many wait.
   */
  enter(signal: AbortSignal, sourceName = ''): Promise<void> {
    if (signal.aborted) return Promise.reject(OutpostError.from(signal.reason));
    const source = this.#source(sourceName);
    if (this.#running < this.#options.concurrencyMax) {
      this.#admit(source);
      return Promise.resolve();
    }
    if (this.#waiting >= this.#options.waitingMax && !this.#makeRoom(source)) {
      this.#forget(sourceName, source);
      return Promise.reject(this.#full());
    }
    return this.#wait(signal, source, sourceName);
  }

  /** Gives the place to the next in line. */
  leave(sourceName = ''): void {
    const source = this.#source(sourceName);
    source.running--;
    this.#running--;
    this.#forget(sourceName, source);
    const next = this.#next();
    if (!next) return;
    this.#admit(next);
    this.#waiting--;
    next.waiting.shift()!.admit();
  }

  #wait(signal: AbortSignal, source: Source, sourceName: string): Promise<void> {
    const { clock, waitMs } = this.#options;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        signal.removeEventListener('abort', onAbort);
        cancelTimer();
      };
      const waiter: Waiter = {
        admit() {
          settle();
          resolve();
        },
        refuse(error) {
          settle();
          reject(error);
        },
      };
      const giveUp = (error: OutpostError): void => {
        source.waiting.splice(source.waiting.indexOf(waiter), 1);
        this.#waiting--;
        this.#forget(sourceName, source);
        waiter.refuse(error);
      };
      const onAbort = (): void => giveUp(OutpostError.from(signal.reason));
      const cancelTimer = clock.after(waitMs, () => giveUp(waitedTooLong(waitMs)));
      signal.addEventListener('abort', onAbort, { once: true });
      source.waiting.push(waiter);
      this.#waiting++;
    });
  }

  #source(name: string): Source {
    let source = this.#sources.get(name);
    if (!source) {
      source = { running: 0, admitted: 0, waiting: [] };
      this.#sources.set(name, source);
    }
    return source;
  }

  #forget(name: string, source: Source): void {
    if (source.running === 0 && source.waiting.length === 0) this.#sources.delete(name);
  }

  #admit(source: Source): void {
    source.running++;
    source.admitted = ++this.#admissions;
    this.#running++;
  }

  /** Of those that wait the source with the fewest running, then the one served longest ago. */
  #next(): Source | null {
    let best: Source | null = null;
    for (const source of this.#sources.values()) {
      if (source.waiting.length === 0) continue;
      const fewer = best === null ? -1 : source.running - best.running;
      if (best === null || fewer < 0 || (fewer === 0 && source.admitted < best.admitted)) {
        best = source;
      }
    }
    return best;
  }

  /** Turns away the last of the source with the longest line, unless that is the newcomer's own. */
  #makeRoom(newcomer: Source): boolean {
    let longest = newcomer;
    for (const source of this.#sources.values()) {
      if (source.waiting.length > longest.waiting.length) longest = source;
    }
    if (longest.waiting.length <= newcomer.waiting.length + 1) return false;
    this.#waiting--;
    longest.waiting.pop()!.refuse(this.#full());
    return true;
  }

  #full(): LimitError {
    const { waitingMax } = this.#options;
    return new LimitError(
      'waiting',
      'unavailable',
      `too many queries wait for a place: the limit is ${waitingMax}, set by --query.max-waiting; try again later`,
    );
  }
}

function waitedTooLong(ms: number): LimitError {
  return new LimitError(
    'wait_time',
    'timeout',
    `query timed out in query queue: no place within ${formatDuration(ms)}, set by --query.max-wait`,
  );
}
