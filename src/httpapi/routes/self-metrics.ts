// The process's own metrics as JSON: the names and shapes of Prometheus' protobuf format (io.prometheus.client
// MetricFamily) in protobuf's JSON, where 64-bit integers are strings and special floats words.

import type { Labels } from '../../labels/labels.ts';
import { compileAnchored } from '../../labels/regex.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { MetricFamily, MetricSample } from '../../telemetry/metrics.ts';
import type { ApiOptions } from '../options.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/status/self_metrics`. */
export function selfMetricsRoutes({ registry }: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/status/self_metrics',
      handle: ({ parameters }) => {
        const accepts = nameTest(parameters.text('metric_name_pattern'));
        const families = registry.gather().filter(({ name, samples }) => {
          return samples.length > 0 && accepts(name);
        });
        return { kind: 'data', data: families.map(familyJson) };
      },
    },
  ];
}

function nameTest(pattern: string): (name: string) => boolean {
  if (pattern === '') return () => true;
  try {
    const regex = compileAnchored(pattern);
    return name => regex.matches(name);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OutpostError('bad-data', `invalid metric_name_pattern: ${reason}`, { cause });
  }
}

function familyJson(family: MetricFamily) {
  const { name, help, type } = family;
  const head = { name, help, type: type === 'unknown' ? 'UNTYPED' : type.toUpperCase() };
  if (type === 'histogram') return { ...head, metric: histograms(family.samples) };
  const field = type === 'counter' || type === 'gauge' ? type : 'untyped';
  const metric = family.samples.map(({ labels, value }) => ({
    ...labelJson(labels),
    [field]: { value: number(value) },
  }));
  return { ...head, metric };
}

function labelJson(labels: Labels): { label?: { name: string; value: string }[] } {
  if (labels.size === 0) return {};
  return { label: [...labels].map(([name, value]) => ({ name, value })) };
}

/** Samples of one histogram stand together: buckets by bound, sum, count. */
function histograms(samples: readonly MetricSample[]): object[] {
  const out: object[] = [];
  let bucket: object[] = [];
  let sampleSum: number | string = 0;
  for (const { suffix, labels, value } of samples) {
    if (suffix === '_bucket') {
      const le = labels.get('le');
      if (le !== '+Inf') bucket.push({ cumulativeCount: String(value), upperBound: Number(le) });
    } else if (suffix === '_sum') sampleSum = number(value);
    else {
      const histogram = { sampleCount: String(value), sampleSum, bucket };
      out.push({ ...labelJson(labels), histogram });
      bucket = [];
    }
  }
  return out;
}

function number(value: number): number | string {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}
