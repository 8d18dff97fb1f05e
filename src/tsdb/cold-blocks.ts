// Freezes blocks that are old enough, and thaws them into snapshots. At every moment at least one form of
// a block is whole on disk; where a crash leaves both, the next start keeps the standard one.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Block } from './block/block.ts';
import { type BlockJob, discardResult } from './block-jobs/block-job.ts';
import { isCold } from './cold/any-block.ts';
import { planFreeze } from './cold/plan-freeze.ts';
import { compactionRanges } from './compact/plan.ts';
import type { DbParts } from './db-parts.ts';
import { hasRoomFor } from './disk-space.ts';
import { syncDirectory } from './wal/sync-directory.ts';

// Cutting the head, deletions and snapshots wait meanwhile.
const FREEZES_AT_ONCE = 8;

/** Freezes some of the blocks that are due, oldest first. Call it after compaction. */
export async function freezeOldBlocks(parts: DbParts, signal?: AbortSignal): Promise<void> {
  const { settings, store } = parts;
  const { coldAfterMs, blockRangeMs, compactedRangeMaxMs } = settings;
  if (coldAfterMs === 0) return;
  const byMeta = new Map(store.blocks.map(block => [block.meta, block]));
  const due = planFreeze([...byMeta.keys()], {
    coldAfterMs,
    ranges: compactionRanges(blockRangeMs, compactedRangeMaxMs),
    isCold: meta => isCold(byMeta.get(meta)!),
  });
  const blocks = due.map(meta => byMeta.get(meta)!).filter(block => !store.staysWarm(block));
  for (const block of blocks.slice(0, FREEZES_AT_ONCE)) {
    if (signal?.aborted) return;
    // What is written on the way is smaller than the block.
    if (!(await hasRoomFor(block.sizeBytes, parts.dir, settings))) {
      settings.logger.warn('blocks not frozen: the disk has no room for the result');
      return;
    }
    await freeze(parts, block, signal);
  }
}

async function freeze(parts: DbParts, block: Block, signal?: AbortSignal): Promise<void> {
  const { dir, settings, store, metrics } = parts;
  const { ulid, stats } = block.meta;
  const monotonic = (): number => settings.clock.monotonic();
  const started = monotonic();
  const job: BlockJob = {
    kind: 'freeze',
    dirs: [block.dir],
    parentDir: store.coldDir,
    ulid,
    series: stats.numSeries,
  };
  let cold: Block | null = null;
  try {
    if (!existsSync(store.coldDir)) {
      await mkdir(store.coldDir);
      await syncDirectory(dir);
    }
    const meta = await settings.jobs.run(job, { monotonic, ...(signal && { signal }) });
    cold = meta ? await store.openCold(ulid) : null;
    // In one go: readers see one of the two.
    store.delete([block]);
    store.swap(cold ? [cold] : [], []);
    metrics.freezes.inc();
    settings.logger.info('block frozen', {
      ulid,
      ms: Math.round(monotonic() - started),
      bytes: block.sizeBytes,
      coldBytes: cold?.sizeBytes ?? 0,
    });
  } catch (error) {
    if (store.blocks.includes(block)) await discard(job, cold, settings.logger);
    if (signal?.aborted) return;
    metrics.freezesFailed.inc();
    // Trying again would fail again: it stays as it is while the process lives.
    if (error instanceof OutpostError && error.code !== 'unavailable') store.keepWarm(block);
    throw error;
  }
}

/** The standard block is there still, so what was written of the cold one goes. */
async function discard(job: BlockJob, cold: Block | null, logger: Logger): Promise<void> {
  try {
    await cold?.close();
    await discardResult(job);
  } catch (error) {
    logger.warn('cold block not removed', { ulid: job.ulid, err: error });
  }
}

/** Writes standard blocks with the samples of the cold ones into a directory. */
export async function thawInto({ settings, store }: DbParts, parentDir: string): Promise<void> {
  await mkdir(parentDir, { recursive: true });
  for (const { dir, meta } of store.coldBlocks) {
    await settings.jobs.run(
      { kind: 'thaw', dirs: [dir], parentDir, ulid: meta.ulid, series: meta.stats.numSeries },
      { monotonic: () => settings.clock.monotonic() },
    );
  }
}
