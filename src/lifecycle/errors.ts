// The one error type of the system. Three kinds of trouble get three treatments: a bug is an assertion
// and ends the process; a user's or operator's mistake carries a sentence and the fix; weather (a
// timeout, a full disk, a peer that is down) is retried only where that is written.

/** Stable codes; each protocol maps them to its own statuses in exactly one function. */
export type ErrorCode =
  | 'bad-data' // the caller's input is wrong: syntax, labels, parameters
  | 'out-of-order' // a sample is older than the series' newest
  | 'out-of-bounds' // a sample lies outside the time range that can still be written
  | 'duplicate-sample' // same time, other value
  | 'not-found'
  | 'execution' // the query is well formed and cannot be evaluated
  | 'limit-exceeded'
  | 'canceled'
  | 'timeout'
  | 'unavailable' // not ready, disk full, peer down: worth trying again
  | 'corrupt' // stored bytes are not what was written
  | 'locked' // another process owns the directory
  | 'internal';

/** An error with a stable code. Text: lower case, what was being attempted, variable parts last. */
export class OutpostError extends Error {
  override readonly name: string = 'OutpostError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Normalises anything caught; an AbortError becomes canceled, a TimeoutError timeout. */
  static from(thrown: unknown): OutpostError {
    if (thrown instanceof OutpostError) return thrown;
    if (!(thrown instanceof Error)) return new OutpostError('internal', String(thrown));
    const code =
      thrown.name === 'AbortError'
        ? 'canceled'
        : thrown.name === 'TimeoutError'
          ? 'timeout'
          : 'internal';
    return new OutpostError(code, thrown.message, { cause: thrown });
  }
}

/** Ends the process's work loudly on a programmer's error; always runs. */
export function assert(condition: unknown, text: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${text}`);
}
