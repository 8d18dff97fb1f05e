// Frees the space of deleted samples: every block that has some is written anew, one after another.

import type { DbParts } from './db-parts.ts';
import { noteRemoved } from './retention/retention-metrics.ts';
import { rewriteBlock } from './rewrite-block.ts';

/** Ids of the blocks with deleted samples, oldest first. */
export function blocksToClean({ store }: DbParts): readonly string[] {
  return store.blocks
    .filter(({ meta }) => meta.stats.numTombstones > 0)
    .map(({ meta }) => meta.ulid);
}

/** Writes one of them anew; nothing where it has been joined with others since. */
export async function cleanBlock(parts: DbParts, ulid: string, signal: AbortSignal): Promise<void> {
  const block = parts.store.blocks.find(({ meta }) => meta.ulid === ulid);
  if (!block || block.meta.stats.numTombstones === 0) return;
  const before = block.meta.stats.numSamples;
  const meta = await rewriteBlock(parts, block, signal);
  noteRemoved(parts.metrics.removed, 'deleted', before - (meta?.stats.numSamples ?? 0));
}
