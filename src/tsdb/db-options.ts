// What a database can be told, and what it does when it is not.

import type { Clock } from '../lifecycle/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Registry } from '../telemetry/metrics.ts';
import type { JobRunner } from './block-jobs/block-job.ts';
import { workerJobs } from './block-jobs/worker-jobs.ts';
import type { DbEvent } from './db-event.ts';
import { nodeDiskSpace, type ReadDiskSpace } from './disk-space.ts';
import type { RetentionPolicy } from './retention/retention-policy.ts';
import type { LogFs } from './wal/log-fs.ts';

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Blocks grow no larger, whatever the retention. */
const BLOCK_RANGE_MAX_MS = 31 * DAY_MS;

export interface DbOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Fills the array with random bytes. */
  readonly fillRandom: (bytes: Uint8Array) => void;
  /** Blocks older than this are deleted; 0 keeps all. Default 15 days. */
  readonly retentionMs?: number;
  /** The oldest blocks are deleted beyond this many bytes; 0, the default, is no limit. */
  readonly retentionBytes?: number;
  /** Other times for some series, shorter or longer; the first policy that matches decides. Default none. */
  readonly retentionPolicies?: readonly RetentionPolicy[];
  /**
   * The oldest blocks are deleted early while less than this is free on the disk; 0 is never. Default, and
   * null: 128 MiB, but no more than a twentieth of the disk.
   */
  readonly minFreeBytes?: number | null;
  /** Asks for the room on the disk; for tests. */
  readonly readDiskSpace?: ReadDiskSpace;
  /** Is told what an operator may want to act on. Default: it is logged. */
  readonly onEvent?: (event: DbEvent) => void;
  /** Range of the blocks cut from the head. Default 2 hours. */
  readonly blockRangeMs?: number;
  /**
   * Largest range compaction joins blocks to; the block range itself turns that off, as uploads to a
   * bucket that is compacted elsewhere need it. Default: a tenth of the retention, at most 31 days and
   * `coldAfterMs`.
   */
  readonly compactedRangeMaxMs?: number;
  /**
   * Blocks that are this much older than the newest one are brought into the cold form, which Prometheus
   * cannot read; 0, the default, is never. Those that are cold already are read in any case.
   */
  readonly coldAfterMs?: number;
  /** Where blocks are compacted, frozen and thawed. Default: worker threads. */
  readonly jobs?: JobRunner;
  /** Most series in the head. Default 1,000,000. */
  readonly seriesMax?: number;
  /** How far ahead of the clock a sample may be. Default 10 minutes. */
  readonly futureMs?: number;
  /**
   * How far behind the newest sample of the head a sample may be that is older than its series' newest;
   * 0 refuses all of those. Default 10 minutes.
   */
  readonly outOfOrderMs?: number;
  /** Snappy for the log. Default true. */
  readonly logCompression?: boolean;
  readonly logSegmentBytes?: number;
  /** Most memory for samples in the head. Default 4 GiB, also the most there can be. */
  readonly headBytesMax?: number;
  /** Most exemplars kept, of all series together; 0 keeps none. Default 100,000. */
  readonly exemplarsMax?: number;
  /** Writes what is in the head to a file when the database is closed, so that it opens faster. Default false. */
  readonly snapshotOnClose?: boolean;
  /** The file system under the log; for tests. */
  readonly logFs?: LogFs;
}

/** Options with every default filled in. */
export type DbSettings = Required<Omit<DbOptions, 'logFs' | 'headBytesMax' | 'logSegmentBytes'>> &
  Pick<DbOptions, 'logFs' | 'headBytesMax' | 'logSegmentBytes'>;

/** Fills in the defaults. */
export function withDefaults(options: DbOptions): DbSettings {
  const retentionMs = options.retentionMs ?? 15 * DAY_MS;
  const blockRangeMs = options.blockRangeMs ?? 2 * HOUR_MS;
  const tenth = retentionMs === 0 ? BLOCK_RANGE_MAX_MS : retentionMs / 10;
  const coldAfterMs = options.coldAfterMs ?? 0;
  // A block is frozen when it has grown to its last range, which should not take longer.
  const rangeMax = Math.min(BLOCK_RANGE_MAX_MS, tenth, coldAfterMs || Number.POSITIVE_INFINITY);
  return {
    retentionBytes: 0,
    retentionPolicies: [],
    minFreeBytes: null,
    readDiskSpace: nodeDiskSpace,
    onEvent: ({ name, severity, message, attributes }) =>
      options.logger[severity](message, { event: name, ...attributes }),
    compactedRangeMaxMs: Math.max(blockRangeMs, rangeMax),
    coldAfterMs,
    jobs: workerJobs(),
    seriesMax: 1_000_000,
    futureMs: 10 * 60_000,
    outOfOrderMs: 10 * 60_000,
    logCompression: true,
    exemplarsMax: 100_000,
    snapshotOnClose: false,
    ...options,
    retentionMs,
    blockRangeMs,
  };
}
