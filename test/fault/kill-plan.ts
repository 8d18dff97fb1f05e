// What database-writer.ts writes and kill.test.ts looks for.

import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { histogram } from '../fakes/prometheus-cases.ts';

/** Series there are, by their numbers. */
export const SERIES = 24;
/** Series up to here have an exemplar beside each batch that is in order. */
export const EXEMPLAR_SERIES = 5;
/** How far behind the newest samples others come, out of order, at most five times this. */
export const LATE_MS = 20_000;
/** Blocks of a minute, so that cuts, checkpoints and compactions fall among the kills. */
export const BLOCK_RANGE_MS = 60_000;

/** Options of the database that is killed: everything that can happen happens within minutes. */
export const WRITER_OPTIONS = {
  blockRangeMs: BLOCK_RANGE_MS,
  logSegmentBytes: 64 * 1024,
  retentionMs: 0,
  compactedRangeMaxMs: 3 * BLOCK_RANGE_MS,
  coldAfterMs: 4 * BLOCK_RANGE_MS,
  minFreeBytes: 0,
  futureMs: 1e12,
  outOfOrderMs: 10 * 60_000,
} as const;

/** True for series of histograms. */
export function isHistogram(s: number): boolean {
  return s >= 18;
}

/** The value, or the count, of every sample at a time. */
export function numberAt(time: number): number {
  return time % 100_003;
}

/** A histogram with this count. */
export function histogramOf(count: number, integer: boolean): FloatHistogram {
  return histogram({
    count,
    schema: 2,
    positiveSpans: [{ offset: count % 5, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    ...(integer ? { integer } : {}),
  });
}
