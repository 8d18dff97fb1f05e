// Waiting, for sources of events and other things that run for long.

import { type Clock, sleep } from '../../src/lifecycle/clock.ts';

/** Resolves after `ms`; rejects when the context's signal aborts. */
export function wait(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ms: number,
): Promise<void> {
  return sleep(clock, ms, signal);
}
