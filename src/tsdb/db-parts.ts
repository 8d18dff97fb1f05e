// What a database consists of, and how it comes to life: blocks first, then the log into the head, then
// the log's writer.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Block } from './block/block.ts';
import { UlidSource } from './block/ulid.ts';
import { BlockStore } from './block-store.ts';
import { type DbMetrics, newDbMetrics } from './db-metrics.ts';
import { type DbOptions, type DbSettings, withDefaults } from './db-options.ts';
import { Head } from './head/head.ts';
import { type ReplayReport, replayLog } from './head/log-replay.ts';
import { removeLogLeftovers } from './wal/checkpoint.ts';
import { LogWriter } from './wal/log-writer.ts';
import { listCheckpoints, listSegments } from './wal/segments.ts';

/** The parts of a database. */
export interface DbParts {
  readonly dir: string;
  readonly logDir: string;
  readonly settings: DbSettings;
  readonly head: Head;
  readonly store: BlockStore;
  readonly metrics: DbMetrics;
  readonly ulids: UlidSource;
}

/** Opens the blocks, replays the log and starts a new segment of it; returns what the replay found. */
export async function openParts(parts: DbParts): Promise<ReplayReport> {
  const { dir, head, store, metrics, settings, logDir } = parts;
  const { clock, logger } = settings;
  store.removeLeftovers();
  removeLogLeftovers(logDir);
  await store.reload({ setAside: true });
  head.coverBefore(coveredUntil(store.blocks, clock.now() + settings.futureMs));
  const replay = await replayLog(head, logDir, metrics.log.corruptions);
  if (replay.damages === 0) removeHeadCaches(dir);
  head.log = LogWriter.open(logDir, {
    logger,
    monotonic: () => clock.monotonic(),
    metrics: metrics.log,
    compress: settings.logCompression,
    ...(settings.logSegmentBytes !== undefined && { segmentBytes: settings.logSegmentBytes }),
    ...(settings.logFs && { fs: settings.logFs }),
  });
  return replay;
}

/** The parts over a directory; nothing is read yet. */
export function newParts(dir: string, options: DbOptions): DbParts {
  const settings = withDefaults(options);
  const { clock, logger, registry } = settings;
  const logDir = join(dir, 'wal');
  const metrics = newDbMetrics(registry, () => ({
    blocks: store.blocks.length,
    blockBytes: store.sizeBytes,
    logBytes: logBytes(logDir),
    lowestTime: orNaN(Math.min(store.blocks[0]?.meta.minTime ?? Infinity, head.minTime)),
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
    ...(settings.headBytesMax !== undefined && { bytesMax: settings.headBytesMax }),
  });
  const ulids = new UlidSource(() => clock.now(), settings.fillRandom);
  return { dir, logDir, settings, head, store, metrics, ulids };
}

/** End of the newest block that is not in the future, from where on the head takes samples. */
export function coveredUntil(blocks: readonly Block[], latest: number): number {
  const ends = blocks.map(block => block.meta.maxTime).filter(end => end <= latest);
  return Math.max(Number.NEGATIVE_INFINITY, ...ends);
}

/**
 * Prometheus keeps chunks of the log's samples apart so that it starts faster. They are of no use here and
 * would be out of date for a Prometheus that opens the directory later. Where there is an out-of-order
 * log they hold more than the log does, and stay.
 */
function removeHeadCaches(dir: string): void {
  const outOfOrder = join(dir, 'wbl');
  if (existsSync(outOfOrder) && readdirSync(outOfOrder).length > 0) return;
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
