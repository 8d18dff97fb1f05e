// Flags of the query engine, which agent and querier share.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration, formatSize } from '../encoding/units.ts';
import { API_LIMITS, type ApiLimits } from '../httpapi/options.ts';
import type { EngineOptions } from '../promql/engine.ts';
import { QUERY_LIMITS } from '../promql/limits/query-limits.ts';
import {
  countFlag,
  listFlag,
  option,
  positiveDurationFlag,
  positiveSizeFlag,
  textFlag,
} from './flags.ts';

/** As commander names them. */
export interface EngineFlags {
  readonly 'query.timeout': number;
  readonly 'query.maxSamples': number;
  readonly 'query.maxConcurrency': number;
  readonly 'query.lookbackDelta': number;
  readonly 'query.maxSeries': number;
  readonly 'query.maxMemory': number;
  readonly 'query.maxMemoryTotal': number;
  readonly 'query.maxResultSize': number;
  readonly 'query.maxReceived': number;
  readonly 'query.maxLength': number;
  readonly 'query.maxWaiting': number;
  readonly 'query.maxWait': number;
  readonly 'query.logFile'?: string;
  readonly enableFeature?: readonly string[];
}

/** What is off unless it is asked for, named as Prometheus names it. */
const FEATURES = {
  'promql-experimental-functions': { experimentalFunctions: true },
  'promql-extended-range-selectors': { extendedRanges: true },
  'promql-binop-fill-modifiers': { fillModifiers: true },
  'promql-delayed-name-removal': { delayedNameRemoval: true },
  'use-start-timestamps': { startTimes: true },
} as const;
type Feature = keyof typeof FEATURES;

/** Names that Prometheus knows, of what is always there here. They are taken and change nothing. */
const ALWAYS: readonly string[] = [
  'promql-per-step-stats',
  'promql-duration-expr',
  'promql-at-modifier',
  'promql-negative-offset',
  'native-histograms',
  'exemplar-storage',
];

/** Adds the flags with Prometheus' defaults. */
export function withEngineFlags(command: Command): Command {
  withLimitFlags(command.optionsGroup('Queries:'));
  return command
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
    )
    .addOption(
      new Option('--query.log-file <path>', 'file that takes a JSON line for each query').argParser(
        textFlag,
      ),
    )
    .option(
      '--enable-feature <name>',
      'switch on what may still change; an unknown name is answered with all there are; repeat for more',
      featureFlag,
    );
}

function withLimitFlags(command: Command): void {
  const count = (flag: string, text: string, value: number): void => {
    const parts = { parse: countFlag, default: String(value) };
    command.addOption(option(`${flag} <count>`, text, parts));
  };
  const size = (flag: string, text: string, value: number): void => {
    const parts = { parse: positiveSizeFlag, default: formatSize(value) };
    command.addOption(option(`${flag} <size>`, text, parts));
  };
  count('--query.max-series', 'most series a query may read', QUERY_LIMITS.seriesMax);
  size('--query.max-memory', 'most memory a query may hold', QUERY_LIMITS.bytesMax);
  size(
    '--query.max-memory-total',
    'most memory that all queries may hold together',
    QUERY_LIMITS.bytesTotalMax,
  );
  size('--query.max-result-size', 'largest answer of a query as JSON', API_LIMITS.resultBytesMax);
  size(
    '--query.max-received',
    'most bytes that stores elsewhere send for a query',
    QUERY_LIMITS.receivedMax,
  );
  count('--query.max-length', 'longest text of a query in characters', QUERY_LIMITS.lengthMax);
  count('--query.max-waiting', 'queries that may wait for a place', QUERY_LIMITS.waitingMax);
  command.addOption(
    option('--query.max-wait <duration>', 'longest time a query waits for a place', {
      parse: positiveDurationFlag,
      default: formatDuration(QUERY_LIMITS.waitMs),
    }),
  );
}

function featureFlag(text: string, previous: readonly string[] = []): string[] {
  const names = listFlag(text, previous);
  const unknown = names.find(name => !(name in FEATURES) && !ALWAYS.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(
    `There is no feature ${unknown}; expected ${Object.keys(FEATURES).join(' or ')}.`,
  );
}

/** The API's part of the flags. */
export function apiLimits(flags: EngineFlags): Pick<ApiLimits, 'resultBytesMax'> {
  return { resultBytesMax: flags['query.maxResultSize'] };
}

/** The engine's part of the flags. */
export function engineOptions(flags: EngineFlags): Omit<EngineOptions, 'clock' | 'registry'> {
  return {
    timeoutMs: flags['query.timeout'],
    samplesMax: flags['query.maxSamples'],
    concurrencyMax: flags['query.maxConcurrency'],
    lookbackMs: flags['query.lookbackDelta'],
    seriesMax: flags['query.maxSeries'],
    bytesMax: flags['query.maxMemory'],
    bytesTotalMax: flags['query.maxMemoryTotal'],
    receivedMax: flags['query.maxReceived'],
    lengthMax: flags['query.maxLength'],
    waitingMax: flags['query.maxWaiting'],
    waitMs: flags['query.maxWait'],
    ...Object.assign({}, ...(flags.enableFeature ?? []).map(name => FEATURES[name as Feature])),
  };
}
