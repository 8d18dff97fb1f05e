// Writes a block anew without its deleted samples. Readers see the old block or the new one; a crash in
// between leaves both, of which the old one goes as the parent of the new.

import { OutpostError } from '../lifecycle/errors.ts';
import type { Block } from './block/block.ts';
import { type BlockMeta, isOutOfOrder } from './block/meta.ts';
import type { DbParts } from './db-parts.ts';
import { hasRoomFor } from './disk-space.ts';
import { truncateLog } from './head/head-truncation.ts';

/**
 * Puts a block without deleted samples in the place of `block`, which readers that have it may read to the
 * end; null where nothing is left. Throws `unavailable` where the disk has no room for a second copy.
 */
export async function rewriteBlock(
  parts: DbParts,
  block: Block,
  signal?: AbortSignal,
): Promise<BlockMeta | null> {
  const { dir, settings, store, metrics, ulids } = parts;
  if (!(await hasRoomFor(block.sizeBytes, dir, settings))) {
    throw new OutpostError(
      'unavailable',
      `write block ${block.meta.ulid} anew: the disk has no room for ${block.sizeBytes} bytes more; free some`,
    );
  }
  const monotonic = (): number => settings.clock.monotonic();
  const started = monotonic();
  const ulid = ulids.next();
  const meta = await settings.jobs.run(
    {
      kind: 'compact',
      dirs: [block.dir],
      parentDir: dir,
      ulid,
      series: block.meta.stats.numSeries,
    },
    { monotonic, ...(signal && { signal }) },
  );
  // The end of the newest block says from where on the log counts. Where that block goes, what the log may
  // still hold from before goes first, lest it come back.
  if (!meta && block === newestInOrder(store.blocks)) {
    await truncateLog(parts.head, parts.logDir, settings.logFs);
  }
  store.swap(meta ? [await store.open(ulid)] : [], []);
  store.delete([block]);
  metrics.compactions.inc();
  metrics.compactionSeconds.observe((monotonic() - started) / 1000);
  settings.logger.info('block written anew without deleted samples', {
    ulid: meta ? ulid : '',
    source: block.meta.ulid,
    samplesBefore: block.meta.stats.numSamples,
    samplesAfter: meta?.stats.numSamples ?? 0,
  });
  return meta;
}

/** The block that says how far blocks go; undefined where none does. */
export function newestInOrder(blocks: readonly Block[]): Block | undefined {
  const inOrder = blocks.filter(({ meta }) => !isOutOfOrder(meta));
  const end = Math.max(...inOrder.map(({ meta }) => meta.maxTime));
  return inOrder.find(({ meta }) => meta.maxTime === end);
}
