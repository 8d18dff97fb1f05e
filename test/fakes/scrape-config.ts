// A scrape job with defaults, for tests that change one thing.

import { HTTP_CLIENT_DEFAULTS } from '../../src/http-client/options.ts';
import {
  DEFAULT_PROTOCOLS,
  type ScrapeConfig,
  type ScrapeLimits,
} from '../../src/scrape/config.ts';

export const NO_LIMITS: ScrapeLimits = {
  bodyBytes: 0,
  samples: 0,
  labels: 0,
  labelNameLength: 0,
  labelValueLength: 0,
  targets: 0,
  keepDroppedTargets: 0,
  histogramBuckets: 0,
};

/** A job named `j` that scrapes each 10 s. */
export function scrapeJob(changes: Partial<ScrapeConfig> = {}): ScrapeConfig {
  return {
    jobName: 'j',
    intervalMs: 10_000,
    timeoutMs: 5000,
    metricsPath: '/metrics',
    scheme: 'http',
    params: {},
    honorLabels: false,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    enableCompression: true,
    protocols: DEFAULT_PROTOCOLS,
    nativeHistograms: false,
    classicHistogramsToo: false,
    extraMetrics: false,
    nameValidation: 'utf8',
    escaping: 'allow-utf-8',
    limits: NO_LIMITS,
    relabel: [],
    metricRelabel: [],
    http: HTTP_CLIENT_DEFAULTS,
    discovery: [],
    ...changes,
  };
}
