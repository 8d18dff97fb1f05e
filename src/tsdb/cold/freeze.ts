// Writes cold blocks from blocks, and back. A frozen block keeps its id: where a crash leaves both, they
// hold the same samples and either can go.

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../lifecycle/clock.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Series } from '../../storage/series.ts';
import type { Block } from '../block/block.ts';
import { CREATION_SUFFIX, writeBlock } from '../block/block-writer.ts';
import { type BlockMeta, serialiseMeta } from '../block/meta.ts';
import { Tombstones, writeTombstones } from '../block/tombstones.ts';
import { segmentName } from '../chunks/segment-format.ts';
import { SegmentWriter } from '../chunks/segment-writer.ts';
import { seriesChunks } from '../compact/compactor.ts';
import { replaceFile } from '../file-writer.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { syncDirectory } from '../wal/sync-directory.ts';
import { COLD_CHUNKS_FOLDER, COLD_INDEX_FILE, COLD_META_FILE } from './cold-block.ts';
import { ColdSeriesWriter, type ColdStats } from './cold-series-writer.ts';
import { compressFile } from './page-file.ts';

const SLICE_MS = 5;
const RAW_INDEX = 'index.raw';
const RAW_CHUNKS = 'chunks.raw';

/** How a block is frozen or thawed. */
export interface FreezeOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds that never step; for slicing. */
  readonly monotonic?: () => number;
}

/**
 * Writes `<parentDir>/<ulid>` with the samples of `block`, those left out that tombstones delete, and
 * resolves when it would survive a power cut; null, and no directory, where nothing is left. The block is
 * only read and must stay open meanwhile. Leaves nothing behind when it throws.
 */
export async function freezeBlock(
  block: Block,
  parentDir: string,
  options: FreezeOptions = {},
): Promise<BlockMeta | null> {
  const slicer = new Slicer(options.monotonic ?? systemClock.monotonic, options.signal, SLICE_MS);
  const target = join(parentDir, block.meta.ulid);
  const dir = target + CREATION_SUFFIX;
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  try {
    const stats = await writeSeries(block, dir, slicer, options.signal);
    if (stats.numSeries === 0) return null;
    await compressAll(dir, slicer);
    const meta = frozenMeta(block.meta, stats);
    await writeTombstones(dir, new Tombstones());
    await replaceFile(join(dir, COLD_META_FILE), serialiseMeta(meta));
    await rename(dir, target);
    await syncDirectory(parentDir);
    return meta;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Writes the standard block `<parentDir>/<ulid>` with the samples of a cold one; else as `freezeBlock`. */
export async function thawBlock(
  block: Block,
  parentDir: string,
  options: FreezeOptions = {},
): Promise<BlockMeta | null> {
  const { meta } = block;
  const { level, sources, parents, hints } = meta.compaction;
  const querier = block.querier(-Infinity, Infinity);
  try {
    const set = await querier.select([], { hints: { sorted: true } });
    const { ulid, minTime, maxTime, rest } = meta;
    const target = { ulid, minTime, maxTime, level, sources, parents, hints, rest };
    return await writeBlock(parentDir, seriesChunks(set), { ...options, ...target });
  } finally {
    querier.close();
  }
}

async function writeSeries(
  block: Block,
  dir: string,
  slicer: Slicer,
  signal: AbortSignal | undefined,
): Promise<ColdStats> {
  const segments = await SegmentWriter.create(join(dir, RAW_CHUNKS));
  const index = await IndexWriter.create(join(dir, RAW_INDEX));
  const writer = new ColdSeriesWriter(segments, index);
  const querier = block.querier(-Infinity, Infinity);
  const add = async (series: Series): Promise<void> => {
    await writer.add(series);
    if (slicer.due) await slicer.pause();
  };
  try {
    const set = await querier.select([], { hints: { sorted: true }, ...(signal && { signal }) });
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) await add(series);
    }
    if (writer.stats.numSeries > 0) {
      await segments.finish();
      await index.finish(slicer);
    }
    return writer.stats;
  } finally {
    querier.close();
    await segments.close();
    await index.close();
  }
}

async function compressAll(dir: string, slicer: Slicer): Promise<void> {
  await compressFile(join(dir, RAW_INDEX), join(dir, COLD_INDEX_FILE), slicer);
  await rm(join(dir, RAW_INDEX));
  await mkdir(join(dir, COLD_CHUNKS_FOLDER));
  for (let segment = 0; ; segment++) {
    const name = segmentName(segment);
    try {
      await compressFile(join(dir, RAW_CHUNKS, name), join(dir, COLD_CHUNKS_FOLDER, name), slicer);
    } catch (error) {
      if (segment > 0 && (error as NodeJS.ErrnoException).code === 'ENOENT') break;
      throw error;
    }
  }
  await rm(join(dir, RAW_CHUNKS), { recursive: true });
  await syncDirectory(join(dir, COLD_CHUNKS_FOLDER));
}

function frozenMeta(meta: BlockMeta, stats: ColdStats): BlockMeta {
  const { numFloatSamples, numHistogramSamples } = stats;
  const numSamples = numFloatSamples + numHistogramSamples;
  return { ...meta, stats: { ...stats, numSamples, numTombstones: 0 } };
}
