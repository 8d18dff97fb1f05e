// The head's metrics, under the names that dashboards for Prometheus know.

import type { RefusalReason } from '../../storage/appender.ts';
import type { Counter, Gauge, Histogram, Registry, Vector } from '../../telemetry/metrics.ts';

/** What a head records about itself. */
export interface HeadMetrics {
  /** All samples stored, those out of order too. */
  readonly samplesAppended: Counter;
  readonly outOfOrderAppended: Counter;
  readonly outOfOrderHistogramsAppended: Counter;
  readonly histogramsAppended: Counter;
  readonly refused: Readonly<Record<RefusalReason, Counter>>;
  readonly histogramsRefused: Readonly<Record<RefusalReason, Counter>>;
  readonly seriesCreated: Counter;
  readonly seriesRemoved: Counter;
  readonly truncations: Counter;
  readonly truncationsFailed: Counter;
  readonly gcSeconds: Histogram;
  readonly checkpoints: Counter;
  readonly checkpointsFailed: Counter;
  readonly replaySeconds: Gauge;
  /** Records of a replay that hold what is not kept here, by type. */
  readonly replaySkipped: Vector<Counter>;
}

/** What is read when metrics are gathered. */
export interface HeadGauges {
  readonly series: number;
  readonly chunks: number;
  /** Unix ms; NaN where the head is empty. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly bytesAllocated: number;
  readonly bytesInUse: number;
  readonly symbols: number;
}

/** Registers the metrics; once a registry. */
export function newHeadMetrics(registry: Registry, gauges: () => HeadGauges): HeadMetrics {
  registerGauges(registry, gauges);
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `prometheus_tsdb_${name}`, help });
  const byType = newByType(registry);
  const appended = byType('head_samples_appended_total', 'Samples stored in the head.');
  const outOfOrder = byType(
    'head_out_of_order_samples_appended_total',
    'Samples stored in the head that were older than their series.',
  );
  return {
    outOfOrderAppended: outOfOrder.with('float'),
    outOfOrderHistogramsAppended: outOfOrder.with('histogram'),
    samplesAppended: appended.with('float'),
    histogramsAppended: appended.with('histogram'),
    ...refusalCounters(registry),
    seriesCreated: counter('head_series_created_total', 'Series created in the head.'),
    seriesRemoved: counter('head_series_removed_total', 'Series removed from the head.'),
    truncations: counter('head_truncations_total', 'Truncations of the head.'),
    truncationsFailed: counter('head_truncations_failed_total', 'Truncations that failed.'),
    gcSeconds: registry.histogram({
      name: 'prometheus_tsdb_head_gc_duration_seconds',
      help: 'Time a collection of unused series takes.',
    }),
    checkpoints: counter('checkpoint_creations_total', 'Checkpoints of the log.'),
    checkpointsFailed: counter('checkpoint_creations_failed_total', 'Checkpoints that failed.'),
    replaySeconds: registry.gauge({
      name: 'prometheus_tsdb_data_replay_duration_seconds',
      help: 'Time it took at start to bring back the head from its snapshot and the logs.',
    }),
    replaySkipped: registry.counterVector({
      name: 'prometheus_tsdb_wal_replay_skipped_records_total',
      help: 'Records of the log that hold what is not kept here.',
      labelNames: ['type'],
    }),
  };
}

function newByType(registry: Registry): (name: string, help: string) => Vector<Counter> {
  return (name, help) =>
    registry.counterVector({ name: `prometheus_tsdb_${name}`, help, labelNames: ['type'] });
}

function refusalCounters(registry: Registry): Pick<HeadMetrics, 'refused' | 'histogramsRefused'> {
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `prometheus_tsdb_${name}`, help });
  const byType = newByType(registry);
  const outOfOrder = byType('out_of_order_samples_total', 'Samples older than their series.');
  const tooOld = byType(
    'too_old_samples_total',
    'Samples too old for the window in which they may be out of order.',
  );
  const outOfBounds = byType(
    'out_of_bound_samples_total',
    'Samples too old for the time range that can still be written.',
  );
  const ofAnyType = {
    'duplicate-sample': counter(
      'duplicate_samples_total',
      'Samples with the time of a stored one and another value.',
    ),
    'too-far-in-future': counter(
      'too_far_in_future_samples_total',
      'Samples too far ahead of the host clock.',
    ),
    'unknown-series': counter(
      'unknown_series_samples_total',
      'Samples for references of series that are no longer in the head.',
    ),
    'series-limit': counter(
      'head_series_refused_total',
      'Series that were not created because the head is full.',
    ),
    'invalid-histogram': counter(
      'invalid_histograms_total',
      'Native histograms that contradict themselves.',
    ),
  };
  const ofType = (type: string): Readonly<Record<RefusalReason, Counter>> => ({
    ...ofAnyType,
    'out-of-order': outOfOrder.with(type),
    'too-old': tooOld.with(type),
    'out-of-bounds': outOfBounds.with(type),
  });
  return { refused: ofType('float'), histogramsRefused: ofType('histogram') };
}

function registerGauges(registry: Registry, read: () => HeadGauges): void {
  const gauge = (name: string, help: string, value: (gauges: HeadGauges) => number): void =>
    registry.observed({ name: `prometheus_tsdb_${name}`, help }, 'gauge', () => value(read()));
  gauge('head_series', 'Series in the head.', g => g.series);
  gauge('head_chunks', 'Chunks in the head.', g => g.chunks);
  gauge('head_min_time', 'Oldest time in the head, Unix ms.', g => g.minTime);
  gauge('head_max_time', 'Newest time in the head, Unix ms.', g => g.maxTime);
  gauge('head_min_time_seconds', 'Oldest time in the head, Unix s.', g => g.minTime / 1000);
  gauge('head_max_time_seconds', 'Newest time in the head, Unix s.', g => g.maxTime / 1000);
  gauge('head_symbols', 'Different label names and values in the head.', g => g.symbols);
  gauge(
    'head_bytes_allocated',
    'Memory of the head that has been allocated.',
    g => g.bytesAllocated,
  );
  gauge('head_bytes_in_use', 'Memory of the head that holds data.', g => g.bytesInUse);
}
