// What a database consists of, and how it comes to life: blocks first, then the log into the head
// (opening.ts), then the log's writer.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Slicer } from '../lifecycle/slicer.ts';
import type { Block } from './block/block.ts';
import { isOutOfOrder } from './block/meta.ts';
import { UlidSource } from './block/ulid.ts';
import { BlockStore } from './block-store.ts';
import { type DbMetrics, newDbMetrics } from './db-metrics.ts';
import { type DbOptions, type DbSettings, withDefaults } from './db-options.ts';
import { Head } from './head/head.ts';
import { rewriteOutOfOrderLog } from './head/out-of-order/log-rewrite.ts';
import { dropSnapshot, type Replays } from './opening.ts';
import { removeLogLeftovers } from './wal/checkpoint.ts';
import type { LogMetrics } from './wal/log-metrics.ts';
import { LogWriter } from './wal/log-writer.ts';
import { listCheckpoints, listSegments } from './wal/segments.ts';

/** The parts of a database. */
export interface DbParts {
  readonly dir: string;
  readonly logDir: string;
  /** The log of out-of-order samples; absent where there never were any and none are taken. */
  readonly outOfOrderDir: string;
  readonly settings: DbSettings;
  readonly head: Head;
  readonly store: BlockStore;
  readonly metrics: DbMetrics;
  readonly ulids: UlidSource;
}

/** Opens the blocks. The head is empty and refuses what is in blocks. */
export async function openBlocks(parts: DbParts): Promise<void> {
  const { head, store, settings, logDir, outOfOrderDir } = parts;
  store.removeLeftovers();
  removeLogLeftovers(logDir);
  removeLogLeftovers(outOfOrderDir);
  await store.reload({ setAside: true });
  head.coverBefore(coveredUntil(store.blocks, settings.clock.now() + settings.futureMs));
}

/** Starts new segments of the logs, once they are in the head, and removes what is out of date then. */
export async function openLogs(parts: DbParts, replays: Replays): Promise<void> {
  const { dir, head, metrics, settings, logDir, outOfOrderDir } = parts;
  const { inOrder, outOfOrder } = replays;
  head.log = openLog(settings, logDir, metrics.log);
  if (settings.outOfOrderMs > 0) {
    head.outOfOrderLog = openLog(settings, outOfOrderDir, metrics.outOfOrderLog);
  }
  // What is not kept of Prometheus' logs may be in its caches alone, and its marks point into them.
  if (inOrder.damages === 0 && outOfOrder.damages === 0 && outOfOrder.skipped.size === 0) {
    if (outOfOrder.markers > 0) await withoutMarkers(parts);
    removeHeadCaches(dir);
  }
  dropSnapshot(parts);
}

function openLog(settings: DbSettings, dir: string, metrics: LogMetrics): LogWriter {
  const { clock, logger, logCompression, logSegmentBytes, logFs } = settings;
  return LogWriter.open(dir, {
    logger,
    monotonic: () => clock.monotonic(),
    metrics,
    compress: logCompression,
    ...(logSegmentBytes !== undefined && { segmentBytes: logSegmentBytes }),
    ...(logFs && { fs: logFs }),
  });
}

async function withoutMarkers({ head, settings, metrics, outOfOrderDir }: DbParts): Promise<void> {
  const slicer = new Slicer(() => settings.clock.monotonic());
  const log = head.outOfOrderLog ?? openLog(settings, outOfOrderDir, metrics.outOfOrderLog);
  await rewriteOutOfOrderLog(head, outOfOrderDir, log, slicer);
  if (log !== head.outOfOrderLog) await log.close();
}

/** The parts over a directory; nothing is read yet. */
export function newParts(dir: string, options: DbOptions): DbParts {
  const settings = withDefaults(options);
  const { clock, logger, registry } = settings;
  const logDir = join(dir, 'wal');
  const outOfOrderDir = join(dir, 'wbl');
  const metrics = newDbMetrics(registry, () => ({
    blocks: store.blocks.length,
    blockBytes: store.sizeBytes,
    coldBlocks: store.coldBlocks.length,
    coldBytes: store.coldBlocks.reduce((sum, block) => sum + block.sizeBytes, 0),
    logBytes: logBytes(logDir),
    outOfOrderLogBytes: logBytes(outOfOrderDir),
    lowestTime: orNaN(Math.min(store.blocks[0]?.meta.minTime ?? Infinity, head.oldestTime)),
    paused: head.paused,
  }));
  metrics.retentionBytes.set(settings.retentionBytes);
  metrics.retentionSeconds.set(settings.retentionMs / 1000);
  const store = new BlockStore(dir, logger, metrics);
  const head = new Head({
    clock,
    logger,
    registry,
    chunkRangeMs: settings.blockRangeMs,
    seriesMax: settings.seriesMax,
    futureMs: settings.futureMs,
    outOfOrderMs: settings.outOfOrderMs,
    exemplarsMax: settings.exemplarsMax,
    ...(settings.headBytesMax !== undefined && { bytesMax: settings.headBytesMax }),
  });
  const ulids = new UlidSource(() => clock.now(), settings.fillRandom);
  return { dir, logDir, outOfOrderDir, settings, head, store, metrics, ulids };
}

/**
 * End of the newest block that is not in the future, from where on the head takes samples. A block of
 * out-of-order samples may lie where the samples in order are still in the log.
 */
export function coveredUntil(blocks: readonly Block[], latest: number): number {
  const ends = blocks
    .filter(block => !isOutOfOrder(block.meta))
    .map(block => block.meta.maxTime)
    .filter(end => end <= latest);
  return Math.max(Number.NEGATIVE_INFINITY, ...ends);
}

/**
 * Prometheus keeps chunks of the logs' samples apart so that it starts faster. They are of no use here and
 * would be out of date for a Prometheus that opens the directory later.
 */
function removeHeadCaches(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (name !== 'chunks_head' && !name.startsWith('chunk_snapshot.')) continue;
    rmSync(join(dir, name), { recursive: true, force: true });
  }
}

function orNaN(time: number): number {
  return Number.isFinite(time) ? time : Number.NaN;
}

/** Bytes of the log and its checkpoints. */
export function logBytes(logDir: string): number {
  const dirs = [logDir, ...listCheckpoints(logDir).map(({ path }) => path)];
  return dirs.flatMap(listSegments).reduce((sum, segment) => sum + segment.bytes, 0);
}
