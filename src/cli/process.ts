// What every mode's process has: a logger, a registry, a clock, signals that end it, and an exit code.

import { type Clock, systemClock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { type Actor, runGroup } from '../lifecycle/run-group.ts';
import { type LogFormat, type Logger, type LogLevel, newLogger } from '../telemetry/logger.ts';
import { Registry } from '../telemetry/metrics.ts';
import { registerProcessMetrics } from '../telemetry/process-metrics.ts';
import { packageVersion } from './version.ts';

/** What a mode is given to build its parts with. */
export interface ProcessContext {
  readonly logger: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: () => number;
  /** Unix ms. */
  readonly startTime: number;
  /** Flags as a user writes them, for the status page. */
  readonly shownFlags?: Readonly<Record<string, string>>;
  /** Aborts on SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Flags every mode has, as commander names them. */
export interface CommonFlags {
  readonly 'log.level': LogLevel;
  readonly 'log.format': LogFormat;
}

/** Exit codes: 0 ended as asked, 1 a failure, 2 wrong usage or configuration. */
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/**
 * Builds a mode's actors and runs them until a signal or the first one ends. A second signal ends the
 * process at once. Never throws: failures are printed as one sentence and set the exit code.
 */
export async function runProcess(
  mode: string,
  flags: CommonFlags,
  build: (context: ProcessContext) => Promise<readonly Actor[]>,
): Promise<void> {
  const stop = new AbortController();
  const context: ProcessContext = {
    logger: newLogger({
      level: flags['log.level'],
      format: flags['log.format'],
      write: line => process.stderr.write(`${line}\n`),
      now: systemClock.now,
    }),
    registry: new Registry(),
    clock: systemClock,
    random: Math.random,
    startTime: systemClock.now(),
    signal: stop.signal,
  };
  onSignals(stop, context.logger);
  const stopMeasuring = registerProcessMetrics(
    context.registry,
    packageVersion(),
    context.startTime,
  );
  // Timers do not keep the process alive; this does until the actors have ended.
  const keepAlive = setInterval(() => {}, 60_000);
  try {
    await runGroup(await build(context), stop.signal, context.logger);
  } catch (error) {
    process.exitCode = report(mode, error);
  } finally {
    stopMeasuring();
    clearInterval(keepAlive);
  }
}

function onSignals(stop: AbortController, logger: Logger): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
    logger.info('stopping; a second signal ends the process at once', { signal });
    stop.abort(new DOMException(`received ${signal}`, 'AbortError'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const onCrash = (kind: string) => (error: unknown) => {
    const stack = error instanceof Error ? error.stack : String(error);
    logger.error(`${kind}; this is a bug, please report it`, { err: stack });
    process.exit(EXIT_FAILURE);
  };
  process.on('uncaughtException', onCrash('uncaught exception'));
  process.on('unhandledRejection', onCrash('unhandled rejection'));
}

/** Prints the sentence a user can act on; bugs with their stack. Returns the exit code. */
function report(mode: string, thrown: unknown): number {
  const error = OutpostError.from(thrown);
  if (error.code === 'canceled') return 0;
  const detail =
    error.code === 'internal' && thrown instanceof Error ? thrown.stack : error.message;
  process.stderr.write(`outpost ${mode}: ${detail}\n`);
  return error.code === 'bad-data' ? EXIT_USAGE : EXIT_FAILURE;
}
