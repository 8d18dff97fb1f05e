// A scrape job with everything decided. Plain data: two jobs are the same when their texts are, and only a
// job that changed is started anew.

import type { DiscoveryConfig } from '../discovery/config.ts';
import type { EscapingScheme } from '../exposition/escaping.ts';
import type { HttpClientOptions } from '../http-client/options.ts';
import type { RelabelRule } from '../labels/relabel.ts';

/** Formats by the names that configurations use. */
export type ScrapeProtocol =
  | 'PrometheusProto'
  | 'OpenMetricsText0.0.1'
  | 'OpenMetricsText1.0.0'
  | 'PrometheusText0.0.4'
  | 'PrometheusText1.0.0';

/** All formats. */
export const SCRAPE_PROTOCOLS: readonly ScrapeProtocol[] = [
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
];

/** Asked for in this order where nothing is said. */
export const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

/** What a target may send; 0 is no limit. One that sends more fails as a whole. */
export interface ScrapeLimits {
  /** After decompression. */
  readonly bodyBytes: number;
  /** After metric relabelling. */
  readonly samples: number;
  readonly labels: number;
  readonly labelNameLength: number;
  readonly labelValueLength: number;
  /** Targets of the job; none is scraped while there are more. */
  readonly targets: number;
  /** Dropped targets that are remembered for being shown. */
  readonly keepDroppedTargets: number;
  /** Buckets of a native histogram; one with more loses resolution first. */
  readonly histogramBuckets: number;
}

/** One job. */
export interface ScrapeConfig {
  readonly jobName: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly metricsPath: string;
  readonly scheme: 'http' | 'https';
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly enableCompression: boolean;
  readonly protocols: readonly ScrapeProtocol[];
  /** What a body without a usable content type is read as. */
  readonly fallbackProtocol?: ScrapeProtocol;
  readonly nativeHistograms: boolean;
  readonly classicHistogramsToo: boolean;
  /** Whether the target's limits and the size of its body are stored beside `up`. */
  readonly extraMetrics: boolean;
  readonly nameValidation: 'utf8' | 'legacy';
  readonly escaping: EscapingScheme;
  readonly limits: ScrapeLimits;
  readonly relabel: readonly RelabelRule[];
  readonly metricRelabel: readonly RelabelRule[];
  readonly http: HttpClientOptions;
  readonly discovery: readonly DiscoveryConfig[];
}
