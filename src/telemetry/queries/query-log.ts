// The query log: a JSON line for each query, in the fields Prometheus gives its own, so that tools that read
// the one read the other. Bounded: a file that has grown to its limit becomes `<path>.1` in place of the one
// that was there.

import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { Logger } from '../logger.ts';
import type { Counter, Registry } from '../metrics.ts';

/** Size at which a log file is put aside. */
export const QUERY_LOG_BYTES_MAX = 128 * 1024 * 1024;
/** Longest text of a query that a line repeats. */
const TEXT_MAX = 16 * 1024;

export interface QueryLogOptions {
  readonly now: () => number;
  readonly logger: Logger;
  /** Counts lines that could not be written. */
  readonly lost: Counter;
  readonly bytesMax?: number;
}

/** What a line says. Times in Unix ms, durations in ms. */
export interface QueryLine {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly stats: {
    readonly queueMs: number;
    readonly prepareMs: number;
    readonly evalMs: number;
    readonly samplesRead: number;
    readonly peakSamples: number;
    readonly seriesRead: number;
    readonly peakBytes: number;
  } | null;
  readonly error: string | null;
  readonly origin: { readonly fields?: Readonly<Record<string, unknown>> } | undefined;
}

/** Counts lines that were not written. A registry serves one log. */
export function registerQueryLogMetrics(registry: Registry): Counter {
  return registry.counter({
    name: 'outpost_promql_query_log_lost_total',
    help: 'Lines of the query log that could not be written.',
  });
}

/** An open query log. */
export class QueryLogFile {
  readonly #path: string;
  readonly #options: QueryLogOptions;
  #fd: number;
  #size: number;
  #failing = false;

  /** Opens or makes the file; lines are added. Throws `unavailable`. */
  constructor(path: string, options: QueryLogOptions) {
    this.#path = path;
    this.#options = options;
    try {
      this.#fd = openSync(path, 'a', 0o640);
      this.#size = fstatSync(this.#fd).size;
    } catch (cause) {
      throw new OutpostError('unavailable', `open the query log: ${path}: ${cause}`, { cause });
    }
  }

  /** Adds a line. Never throws: what cannot be written is counted, and told once. */
  add(line: QueryLine): void {
    const bytes = Buffer.from(`${lineText(line, this.#options.now())}\n`);
    try {
      const bytesMax = this.#options.bytesMax ?? QUERY_LOG_BYTES_MAX;
      if (this.#size > 0 && this.#size + bytes.length > bytesMax) this.#putAside();
      writeSync(this.#fd, bytes);
      this.#size += bytes.length;
      this.#failing = false;
    } catch (error) {
      this.#options.lost.inc();
      if (!this.#failing) {
        const fields = { path: this.#path, err: String(error) };
        this.#options.logger.warn('the query log cannot be written', fields);
      }
      this.#failing = true;
    }
  }

  /** Opens the path again, for those who move log files away. */
  reopen(): void {
    try {
      const fd = openSync(this.#path, 'a', 0o640);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#size = fstatSync(fd).size;
    } catch (error) {
      const fields = { path: this.#path, err: String(error) };
      this.#options.logger.warn('the query log cannot be opened again', fields);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #putAside(): void {
    renameSync(this.#path, `${this.#path}.1`);
    this.reopen();
  }
}

function lineText(line: QueryLine, now: number): string {
  const { text, startMs, endMs, stepMs, stats, error, origin } = line;
  return JSON.stringify({
    time: new Date(now).toISOString(),
    level: 'INFO',
    msg: 'promql query logged',
    params: {
      query: text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text,
      start: timeText(startMs),
      end: timeText(endMs),
      step: stepMs / 1000,
    },
    ...(stats && { stats: statsOf(stats) }),
    ...(error !== null && { error }),
    ...origin?.fields,
  });
}

function timeText(ms: number): string | number {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? ms / 1000 : date.toISOString();
}

function statsOf(stats: NonNullable<QueryLine['stats']>): unknown {
  const { queueMs, prepareMs, evalMs } = stats;
  return {
    timings: {
      evalTotalTime: (prepareMs + evalMs) / 1000,
      queryPreparationTime: prepareMs / 1000,
      innerEvalTime: evalMs / 1000,
      execQueueTime: queueMs / 1000,
      execTotalTime: (queueMs + prepareMs + evalMs) / 1000,
    },
    samples: { totalQueryableSamples: stats.samplesRead, peakSamples: stats.peakSamples },
    series: stats.seriesRead,
    peakBytes: stats.peakBytes,
  };
}
