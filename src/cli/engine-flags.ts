// Flags of the query engine, which agent and querier share.

import type { Command } from 'commander';
import type { EngineOptions } from '../promql/engine.ts';
import { countFlag, positiveDurationFlag } from './flags.ts';

/** As commander names them. */
export interface EngineFlags {
  readonly 'query.timeout': number;
  readonly 'query.maxSamples': number;
  readonly 'query.maxConcurrency': number;
  readonly 'query.lookbackDelta': number;
}

/** Adds the flags with Prometheus' defaults. */
export function withEngineFlags(command: Command): Command {
  return command
    .option(
      '--query.timeout <duration>',
      'longest time a query may take (default: 2m)',
      positiveDurationFlag,
      120_000,
    )
    .option(
      '--query.max-samples <count>',
      'most samples a query may hold in memory',
      countFlag,
      50_000_000,
    )
    .option('--query.max-concurrency <count>', 'queries at one time; others wait', countFlag, 20)
    .option(
      '--query.lookback-delta <duration>',
      'how far back a sample counts as current (default: 5m)',
      positiveDurationFlag,
      300_000,
    );
}

/** The engine's part of the flags. */
export function engineOptions(flags: EngineFlags): Omit<EngineOptions, 'clock' | 'registry'> {
  return {
    timeoutMs: flags['query.timeout'],
    samplesMax: flags['query.maxSamples'],
    concurrencyMax: flags['query.maxConcurrency'],
    lookbackMs: flags['query.lookbackDelta'],
  };
}
