// A host without a feature is the usual case, so to find that out again costs next to nothing: no open that
// fails, and the same error object each time.

import { existsSync } from 'node:fs';
import { NoDataError } from '../sdk/collector.ts';
import { Cadence } from './cadence.ts';

const RECHECK_MS = 10_000;

/** Returns whether something is at `path`, found out anew every ten seconds of collection time. */
export function newPresence(path: string): (time: number) => boolean {
  const cadence = new Cadence(RECHECK_MS);
  let present = false;
  return time => {
    if (cadence.due(time)) present = existsSync(path);
    return present;
  };
}

/** Returns a check that throws NoDataError with `reason` while nothing is at `path`. */
export function requirePath(path: string, reason: string): (time: number) => void {
  const absent = new NoDataError(`${reason}: no ${path}`);
  const isPresent = newPresence(path);
  return time => {
    if (!isPresent(time)) throw absent;
  };
}
