// What a query may take, with defaults that are safe for a host that also collects. Every refusal names the
// limit, its value and the flag that changes it, and has a reason by which refusals are counted.

import { formatDuration, formatSize } from '../../encoding/units.ts';
import { type ErrorCode, OutpostError } from '../../lifecycle/errors.ts';

/** Limits of one engine. Counts and bytes are positive, durations in ms. */
export interface QueryLimits {
  /** Most samples one query holds at a time. */
  readonly samplesMax: number;
  /** Most series one query reads, over all its selectors. */
  readonly seriesMax: number;
  /** Most bytes one query holds: columns, label sets, what it received, its result. */
  readonly bytesMax: number;
  /** Most bytes that all queries hold together. */
  readonly bytesTotalMax: number;
  /** Most bytes that stores elsewhere send for one query. */
  readonly receivedMax: number;
  /** Longest text of a query, in characters. */
  readonly lengthMax: number;
  readonly timeoutMs: number;
  /** Queries evaluated at a time; further ones wait. */
  readonly concurrencyMax: number;
  /** Queries that may wait. */
  readonly waitingMax: number;
  /** Longest wait for a place. */
  readonly waitMs: number;
}

const MIB = 1024 * 1024;

/** The defaults; those that Prometheus has too are its. */
export const QUERY_LIMITS: QueryLimits = {
  samplesMax: 50_000_000,
  seriesMax: 2_000_000,
  bytesMax: 512 * MIB,
  bytesTotalMax: 1024 * MIB,
  receivedMax: 2048 * MIB,
  lengthMax: MIB,
  timeoutMs: 120_000,
  concurrencyMax: 20,
  waitingMax: 1000,
  waitMs: 30_000,
};

/** Why a query was refused or stopped; the label of the counter. */
export type Refusal =
  | 'samples'
  | 'series'
  | 'memory'
  | 'memory_total'
  | 'received'
  | 'length'
  | 'timeout'
  | 'canceled'
  | 'waiting'
  | 'wait_time';

/** An error of a limit. */
export class LimitError extends OutpostError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, code: ErrorCode, message: string) {
    super(code, message);
    this.refusal = refusal;
  }
}

/** The error of each limit that a running query can reach. */
export function limitReached(
  refusal: 'samples' | 'series' | 'memory' | 'memory_total' | 'received',
  limits: QueryLimits,
): LimitError {
  switch (refusal) {
    case 'samples':
      return new LimitError(
        refusal,
        'limit-exceeded',
        `query processing would load too many samples into memory in query execution: the limit is ${limits.samplesMax}, set by --query.max-samples`,
      );
    case 'series':
      return new LimitError(
        refusal,
        'limit-exceeded',
        `query processing would read too many series in query execution: the limit is ${limits.seriesMax}, set by --query.max-series`,
      );
    case 'memory':
      return new LimitError(
        refusal,
        'limit-exceeded',
        `query processing would hold too much memory in query execution: the limit is ${formatSize(limits.bytesMax)}, set by --query.max-memory`,
      );
    case 'received':
      return new LimitError(
        refusal,
        'limit-exceeded',
        `query processing would receive too much from stores: the limit is ${formatSize(limits.receivedMax)}, set by --query.max-received`,
      );
    case 'memory_total':
      return new LimitError(
        refusal,
        'unavailable',
        `query processing was stopped because all running queries together would hold too much memory: the limit is ${formatSize(limits.bytesTotalMax)}, set by --query.max-memory-total; try again later`,
      );
  }
}

/** The error of a query whose time is up; `place` is where it was. */
export function timedOut(place: 'query queue' | 'expression evaluation', ms: number): LimitError {
  const text = `query timed out in ${place}: the limit is ${formatDuration(ms)}, set by --query.timeout or the timeout parameter`;
  return new LimitError('timeout', 'timeout', text);
}

/** The error of a query whose caller has gone. */
export function canceledIn(place: 'query queue' | 'expression evaluation'): LimitError {
  return new LimitError('canceled', 'canceled', `query was canceled in ${place}`);
}

/** Refuses a text that is too long. Throws `bad-data`. */
export function checkLength(text: string, { lengthMax }: QueryLimits): void {
  if (text.length <= lengthMax) return;
  throw new LimitError(
    'length',
    'bad-data',
    `the query is ${text.length} characters long: the limit is ${lengthMax}, set by --query.max-length`,
  );
}
