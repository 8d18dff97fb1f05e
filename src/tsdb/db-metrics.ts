// The database's metrics, under the names that dashboards for Prometheus know.

import type { Counter, Gauge, Histogram, Registry } from '../telemetry/metrics.ts';
import { newRetentionMetrics, type RetentionMetrics } from './retention/retention-metrics.ts';
import { type LogMetrics, newLogMetrics } from './wal/log-metrics.ts';

/** What the database records about itself; head and log have their own. */
export interface DbMetrics {
  readonly log: LogMetrics;
  readonly outOfOrderLog: LogMetrics;
  readonly compactions: Counter;
  readonly compactionsFailed: Counter;
  readonly compactionSeconds: Histogram;
  readonly blocksCut: Counter;
  readonly outOfOrderBlocksCut: Counter;
  readonly blocksSetAside: Counter;
  readonly reloads: Counter;
  readonly reloadsFailed: Counter;
  readonly deletedByTime: Counter;
  readonly deletedBySize: Counter;
  readonly removed: RetentionMetrics;
  readonly freezes: Counter;
  readonly freezesFailed: Counter;
  readonly maintenanceFailed: Counter;
  readonly snapshotsFailed: Counter;
  readonly snapshotsDiscarded: Counter;
  readonly retentionBytes: Gauge;
  readonly retentionSeconds: Gauge;
}

/** What is read when metrics are gathered. */
export interface DbGauges {
  readonly blocks: number;
  readonly blockBytes: number;
  readonly coldBlocks: number;
  readonly coldBytes: number;
  readonly logBytes: number;
  readonly outOfOrderLogBytes: number;
  /** Unix ms, NaN while the database is empty. */
  readonly lowestTime: number;
  /** True while the log cannot be written. */
  readonly paused: boolean;
}

/** Registers the metrics; once a registry. */
export function newDbMetrics(registry: Registry, read: () => DbGauges): DbMetrics {
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `prometheus_tsdb_${name}`, help });
  const gauge = (name: string, help: string): Gauge =>
    registry.gauge({ name: `prometheus_tsdb_${name}`, help });
  const observed = (name: string, help: string, value: (gauges: DbGauges) => number): void =>
    registry.observed({ name: `prometheus_tsdb_${name}`, help }, 'gauge', () => value(read()));
  observed('blocks_loaded', 'Blocks that are open.', g => g.blocks);
  observed('storage_blocks_bytes', 'Bytes of all blocks.', g => g.blockBytes);
  observed('cold_blocks', 'Blocks that are open in their cold form.', g => g.coldBlocks);
  observed('cold_blocks_bytes', 'Bytes of all cold blocks.', g => g.coldBytes);
  observed('wal_storage_size_bytes', 'Bytes of the log.', g => g.logBytes);
  observed(
    'out_of_order_wbl_storage_size_bytes',
    'Bytes of the log of out-of-order samples.',
    g => g.outOfOrderLogBytes,
  );
  observed('lowest_timestamp', 'Oldest time in the database, Unix ms.', g => g.lowestTime);
  observed('lowest_timestamp_seconds', 'Oldest time, Unix s.', g => g.lowestTime / 1000);
  observed('ingest_paused', '1 while the log cannot be written.', g => (g.paused ? 1 : 0));
  return {
    log: newLogMetrics(registry),
    outOfOrderLog: newLogMetrics(registry, 'ooo'),
    compactions: counter('compactions_total', 'Blocks written by compaction and from the head.'),
    compactionsFailed: counter('compactions_failed_total', 'Compactions that failed.'),
    compactionSeconds: registry.histogram(
      {
        name: 'prometheus_tsdb_compaction_duration_seconds',
        help: 'Time it takes to write a block.',
      },
      [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800],
    ),
    blocksCut: counter('head_blocks_total', 'Blocks cut from the head.'),
    outOfOrderBlocksCut: counter(
      'out_of_order_blocks_total',
      'Blocks cut from out-of-order samples of the head.',
    ),
    blocksSetAside: counter('blocks_set_aside_total', 'Damaged blocks that were set aside.'),
    reloads: counter('reloads_total', 'Looks for blocks on disk.'),
    reloadsFailed: counter('reloads_failures_total', 'Blocks on disk that could not be opened.'),
    deletedByTime: counter('time_retentions_total', 'Blocks deleted for their age.'),
    deletedBySize: counter('size_retentions_total', 'Blocks deleted to stay within the size.'),
    removed: newRetentionMetrics(registry),
    freezes: counter('freezes_total', 'Blocks brought into their cold form.'),
    freezesFailed: counter('freezes_failed_total', 'Blocks that could not be frozen.'),
    maintenanceFailed: counter('maintenance_failed_total', 'Steps of maintenance that failed.'),
    snapshotsFailed: counter(
      'head_snapshots_failed_total',
      'Snapshots of the head that could not be written.',
    ),
    snapshotsDiscarded: counter(
      'snapshot_replay_error_total',
      'Snapshots of the head that were not used at start.',
    ),
    retentionBytes: gauge('retention_limit_bytes', 'Most bytes kept, 0 for no limit.'),
    retentionSeconds: gauge('retention_limit_seconds', 'Longest time kept, 0 for no limit.'),
  };
}
