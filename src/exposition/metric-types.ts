// The types of metric families as the text formats name them.

import type { MetricType } from '../telemetry/metrics.ts';

/** Types by name; text 0.0.4 says `untyped` where OpenMetrics says `unknown`. */
export const METRIC_TYPES: ReadonlyMap<string, MetricType> = new Map([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['gaugehistogram', 'gaugehistogram'],
  ['summary', 'summary'],
  ['info', 'info'],
  ['stateset', 'stateset'],
  ['unknown', 'unknown'],
  ['untyped', 'unknown'],
]);
