// The log's metrics, under the names that dashboards for Prometheus know.

import {
  type Counter,
  DURATION_BUCKETS,
  type Gauge,
  type Histogram,
  type Registry,
} from '../../telemetry/metrics.ts';

/** What a log records about itself. */
export interface LogMetrics {
  readonly fsyncSeconds: Histogram;
  readonly fsyncsFailed: Counter;
  readonly writesFailed: Counter;
  readonly corruptions: Counter;
  readonly bytesWritten: Counter;
  readonly segmentCurrent: Gauge;
}

/** Registers the metrics; once a registry. */
export function newLogMetrics(registry: Registry): LogMetrics {
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `prometheus_tsdb_wal_${name}`, help });
  return {
    fsyncSeconds: registry.histogram(
      {
        name: 'prometheus_tsdb_wal_fsync_duration_seconds',
        help: 'Time a flush of the log to the device takes.',
      },
      DURATION_BUCKETS,
    ),
    fsyncsFailed: counter('fsyncs_failed_total', 'Flushes of the log to the device that failed.'),
    writesFailed: counter('writes_failed_total', 'Batches that could not be written to the log.'),
    corruptions: counter('corruptions_total', 'Damaged places found in the log.'),
    bytesWritten: counter('record_bytes_written_total', 'Bytes written to the log.'),
    segmentCurrent: registry.gauge({
      name: 'prometheus_tsdb_wal_segment_current',
      help: 'Number of the segment that is being written.',
    }),
  };
}
