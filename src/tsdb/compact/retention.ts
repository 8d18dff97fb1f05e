// Which blocks to delete: a pure choice over metas and sizes, as Prometheus makes it. Blocks go whole.

import type { BlockMeta } from '../block/meta.ts';

/** What is known of a block on disk. */
export interface SizedBlock {
  readonly meta: BlockMeta;
  readonly sizeBytes: number;
}

/** Limits; 0 is no limit. */
export interface RetentionLimits {
  readonly retentionMs: number;
  readonly retentionBytes: number;
  /** Bytes that are kept whatever happens: head, log and its checkpoints. */
  readonly otherBytes?: number;
}

/** Why a block may go. */
export type DeletionReason = 'superseded' | 'time' | 'size';

/** One block to delete. */
export interface PlannedDeletion {
  readonly ulid: string;
  readonly reason: DeletionReason;
}

/**
 * The blocks to delete. Superseded are those that compaction left empty and the parents of blocks that are
 * there; by time, those that end a whole retention before the newest block does; by size, the oldest ones
 * until the rest fits.
 */
export function planRetention(
  blocks: readonly SizedBlock[],
  limits: RetentionLimits,
): PlannedDeletion[] {
  const parents = new Set(blocks.flatMap(({ meta }) => meta.compaction.parents.map(p => p.ulid)));
  const out: PlannedDeletion[] = [];
  const kept: SizedBlock[] = [];
  for (const block of blocks) {
    const { ulid, compaction } = block.meta;
    if (compaction.deletable || parents.has(ulid)) out.push({ ulid, reason: 'superseded' });
    else kept.push(block);
  }
  kept.sort((a, b) => b.meta.maxTime - a.meta.maxTime || b.meta.minTime - a.meta.minTime);
  const byTime = beyondTime(kept, limits.retentionMs);
  const bySize = beyondSize(kept, limits);
  kept.forEach(({ meta: { ulid } }, i) => {
    if (i >= byTime) out.push({ ulid, reason: 'time' });
    else if (i >= bySize) out.push({ ulid, reason: 'size' });
  });
  return out;
}

/** Index of the first block, newest first, that is too old. */
function beyondTime(newestFirst: readonly SizedBlock[], retentionMs: number): number {
  const newest = newestFirst[0]?.meta.maxTime ?? 0;
  const at = newestFirst.findIndex(({ meta }) => newest - meta.maxTime >= retentionMs);
  return retentionMs === 0 || at < 0 ? newestFirst.length : at;
}

/** Index of the first block, newest first, that does not fit any more. */
function beyondSize(newestFirst: readonly SizedBlock[], limits: RetentionLimits): number {
  if (limits.retentionBytes === 0) return newestFirst.length;
  let sum = limits.otherBytes ?? 0;
  const at = newestFirst.findIndex(({ sizeBytes }) => (sum += sizeBytes) > limits.retentionBytes);
  return at < 0 ? newestFirst.length : at;
}
