// A data directory as it lies there, read without its lock: blocks and what only the log holds. A process
// may be using the directory meanwhile; nothing in it is changed.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Clock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { mergeQueriers } from '../../storage/merge-queryables.ts';
import type { Querier, Queryable } from '../../storage/queryable.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { Registry } from '../../telemetry/metrics.ts';
import type { Block } from '../../tsdb/block/block.ts';
import { type BlockMeta, isOutOfOrder } from '../../tsdb/block/meta.ts';
import { isUlid } from '../../tsdb/block/ulid.ts';
import { openAnyBlock } from '../../tsdb/cold/any-block.ts';
import { COLD_FOLDER } from '../../tsdb/cold/cold-block.ts';
import { PageCache } from '../../tsdb/cold/page-cache.ts';
import { Head } from '../../tsdb/head/head.ts';
import { type ReplayReport, replayLog } from '../../tsdb/head/log-replay.ts';
import { replayOutOfOrderLog } from '../../tsdb/head/out-of-order/out-of-order-replay.ts';

const BLOCK_RANGE_MS = 2 * 3_600_000;
const FUTURE_MS = 10 * 60_000;
const SERIES_MAX = 50_000_000;
// The log of a running process may lose its oldest segments while it is read.
const ATTEMPTS = 3;

const PAGE_CACHE_BYTES = 32 * 1024 * 1024;

/** Samples that are not in blocks yet. */
export interface LoggedHead {
  readonly head: Head;
  readonly replay: ReplayReport;
}

/** The names of a directory's standard blocks, oldest id first. Throws `not-found` where there is no directory. */
export function blockNames(dir: string): string[] {
  try {
    return readdirSync(dir).filter(isUlid).sort();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cause;
    throw new OutpostError('not-found', `open data directory: there is none at ${dir}`, { cause });
  }
}

/** The directories of all blocks, standard and cold, by id; as a database takes them at its start. */
export function blockDirectories(dir: string): string[] {
  const standard = blockNames(dir);
  const coldDir = join(dir, COLD_FOLDER);
  const cold = existsSync(coldDir) ? blockNames(coldDir) : [];
  const only = cold.filter(name => !standard.includes(name));
  const paths = [
    ...standard.map(name => join(dir, name)),
    ...only.map(name => join(coldDir, name)),
  ];
  return paths.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
}

/** Replays the logs of a directory; null where they hold no sample that is not in blocks. */
export async function readLoggedHead(
  dir: string,
  metas: readonly BlockMeta[],
  clock: Clock,
): Promise<LoggedHead | null> {
  const logDir = join(dir, 'wal');
  for (let attempt = 1; existsSync(logDir); attempt++) {
    const head = new Head({
      clock,
      logger: silentLogger,
      registry: new Registry(),
      chunkRangeMs: BLOCK_RANGE_MS,
      seriesMax: SERIES_MAX,
      futureMs: FUTURE_MS,
    });
    head.coverBefore(coveredUntil(metas, clock.now()));
    try {
      const replay = await replayLog(head, logDir, undefined, { readOnly: true });
      await replayOutOfOrderLog(head, join(dir, 'wbl'), undefined, { readOnly: true });
      return Number.isFinite(head.oldestTime) ? { head, replay } : null;
    } catch (error) {
      const vanished = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!vanished || attempt >= ATTEMPTS) throw error;
    }
  }
  return null;
}

/** From where on the log's samples count: what lies before is in blocks, as a database says at its start. */
export function coveredUntil(metas: readonly BlockMeta[], now: number): number {
  const inOrder = metas.filter(meta => !isOutOfOrder(meta));
  const ends = inOrder.map(meta => meta.maxTime).filter(end => end <= now + FUTURE_MS);
  return Math.max(Number.NEGATIVE_INFINITY, ...ends);
}

/** Open blocks and the head; a store like any other. Close it. */
export class ReadOnlyDatabase implements Queryable {
  /** By time. */
  readonly blocks: readonly Block[];
  /** Null where all samples are in blocks. */
  readonly logged: LoggedHead | null;

  private constructor(blocks: readonly Block[], logged: LoggedHead | null) {
    this.blocks = blocks;
    this.logged = logged;
  }

  /** Opens everything. Throws `corrupt` for a damaged block and `not-found` without a directory. */
  static async open(dir: string, clock: Clock): Promise<ReadOnlyDatabase> {
    const blocks: Block[] = [];
    try {
      const cache = new PageCache(PAGE_CACHE_BYTES);
      for (const path of blockDirectories(dir)) {
        const block = await openIfThere(path, cache);
        if (block) blocks.push(block);
      }
      const metas = blocks.map(block => block.meta);
      const logged = await readLoggedHead(dir, metas, clock);
      return new ReadOnlyDatabase(blocks.sort(byTime), logged);
    } catch (error) {
      await Promise.all(blocks.map(block => block.close()));
      throw error;
    }
  }

  querier(minTime: number, maxTime: number): Querier {
    const queriers = this.blocks
      .filter(({ meta }) => meta.minTime <= maxTime && lastTime(meta) >= minTime)
      .map(block => block.querier(minTime, maxTime));
    if (this.logged) queriers.push(this.logged.head.querier(minTime, maxTime));
    return mergeQueriers(queriers);
  }

  async close(): Promise<void> {
    await Promise.all(this.blocks.map(block => block.close()));
  }
}

/** Unix ms of the newest sample a block may hold. */
export function lastTime({ minTime, maxTime }: BlockMeta): number {
  return Math.max(minTime, maxTime - 1);
}

function byTime(a: Block, b: Block): number {
  return a.meta.minTime - b.meta.minTime || a.meta.maxTime - b.meta.maxTime;
}

/** Null for a block that its owner deleted since its name was read. */
async function openIfThere(dir: string, cache: PageCache): Promise<Block | null> {
  try {
    return await openAnyBlock(dir, { cache });
  } catch (error) {
    if (!existsSync(dir)) return null;
    throw error;
  }
}
