// Bounds of buckets and quantiles are numbers in label values. `1`, `1.0` and `1e0` are one series: stored
// is OpenMetrics' spelling.

import { formatOpenMetricsFloat } from '../../encoding/format-float.ts';
import type { Labels } from '../../labels/labels.ts';
import type { MetricType } from '../../telemetry/metrics.ts';
import { parseGoFloat } from '../parse-float.ts';

const BOUND_LABELS: Partial<Record<MetricType, string>> = {
  histogram: 'le',
  gaugehistogram: 'le',
  summary: 'quantile',
};

/** The labels with the bound of a family of this type in canonical spelling. */
export function canonicalBound(labels: Labels, type: MetricType): Labels {
  const name = BOUND_LABELS[type];
  const text = name === undefined ? '' : labels.get(name);
  if (text === '') return labels;
  const bound = parseGoFloat(text);
  return bound === null ? labels : labels.with(name!, formatOpenMetricsFloat(bound));
}
