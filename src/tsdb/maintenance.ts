// What keeps a database in shape: cutting blocks, truncating head and log, compaction, retention. Each is
// one step of `Db.maintain`; a step that fails is counted and tried again the next time.

import { OutpostError } from '../lifecycle/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Block, writeMeta } from './block/block.ts';
import type { BlockMeta } from './block/meta.ts';
import { firstWins } from './block-store.ts';
import { compactionRanges, planCompaction } from './compact/plan.ts';
import { planRetention } from './compact/retention.ts';
import { type DbParts, logBytes } from './db-parts.ts';
import { hasRoomForAll } from './disk-space.ts';
import { clearHead, truncateHead, truncateLog } from './head/head-truncation.ts';
import { planHeadCut, type TimeRange, writeHeadBlock } from './head-blocks.ts';
import { cutOutOfOrder } from './out-of-order-blocks.ts';
import { noteRemoved } from './retention/retention-metrics.ts';
import { longestRetention, retentionsOf } from './retention/retention-policy.ts';

/** Cuts every range that is ready from the head, then shortens the log. */
export async function cutHead(parts: DbParts, signal?: AbortSignal): Promise<void> {
  const { head, settings } = parts;
  let cut = false;
  for (;;) {
    const range = planHeadCut(head, settings.blockRangeMs);
    if (!range || signal?.aborted) break;
    await cutRange(parts, range, signal);
    cut = true;
  }
  if (cut) await truncateLog(head, parts.logDir, settings.logFs);
}

/**
 * Moves everything in the head to blocks, whatever its time, so that the head can start afresh: a clock
 * that stepped back would otherwise make every series refuse samples until it has caught up. Samples
 * that arrive meanwhile are refused.
 */
export async function emptyHead(parts: DbParts, validFrom: number): Promise<void> {
  const { head, settings } = parts;
  const range = settings.blockRangeMs;
  const before = { minValidTime: head.minValidTime, visibleFrom: head.visibleFrom };
  head.minValidTime = Number.POSITIVE_INFINITY;
  try {
    await cutOutOfOrder(parts);
    while (Number.isFinite(head.minTime)) {
      const end = (Math.floor(head.minTime / range) + 1) * range;
      await cutRange(parts, { minTime: head.minTime, maxTime: end }, undefined);
      before.visibleFrom = head.visibleFrom;
    }
    await clearHead(head);
    await truncateLog(head, parts.logDir, settings.logFs);
    before.visibleFrom = validFrom;
    before.minValidTime = validFrom;
  } finally {
    head.minValidTime = before.minValidTime;
    head.visibleFrom = before.visibleFrom;
  }
}

async function cutRange(
  { dir, head, store, metrics, ulids, settings }: DbParts,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<void> {
  const monotonic = (): number => settings.clock.monotonic();
  const started = monotonic();
  const ulid = ulids.next();
  const meta = await writeHeadBlock(head, dir, range, {
    ulid,
    monotonic,
    ...(signal && { signal }),
  });
  const block = meta ? await store.open(ulid) : null;
  // From the first line of truncateHead on readers see the range in the block and not in the head.
  if (block) store.swap([block], []);
  await truncateHead(head, range.maxTime);
  if (!meta) return;
  metrics.blocksCut.inc();
  metrics.compactions.inc();
  metrics.compactionSeconds.observe((monotonic() - started) / 1000);
  settings.logger.info('block cut from the head', {
    ulid,
    minTime: range.minTime,
    maxTime: range.maxTime,
    series: meta.stats.numSeries,
    samples: meta.stats.numSamples,
  });
}

/** Joins blocks until nothing is left to join. */
export async function compact(parts: DbParts, signal?: AbortSignal): Promise<void> {
  const { settings, store } = parts;
  const ranges = compactionRanges(settings.blockRangeMs, settings.compactedRangeMaxMs);
  while (!signal?.aborted) {
    const cold = new Set(store.coldBlocks.map(block => block.meta));
    const plan = planCompaction(
      store.blocks.map(block => block.meta),
      ranges,
      meta => cold.has(meta),
    );
    if (plan.length === 0 || !(await hasRoomForAll(plan, parts))) return;
    await compactGroup(parts, plan, signal);
  }
}

async function compactGroup(
  { dir, settings, store, metrics, ulids }: DbParts,
  plan: readonly BlockMeta[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const monotonic = (): number => settings.clock.monotonic();
  const started = monotonic();
  const ulid = ulids.next();
  const sources = firstWins(store.blocks.filter(({ meta }) => plan.includes(meta)));
  try {
    const dirs = sources.map(block => block.dir);
    const series = sources.reduce((sum, { meta }) => sum + meta.stats.numSeries, 0);
    const meta = await settings.jobs.run(
      { kind: 'compact', dirs, parentDir: dir, ulid, series },
      { monotonic, ...(signal && { signal }) },
    );
    const made = meta ? [await store.open(ulid)] : [];
    store.swap(made, []);
    store.delete(sources);
  } catch (error) {
    if (signal?.aborted) return;
    metrics.compactionsFailed.inc();
    if (error instanceof OutpostError && error.code !== 'unavailable') {
      // Trying again would fail again: the blocks stay readable and are left alone.
      for (const block of sources) await markFailed(block, settings.logger);
      await store.reopen(sources);
    }
    throw error;
  }
  metrics.compactions.inc();
  metrics.compactionSeconds.observe((monotonic() - started) / 1000);
  settings.logger.info('blocks compacted', {
    ulid,
    sources: plan.map(meta => meta.ulid).join(' '),
  });
}

async function markFailed({ dir, meta, metaFile }: Block, logger: Logger): Promise<void> {
  try {
    await writeMeta(dir, { ...meta, compaction: { ...meta.compaction, failed: true } }, metaFile);
  } catch (error) {
    logger.warn('block not marked', { dir, err: error });
  }
}

/** Deletes what is too old or too much. `byTime` false spares blocks for their age. */
export function applyRetention(parts: DbParts, { byTime }: { readonly byTime: boolean }): void {
  const { settings, store, metrics } = parts;
  const retentions = retentionsOf(settings.retentionPolicies, settings.retentionMs);
  const plan = planRetention(store.blocks, {
    retentionMs: byTime ? longestRetention(retentions) : 0,
    retentionBytes: settings.retentionBytes,
    otherBytes: logBytes(parts.logDir) + logBytes(parts.outOfOrderDir),
  });
  for (const { ulid, reason } of plan) {
    const block = store.blocks.find(one => one.meta.ulid === ulid);
    if (!block) continue;
    if (reason === 'time') metrics.deletedByTime.inc();
    if (reason === 'size') metrics.deletedBySize.inc();
    if (reason !== 'superseded') noteRemoved(metrics.removed, reason, block.meta.stats.numSamples);
    settings.logger.info('block deleted', { ulid, reason });
    store.delete([block]);
  }
}
