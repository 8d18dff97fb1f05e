// Which blocks to compact next: a pure choice over their metas, the levelled scheme of Prometheus. Blocks
// that overlap come first, then neighbours that fill a larger range, then blocks with many deletions.

import { type BlockMeta, isOutOfOrder } from '../block/meta.ts';

const RANGE_FACTOR = 3;
const RANGE_STEPS = 10;
// Share of a block's series with deletions from which rewriting it pays.
const TOMBSTONE_SHARE = 0.05;
// Hints of blocks that hold only some of a time range's series; they merge with their own kind alone.
const PARTIAL_VIEWS = ['from-stale-series', 'from-selected-series'];

/** Block ranges in ms: the smallest times powers of three, up to the largest allowed. */
export function compactionRanges(smallestMs: number, largestMs: number): number[] {
  const ranges = Array.from({ length: RANGE_STEPS }, (_, i) => smallestMs * RANGE_FACTOR ** i);
  return ranges.filter((range, i) => i === 0 || range <= largestMs);
}

/**
 * The blocks to compact into one now, in time order; empty where nothing is to be done. Call again after
 * each compaction. `ranges` are ascending; with one alone, blocks are never joined for their size. Cold
 * blocks are not joined for their size either: what becomes of them is a standard block again.
 */
export function planCompaction(
  metas: readonly BlockMeta[],
  ranges: readonly number[],
  isCold: (meta: BlockMeta) => boolean = () => false,
): readonly BlockMeta[] {
  for (const view of viewsOf(metas)) {
    const sorted = [...view].sort((a, b) => a.minTime - b.minTime || a.maxTime - b.maxTime);
    const overlapping = firstOverlap(sorted);
    if (overlapping.length > 0) return overlapping;
    // The newest block stays as it is for one range, so that backups can take blocks one by one.
    const older = sorted.slice(0, -1);
    const neighbours = firstFullRange(older, ranges, isCold);
    if (neighbours.length > 0) return neighbours;
    const riddled = newestRiddled(older, ranges);
    if (riddled) return [riddled];
  }
  return [];
}

/**
 * Whole views of their time range, and apart from them each kind of partial view. Out-of-order samples of
 * times whose samples in order are not all in blocks yet stay apart, too: joined with others they would
 * make a block that seems to cover that time.
 */
function viewsOf(metas: readonly BlockMeta[]): BlockMeta[][] {
  const views = new Map<string, BlockMeta[]>();
  const inOrder = metas.filter(meta => !isOutOfOrder(meta));
  const covered = Math.max(Number.NEGATIVE_INFINITY, ...inOrder.map(meta => meta.maxTime));
  for (const meta of metas) {
    const ahead = isOutOfOrder(meta) && meta.maxTime > covered ? ['ahead'] : [];
    const partial = PARTIAL_VIEWS.filter(hint => meta.compaction.hints.includes(hint));
    const kind = [...partial, ...ahead].join();
    const view = views.get(kind);
    if (view) view.push(meta);
    else views.set(kind, [meta]);
  }
  return [...views.values()];
}

/** The first run of blocks in which each overlaps one before it. */
function firstOverlap(sorted: readonly BlockMeta[]): readonly BlockMeta[] {
  let from = 0;
  let reach = Number.NEGATIVE_INFINITY;
  for (let i = 0; i <= sorted.length; i++) {
    const meta = sorted[i];
    if (meta && meta.minTime < reach) {
      reach = Math.max(reach, meta.maxTime);
      continue;
    }
    if (i - from > 1) {
      const run = sorted.slice(from, i);
      if (!run.some(({ compaction }) => compaction.failed)) return run;
    }
    from = i;
    reach = meta?.maxTime ?? reach;
  }
  return [];
}

/** Neighbours that together fill an aligned range, or that no later block can join any more. */
function firstFullRange(
  sorted: readonly BlockMeta[],
  ranges: readonly number[],
  isCold: (meta: BlockMeta) => boolean,
): readonly BlockMeta[] {
  const newest = sorted.at(-1);
  if (!newest) return [];
  for (const range of ranges.slice(1)) {
    for (const group of alignedGroups(sorted, range)) {
      if (group.length < 2 || group.some(meta => meta.compaction.failed || isCold(meta))) continue;
      const { minTime } = group[0]!;
      const { maxTime } = group.at(-1)!;
      if (maxTime - minTime === range || maxTime <= newest.minTime) return group;
    }
  }
  return [];
}

/** Blocks by the aligned range they lie in; those that cross a boundary are left out. */
function alignedGroups(sorted: readonly BlockMeta[], range: number): BlockMeta[][] {
  const groups = new Map<number, BlockMeta[]>();
  for (const meta of sorted) {
    const start = Math.floor(meta.minTime / range) * range;
    if (meta.maxTime > start + range) continue;
    const group = groups.get(start);
    if (group) group.push(meta);
    else groups.set(start, [meta]);
  }
  return [...groups.values()];
}

/** The newest block with many deletions, as long as blocks are large; or any without a series left. */
function newestRiddled(
  sorted: readonly BlockMeta[],
  ranges: readonly number[],
): BlockMeta | undefined {
  const large = ranges[Math.floor(ranges.length / 2)] ?? Number.POSITIVE_INFINITY;
  for (const meta of [...sorted].reverse()) {
    if (meta.compaction.failed) continue;
    const { numTombstones, numSeries } = meta.stats;
    if (meta.maxTime - meta.minTime < large) {
      return numTombstones > 0 && numTombstones >= numSeries ? meta : undefined;
    }
    if (numTombstones / (numSeries + 1) > TOMBSTONE_SHARE) return meta;
  }
  return undefined;
}
