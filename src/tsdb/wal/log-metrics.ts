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

/** Registers the metrics; once a registry for each log, of which the out-of-order one is `ooo`. */
export function newLogMetrics(registry: Registry, log: 'wal' | 'ooo' = 'wal'): LogMetrics {
  const prefix = `prometheus_tsdb_${log === 'wal' ? 'wal' : 'out_of_order_wbl'}`;
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `${prefix}_${name}`, help });
  return {
    fsyncSeconds: registry.histogram(
      {
        name: `${prefix}_fsync_duration_seconds`,
        help: 'Time a flush of the log to the device takes.',
      },
      DURATION_BUCKETS,
    ),
    fsyncsFailed: counter('fsyncs_failed_total', 'Flushes of the log to the device that failed.'),
    writesFailed: counter('writes_failed_total', 'Batches that could not be written to the log.'),
    corruptions: counter('corruptions_total', 'Damaged places found in the log.'),
    bytesWritten: counter('record_bytes_written_total', 'Bytes written to the log.'),
    segmentCurrent: registry.gauge({
      name: `${prefix}_segment_current`,
      help: 'Number of the segment that is being written.',
    }),
  };
}
