// Flags of the query engine, which agent and querier share.

import type { Command } from 'commander';
import type { EngineOptions } from '../promql/engine.ts';
import { countFlag, option, positiveDurationFlag } from './flags.ts';

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
    .optionsGroup('Queries:')
    .addOption(
      option('--query.timeout <duration>', 'longest time a query may take', {
        parse: positiveDurationFlag,
        default: '2m',
      }),
    )
    .addOption(
      option('--query.max-samples <count>', 'most samples a query may hold', {
        parse: countFlag,
        default: '50000000',
      }),
    )
    .addOption(
      option('--query.max-concurrency <count>', 'queries at one time; others wait', {
        parse: countFlag,
        default: '20',
      }),
    )
    .addOption(
      option('--query.lookback-delta <duration>', 'how long a sample counts as current', {
        parse: positiveDurationFlag,
        default: '5m',
      }),
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
