// Remote write 2.0 sends metadata with every series. The store keeps it by family.

import type { MetricMetadata } from '../storage/appender.ts';

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_count', '_sum'],
  gaugehistogram: ['_bucket', '_gcount', '_gsum'],
  summary: ['_count', '_sum'],
};

/** Families of one request. */
export class FamilyNames {
  readonly #seen = new Set<string>();

  /** The family of a series with this metric name; null where it was given before. */
  nameOf(metricName: string, { type }: MetricMetadata): string | null {
    const suffix = SUFFIXES[type]?.find(one => metricName.endsWith(one)) ?? '';
    const name = metricName.slice(0, metricName.length - suffix.length);
    if (name === '' || this.#seen.has(name)) return null;
    this.#seen.add(name);
    return name;
  }
}
