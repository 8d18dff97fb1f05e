// How far a database has come with reading its logs at start: for its log lines, for warnings of queries that
// come meanwhile, and for the status page.

import type { Logger } from '../telemetry/logger.ts';

/** How often a line says how far the replay is. */
export const PROGRESS_INTERVAL_MS = 10_000;

/** Where a replay is; shaped after Prometheus' `/api/v1/status/walreplay`. */
export interface ReplayState {
  /** First and last segment to read. */
  readonly min: number;
  readonly max: number;
  /** The segment being read. */
  readonly current: number;
  readonly state: 'waiting' | 'in progress' | 'done';
}

/** Counts bytes read against bytes there are. */
export class ReplayProgress {
  readonly #logger: Logger;
  readonly #monotonic: () => number;
  #total = 0;
  #done = 0;
  #min = 0;
  #max = 0;
  #current = 0;
  #state: ReplayState['state'] = 'waiting';
  #toldAt = 0;

  constructor(logger: Logger, monotonic: () => number) {
    this.#logger = logger;
    this.#monotonic = monotonic;
  }

  /** Says what will be read. `bytes` counts everything: snapshot, log and out-of-order log. */
  begin(bytes: number, segments: { readonly min: number; readonly max: number }): void {
    this.#total = bytes;
    this.#done = 0;
    this.#min = segments.min;
    this.#max = segments.max;
    this.#current = segments.min;
    this.#state = 'in progress';
    this.#toldAt = this.#monotonic();
  }

  /** Says that so many more bytes were read, and tells the log from time to time. */
  advance(bytes: number): void {
    this.#done += bytes;
    const now = this.#monotonic();
    if (now - this.#toldAt < PROGRESS_INTERVAL_MS) return;
    this.#toldAt = now;
    this.#logger.info('the log is being replayed', {
      percent: this.percent,
      segment: this.#current,
      last: this.#max,
    });
  }

  /** Says which segment of the log comes next. */
  segment(index: number): void {
    this.#current = index;
  }

  /** Says that everything was read. */
  end(): void {
    this.#state = 'done';
    this.#current = this.#max;
  }

  /** Whole percents of the bytes, 100 only at the end. */
  get percent(): number {
    if (this.#state === 'done') return 100;
    return this.#total === 0 ? 0 : Math.min(99, Math.floor((this.#done / this.#total) * 100));
  }

  get state(): ReplayState {
    return { min: this.#min, max: this.#max, current: this.#current, state: this.#state };
  }
}
