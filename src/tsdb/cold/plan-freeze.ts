// Which blocks to freeze: a pure choice over metas.

import type { BlockMeta } from '../block/meta.ts';

/** What decides it. */
export interface FreezePlanOptions {
  /** How much older than the newest block a block is that is frozen. */
  readonly coldAfterMs: number;
  /** Ranges that compaction joins blocks to, ascending. */
  readonly ranges: readonly number[];
  readonly isCold: (meta: BlockMeta) => boolean;
}

/**
 * The standard blocks that are old enough and that compaction, after it has found nothing more to do, will
 * not join with a later block; oldest first.
 */
export function planFreeze(
  metas: readonly BlockMeta[],
  { coldAfterMs, ranges, isCold }: FreezePlanOptions,
): readonly BlockMeta[] {
  const sorted = [...metas].sort((a, b) => a.minTime - b.minTime || a.maxTime - b.maxTime);
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...metas.map(meta => meta.maxTime));
  const range = ranges.at(-1)!;
  // Compaction leaves the newest block alone, and joins those before it once their range has passed.
  const passed = sorted.at(-2)?.minTime ?? Number.NEGATIVE_INFINITY;
  return sorted.filter(meta => {
    if (isCold(meta) || meta.compaction.failed || meta.compaction.deletable) return false;
    const end = (Math.floor(meta.minTime / range) + 1) * range;
    return newest - meta.maxTime >= coldAfterMs && Math.max(end, meta.maxTime) <= passed;
  });
}
