// Joins blocks of either form into one: a function of directories, so that it can run anywhere. Chunks
// that do not overlap are carried over byte by byte; everything else is decoded, merged and encoded anew.

import { encodeColumns } from '../../storage/encode-columns.ts';
import { mergeSeriesSets } from '../../storage/merge.ts';
import { SampleColumns } from '../../storage/samples.ts';
import type { Chunk, Series, SeriesSet } from '../../storage/series.ts';
import type { Block } from '../block/block.ts';
import { type SeriesChunks, writeBlock } from '../block/block-writer.ts';
import type { BlockMeta } from '../block/meta.ts';
import { openAnyBlock } from '../cold/any-block.ts';

/** How blocks are compacted. */
export interface CompactOptions {
  /** Id of the new block. */
  readonly ulid: string;
  readonly signal?: AbortSignal;
  /** Milliseconds that never step; for slicing. */
  readonly monotonic?: () => number;
}

/**
 * Writes one block that holds the samples of all the given ones, without those that tombstones delete; at
 * equal times the block given first wins. The sources are only read. Null where nothing is left of them.
 */
export async function compactBlocks(
  dirs: readonly string[],
  parentDir: string,
  options: CompactOptions,
): Promise<BlockMeta | null> {
  const blocks: Block[] = [];
  try {
    for (const dir of dirs) blocks.push(await openAnyBlock(dir));
    return await writeMerged(blocks, parentDir, options);
  } finally {
    await Promise.all(blocks.map(block => block.close()));
  }
}

async function writeMerged(
  blocks: readonly Block[],
  parentDir: string,
  options: CompactOptions,
): Promise<BlockMeta | null> {
  const { signal } = options;
  const queriers = blocks.map(block => block.querier(-Infinity, Infinity));
  try {
    const sets: SeriesSet[] = [];
    for (const querier of queriers) {
      sets.push(await querier.select([], { hints: { sorted: true }, ...(signal && { signal }) }));
    }
    const merged = seriesChunks(mergeSeriesSets(sets));
    return await writeBlock(parentDir, merged, {
      ...options,
      ...compactedMeta(blocks.map(block => block.meta)),
    });
  } finally {
    for (const querier of queriers) querier.close();
  }
}

/** What the meta of a block says that is made of others. */
export function compactedMeta(metas: readonly BlockMeta[]): {
  readonly minTime: number;
  readonly maxTime: number;
  readonly level: number;
  readonly sources: readonly string[];
  readonly parents: readonly { ulid: string; minTime: number; maxTime: number }[];
  readonly hints: readonly string[];
} {
  const sources = new Set(metas.flatMap(meta => meta.compaction.sources));
  const [first, ...others] = metas.map(meta => meta.compaction.hints);
  return {
    minTime: Math.min(...metas.map(meta => meta.minTime)),
    maxTime: Math.max(...metas.map(meta => meta.maxTime)),
    level: Math.max(...metas.map(meta => meta.compaction.level)) + 1,
    sources: [...sources].sort(),
    parents: metas.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
    hints: (first ?? []).filter(hint => others.every(hints => hints.includes(hint))),
  };
}

/** Times a block may hold, Unix ms; `maxTime` is exclusive. */
export interface BlockTimes {
  readonly minTime: number;
  readonly maxTime: number;
}

const ALL_TIMES: BlockTimes = { minTime: -Infinity, maxTime: Infinity };

/**
 * Series of a set as chunks to write, batch by batch; each is merged and encoded when its turn comes. Chunks
 * that reach beyond the times of the block, which must be those of the selection, are encoded anew.
 */
export async function* seriesChunks(
  set: SeriesSet,
  times: BlockTimes = ALL_TIMES,
): AsyncGenerator<Iterable<SeriesChunks>> {
  const columns = new SampleColumns();
  for (let batch = await set.next(); batch; batch = await set.next()) {
    yield encodedLazily(batch, columns, times);
  }
}

function* encodedLazily(
  batch: readonly Series[],
  columns: SampleColumns,
  times: BlockTimes,
): Generator<SeriesChunks> {
  for (const series of batch) {
    const chunks = series.chunks();
    const whole = chunks?.every(chunk => isWithin(chunk, times));
    yield {
      labels: series.labels,
      chunks: chunks && whole ? chunks : encodedAnew(series, columns),
    };
  }
}

function isWithin(chunk: Chunk, { minTime, maxTime }: BlockTimes): boolean {
  return chunk.minTime >= minTime && chunk.maxTime < maxTime;
}

function encodedAnew(series: Series, columns: SampleColumns): Chunk[] {
  columns.clear();
  series.samples(columns);
  return encodeColumns(columns);
}
