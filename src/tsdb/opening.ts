// The second part of opening a database: the head comes back from its snapshot and the logs, while blocks are
// answered from already.

import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OutpostError } from '../lifecycle/errors.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import type { Querier } from '../storage/queryable.ts';
import { emptySeriesSet } from '../storage/series-list.ts';
import type { DbParts } from './db-parts.ts';
import { collectTombstones } from './head/head-truncation.ts';
import { type ReplayReport, replayLog } from './head/log-replay.ts';
import {
  type OutOfOrderReplay,
  replayOutOfOrderLog,
} from './head/out-of-order/out-of-order-replay.ts';
import { markLog } from './head/snapshot/log-mark.ts';
import {
  loadHeadSnapshot,
  removeHeadSnapshot,
  SNAPSHOT_FILE,
  type SnapshotFound,
} from './head/snapshot/snapshot-reader.ts';
import { writeHeadSnapshot } from './head/snapshot/snapshot-writer.ts';
import type { ReplayProgress } from './replay-progress.ts';
import { logSources } from './wal/log-sources.ts';

/** What the head was made of. */
export interface Replays {
  readonly inOrder: ReplayReport;
  readonly outOfOrder: OutOfOrderReplay;
  readonly snapshot: SnapshotFound;
}

/** Replays snapshot and logs into the head of `parts`; blocks are open. Throws where the signal aborts. */
export async function replayInto(
  parts: DbParts,
  progress: ReplayProgress,
  signal: AbortSignal,
): Promise<Replays> {
  const { head, metrics, settings, logDir, outOfOrderDir } = parts;
  const slicer = new Slicer(() => settings.clock.monotonic(), signal);
  const started = settings.clock.monotonic();
  begin(parts, progress);
  const snapshot = await loadHeadSnapshot(head, snapshotPath(parts), {
    logDir,
    slicer,
    signal,
    onRead: bytes => progress.advance(bytes),
  });
  tellSnapshot(parts, snapshot);
  const from = snapshot.kind === 'loaded' ? snapshot.from : undefined;
  if (snapshot.kind === 'discarded') begin(parts, progress);
  const options = { progress, signal };
  const inOrder = await replayLog(head, logDir, metrics.log.corruptions, { ...options, from });
  const { corruptions } = metrics.outOfOrderLog;
  // Its segments are numbered on their own.
  const advance = (bytes: number): void => progress.advance(bytes);
  const outOfOrder = await replayOutOfOrderLog(head, outOfOrderDir, corruptions, {
    signal,
    progress: { advance },
  });
  await collectTombstones(head, head.minValidTime, slicer);
  const replays = { inOrder, outOfOrder, snapshot };
  head.metrics.replaySeconds.set((settings.clock.monotonic() - started) / 1000);
  tellLosses(parts, replays);
  return replays;
}

function begin({ dir, logDir, outOfOrderDir }: DbParts, progress: ReplayProgress): void {
  const inOrder = logSources(logDir);
  const paths = [...inOrder, ...logSources(outOfOrderDir)].map(({ path }) => path);
  paths.push(join(dir, SNAPSHOT_FILE));
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  progress.begin(
    paths.reduce((sum, path) => sum + sizeOf(path), 0),
    { min: inOrder[0]?.segment ?? 0, max: inOrder.at(-1)?.segment ?? 0 },
  );
}

function tellSnapshot({ metrics, settings }: DbParts, found: SnapshotFound): void {
  if (found.kind === 'loaded') {
    const { series, samples, samplesSkipped } = found.report;
    settings.logger.info('head snapshot loaded', { series, samples, samplesSkipped });
  }
  if (found.kind !== 'discarded') return;
  metrics.snapshotsDiscarded.inc();
  settings.onEvent({
    name: 'storage.snapshot-discarded',
    severity: 'warn',
    message: 'the snapshot of the newest samples is not used; they are replayed from the log',
    attributes: { reason: found.reason },
  });
}

/** One event for everything that the logs did not give back. */
function tellLosses({ settings }: DbParts, { inOrder, outOfOrder }: Replays): void {
  const counts = {
    damages: inOrder.damages + outOfOrder.damages,
    lostBytes: inOrder.lostBytes + outOfOrder.lostBytes,
    samplesLost: inOrder.samplesLost + outOfOrder.samplesLost,
  };
  if (counts.damages === 0 && counts.samplesLost === 0) return;
  settings.onEvent({
    name: 'storage.log-damaged',
    severity: 'error',
    message: `the log did not give back everything: ${counts.damages} damaged places of ${counts.lostBytes} bytes, ${counts.samplesLost} samples without a series or room`,
    attributes: Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, String(count)]),
    ),
  });
}

/**
 * Forgets the snapshot: from the first sample on that is appended it would be out of date. Where it cannot be
 * removed it stays right all the same, because what comes later is in later segments of the log.
 */
export function dropSnapshot(parts: DbParts): void {
  try {
    removeHeadSnapshot(snapshotPath(parts));
  } catch (error) {
    parts.settings.logger.warn('head snapshot not removed', { err: error });
  }
}

/** Writes a snapshot of a head whose log is closed. A failure is logged: the log has everything. */
export async function saveSnapshot(parts: DbParts): Promise<void> {
  const { head, settings, logDir, metrics } = parts;
  const { clock, logger } = settings;
  if (!settings.snapshotOnClose || head.seriesCount === 0) return;
  const started = clock.monotonic();
  const slicer = new Slicer(() => clock.monotonic());
  try {
    const path = snapshotPath(parts);
    const written = await writeHeadSnapshot(head, path, markLog(logDir), slicer);
    const seconds = Math.round(clock.monotonic() - started) / 1000;
    logger.info('head snapshot written', { ...written, seconds });
  } catch (error) {
    metrics.snapshotsFailed.inc();
    logger.warn('head snapshot not written; the next start replays the log', { err: error });
    // One that is already there, and could not be removed, would be of an older head.
    rmSync(snapshotPath(parts), { force: true });
  }
}

function snapshotPath({ dir }: DbParts): string {
  return join(dir, SNAPSHOT_FILE);
}

/** Stands for a head that is not there yet: no series, and a warning that says so. */
export function missingHead(progress: ReplayProgress): Querier {
  const warning = `the newest samples are still being replayed from the log: ${progress.percent} % done`;
  const answer = { values: [], warnings: [warning] };
  return {
    select: async () => emptySeriesSet([warning]),
    labelNames: async () => answer,
    labelValues: async () => answer,
    close() {},
  };
}

/** The refusal of whatever needs the head before it is there. */
export function stillOpening(progress: ReplayProgress): OutpostError {
  return new OutpostError(
    'unavailable',
    `the database is starting: the log is being replayed, ${progress.percent} % done`,
  );
}
