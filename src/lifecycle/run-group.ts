// A process is a group of actors; the first to return stops all the others (the idea is oklog/run's).

import type { Logger } from '../telemetry/logger.ts';

/** One long-running part. `run` resolves when `signal` aborts, or earlier when the part is done. */
export interface Actor {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** A promise that resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/**
 * Runs the actors until one returns or throws, or `outer` aborts; then stops them in reverse order, each
 * one waiting for those started after it. Rethrows the first error.
 */
export async function runGroup(
  actors: readonly Actor[],
  outer: AbortSignal,
  logger: Logger,
): Promise<void> {
  const started = actors.map(actor => {
    const stop = new AbortController();
    return { actor, stop, done: actor.run(stop.signal) };
  });
  let failure: unknown;
  const first = started.map(({ actor, done }) =>
    done.then(
      () => logger.debug('actor returned', { actor: actor.name }),
      error => {
        failure ??= error;
        logger.error('actor stopped with an error', { actor: actor.name, err: String(error) });
      },
    ),
  );
  await Promise.race([...first, aborted(outer)]);
  for (const { stop, done } of started.reverse()) {
    stop.abort(new DOMException('stopping', 'AbortError'));
    await done.catch(() => {}); // already recorded above
  }
  if (failure !== undefined) throw failure;
}
