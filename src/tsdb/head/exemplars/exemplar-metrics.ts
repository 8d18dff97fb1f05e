// The metrics of exemplars, under the names that dashboards for Prometheus know.

import type { Counter, Registry } from '../../../telemetry/metrics.ts';
import type { ExemplarStore } from './exemplar-store.ts';

/** What is counted as exemplars arrive. */
export interface ExemplarMetrics {
  readonly appended: Counter;
  readonly outOfOrder: Counter;
  /** Refused for another reason than their order. */
  readonly refused: Counter;
}

/** Registers the metrics; once a registry. */
export function newExemplarMetrics(registry: Registry, store: ExemplarStore): ExemplarMetrics {
  const name = (rest: string): string => `prometheus_tsdb_exemplar_${rest}`;
  const gauge = (rest: string, help: string, read: () => number): void =>
    registry.observed({ name: name(rest), help }, 'gauge', read);
  gauge('exemplars_in_storage', 'Exemplars held.', () => store.size);
  gauge('max_exemplars', 'Most exemplars that are held.', () => store.max);
  gauge('series_with_exemplars_in_storage', 'Series with exemplars.', () => store.seriesCount);
  gauge(
    'last_exemplars_timestamp_seconds',
    'Time of the oldest exemplar held.',
    () => store.oldestTime / 1000,
  );
  return {
    appended: registry.counter({
      name: name('exemplars_appended_total'),
      help: 'Exemplars stored.',
    }),
    outOfOrder: registry.counter({
      name: name('out_of_order_exemplars_total'),
      help: 'Exemplars older than the newest one of their series.',
    }),
    refused: registry.counter({
      name: name('refused_exemplars_total'),
      help: 'Exemplars that are too long, of unknown series, or not wanted at all.',
    }),
  };
}
