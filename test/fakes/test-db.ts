// Databases for tests: a clock that stands still, ids that are the same every time.

import { Labels } from '../../src/labels/labels.ts';
import type { Matcher } from '../../src/labels/matcher.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import type { Appendable, CommitResult } from '../../src/storage/appender.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { isStaleAt } from '../../src/storage/stale.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import { type Db, openDb } from '../../src/tsdb/db.ts';
import type { DbOptions } from '../../src/tsdb/db-options.ts';
import { Head, type HeadOptions } from '../../src/tsdb/head/head.ts';

/** 2023-11-14T22:00:00Z, where a two-hour block begins. */
export const BLOCK_START = 1_699_999_200_000;
export const HOUR = 3_600_000;
export const BLOCK_RANGE = 2 * HOUR;

// One sequence for all, so that a directory opened again does not get the same block ids.
let state = 1;

/**
 * Opens a database whose clock says BLOCK_START + 1 d and which compacts in this thread, unless told
 * otherwise: a thread costs a busy machine seconds.
 */
export function openTestDb(dir: string, options: Partial<DbOptions> = {}): Promise<Db> {
  return openDb(dir, {
    clock: new ManualClock(BLOCK_START + 24 * HOUR),
    logger: silentLogger,
    registry: new Registry(),
    fillRandom: bytes => {
      for (let i = 0; i < bytes.length; i++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        bytes[i] = state >>> 24;
      }
    },
    jobs: inProcessJobs,
    ...options,
  });
}

/** A head without a log. */
export function newTestHead(options: Partial<HeadOptions> = {}): Head {
  return new Head({
    clock: new ManualClock(BLOCK_START + 24 * HOUR),
    logger: silentLogger,
    registry: new Registry(),
    chunkRangeMs: BLOCK_RANGE,
    seriesMax: 1_000_000,
    futureMs: 600_000,
    ...options,
  });
}

/** Commits samples of one series. */
export async function put(
  store: Appendable,
  labels: Readonly<Record<string, string>>,
  samples: readonly (readonly [time: number, value: number])[],
): Promise<CommitResult> {
  const appender = store.appender();
  const ref = appender.series(Labels.fromObject(labels));
  for (const [time, value] of samples) appender.append(ref, time, value);
  return await appender.commit();
}

/** All samples the matchers select, by series: `labels` to `time:value` texts, `time:h<count>` for histograms. */
export async function contents(
  store: Queryable,
  matchers: readonly Matcher[] = [],
  [minTime, maxTime]: readonly [number, number] = [-Infinity, Infinity],
): Promise<Map<string, string[]>> {
  const querier = store.querier(minTime, maxTime);
  const found = new Map<string, string[]>();
  const columns = new SampleColumns();
  try {
    const set = await querier.select(matchers);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        columns.clear();
        series.samples(columns);
        const texts = Array.from({ length: columns.length }, (_, i) => {
          const histogram = columns.histograms?.[i];
          if (histogram) return `${columns.times[i]}:h${histogram.count}`;
          const stale = isStaleAt(columns.values, i);
          return `${columns.times[i]}:${stale ? 'stale' : columns.values[i]}`;
        });
        if (texts.length > 0) found.set(series.labels.toString(), texts);
      }
    }
  } finally {
    querier.close();
  }
  return found;
}

/** The value of a metric without labels, or of its only child. */
export function metricValue(registry: Registry, name: string): number | undefined {
  return registry.gather().find(family => family.name === name)?.samples[0]?.value;
}
