// From a checked file to scrape jobs with everything decided.

import { formatDuration, parseDuration, parseSize } from '../../encoding/units.ts';
import { DEFAULT_PROTOCOLS, type ScrapeConfig } from '../../scrape/config.ts';
import type { Mistake } from '../config-file.ts';
import { discoveryConfigs, discoveryMistakes } from './discovery-schema.ts';
import { type ConfigPlace, httpClientMistakes, httpClientOptions } from './http-client-schema.ts';
import { relabelMistakes, relabelRules } from './relabel-schema.ts';
import { type ScrapeBlock, type ScrapeDefaults, scrapeDefaults } from './scrape-schema.ts';

/** The part of a file that is about scraping. */
export interface ScrapeSections {
  readonly global?: ScrapeDefaults;
  readonly scrape_configs?: readonly ScrapeBlock[];
}

/** Dotted keys of a file that are about scraping alone. */
export const SCRAPE_KEYS: readonly string[] = [
  'scrape_configs',
  ...Object.keys(scrapeDefaults).map(key => `global.${key}`),
];

const INTERVAL = '1m';
const TIMEOUT = '10s';

/** What is wrong with the jobs beyond their schema. */
export function* scrapeMistakes({
  global = {},
  scrape_configs,
}: ScrapeSections): Generator<Mistake> {
  yield* defaultMistakes(global, ['global'], global);
  const names = new Set<string>();
  for (const [i, job] of (scrape_configs ?? []).entries()) {
    const at = ['scrape_configs', String(i)];
    if (names.has(job.job_name)) {
      const message = `there are two jobs with the name "${job.job_name}"`;
      yield { keys: [...at, 'job_name'], message };
    }
    names.add(job.job_name);
    yield* defaultMistakes(job, at, global);
    yield* httpClientMistakes(job, at);
    yield* discoveryMistakes(job, at);
    yield* relabelMistakes(job.relabel_configs, [...at, 'relabel_configs']);
    yield* relabelMistakes(job.metric_relabel_configs, [...at, 'metric_relabel_configs']);
  }
}

function* defaultMistakes(
  block: ScrapeDefaults,
  at: readonly string[],
  global: ScrapeDefaults,
): Generator<Mistake> {
  const interval = parseDuration(block.scrape_interval ?? global.scrape_interval ?? INTERVAL)!;
  const timeout = block.scrape_timeout === undefined ? 0 : parseDuration(block.scrape_timeout)!;
  if (timeout > interval) {
    const message = `scrape_timeout is longer than the scrape interval of ${formatDuration(interval)}`;
    yield { keys: [...at, 'scrape_timeout'], message };
  }
  const protocols = block.scrape_protocols ?? [];
  const twice = protocols.findIndex((one, i) => protocols.indexOf(one) !== i);
  if (twice >= 0) {
    const message = `${protocols[twice]} is there twice`;
    yield { keys: [...at, 'scrape_protocols', String(twice)], message };
  }
  const validation = block.metric_name_validation_scheme ?? global.metric_name_validation_scheme;
  const escaping = block.metric_name_escaping_scheme ?? global.metric_name_escaping_scheme;
  if (validation === 'legacy' && escaping === 'allow-utf-8') {
    const message = 'legacy names cannot be asked for as allow-utf-8';
    yield { keys: [...at, 'metric_name_escaping_scheme'], message };
  }
}

/** What sections without mistakes mean. */
export function scrapeConfigs(
  { global = {}, scrape_configs = [] }: ScrapeSections,
  place: ConfigPlace,
): ScrapeConfig[] {
  return scrape_configs.map(job => scrapeConfig(job, { ...global, ...job }, place));
}

/** `all` has the defaults where the job says nothing. */
function scrapeConfig(
  job: ScrapeBlock,
  all: ScrapeDefaults & ScrapeBlock,
  place: ConfigPlace,
): ScrapeConfig {
  const intervalMs = parseDuration(all.scrape_interval ?? INTERVAL)!;
  const timeoutMs = Math.min(parseDuration(all.scrape_timeout ?? TIMEOUT)!, intervalMs);
  const isLegacy = all.metric_name_validation_scheme === 'legacy';
  const nativeHistograms = all.scrape_native_histograms ?? false;
  const fallbackProtocol = job.fallback_scrape_protocol;
  return {
    jobName: job.job_name,
    intervalMs,
    timeoutMs,
    metricsPath: job.metrics_path ?? '/metrics',
    scheme: job.scheme ?? 'http',
    params: job.params ?? {},
    honorLabels: job.honor_labels ?? false,
    honorTimestamps: job.honor_timestamps ?? true,
    trackTimestampsStaleness: job.track_timestamps_staleness ?? false,
    enableCompression: job.enable_compression ?? true,
    protocols: protocolsOf(all, nativeHistograms),
    ...(fallbackProtocol ? { fallbackProtocol } : {}),
    nativeHistograms,
    classicHistogramsToo: all.always_scrape_classic_histograms ?? false,
    extraMetrics: all.extra_scrape_metrics ?? false,
    nameValidation: isLegacy ? 'legacy' : 'utf8',
    escaping: all.metric_name_escaping_scheme ?? (isLegacy ? 'underscores' : 'allow-utf-8'),
    limits: {
      bodyBytes: parseSize(String(all.body_size_limit ?? 0))!,
      samples: all.sample_limit ?? 0,
      labels: all.label_limit ?? 0,
      labelNameLength: all.label_name_length_limit ?? 0,
      labelValueLength: all.label_value_length_limit ?? 0,
      targets: all.target_limit ?? 0,
      keepDroppedTargets: all.keep_dropped_targets ?? 0,
      histogramBuckets: job.native_histogram_bucket_limit ?? 0,
    },
    relabel: relabelRules(job.relabel_configs),
    metricRelabel: relabelRules(job.metric_relabel_configs),
    http: httpClientOptions(job, place),
    discovery: discoveryConfigs(job, place),
  };
}

/** Native histograms come in protobuf alone, so it is asked for first where they are wanted. */
function protocolsOf(all: ScrapeDefaults, native: boolean): ScrapeConfig['protocols'] {
  if (all.scrape_protocols) return all.scrape_protocols;
  return native ? ['PrometheusProto', ...DEFAULT_PROTOCOLS] : DEFAULT_PROTOCOLS;
}
