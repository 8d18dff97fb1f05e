// Writes cold blocks from blocks, and back. A frozen block keeps its id: where a crash leaves both, they
// hold the same samples and either can go.

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../lifecycle/clock.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Block } from '../block/block.ts';
import { CREATION_SUFFIX, writeBlock } from '../block/block-writer.ts';
import { type BlockMeta, serialiseMeta } from '../block/meta.ts';
import { Tombstones, writeTombstones } from '../block/tombstones.ts';
import { seriesChunks } from '../compact/compactor.ts';
import { replaceFile } from '../file-writer.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { syncDirectory } from '../wal/sync-directory.ts';
import { COLD_CHUNKS_FOLDER, COLD_INDEX_FILE, COLD_META_FILE } from './cold-block.ts';
import { ColdSegments } from './cold-segments.ts';
import { ColdSeriesWriter, type ColdStats } from './cold-series-writer.ts';
import { compressFile } from './page-file.ts';

const SLICE_MS = 5;
// What is wanted of an index is small: a list, an entry.
const INDEX_PAGE_BYTES = 8 * 1024;
const CHUNK_PAGE_BYTES = 32 * 1024;
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
    const { stats, segments } = await writeSeries(block, dir, slicer, options.signal);
    if (stats.numSeries === 0) return null;
    await compressAll(dir, segments, slicer);
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
): Promise<{ stats: ColdStats; segments: readonly string[] }> {
  const segments = await ColdSegments.create(join(dir, RAW_CHUNKS), block.meta);
  const querier = block.querier(-Infinity, Infinity);
  let index: IndexWriter | null = null;
  try {
    index = await IndexWriter.create(join(dir, RAW_INDEX));
    const writer = new ColdSeriesWriter(segments, index);
    const set = await querier.select([], { hints: { sorted: true }, ...(signal && { signal }) });
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        if (writer.full) await writer.drain();
        writer.add(series);
        if (slicer.due) await slicer.pause();
      }
    }
    if (writer.stats.numSeries > 0) {
      await segments.finish();
      await index.finish(slicer);
    }
    return { stats: writer.stats, segments: segments.names };
  } finally {
    querier.close();
    await Promise.all([segments.close(), index?.close()]);
  }
}

async function compressAll(
  dir: string,
  segments: readonly string[],
  slicer: Slicer,
): Promise<void> {
  await compressFile(join(dir, RAW_INDEX), join(dir, COLD_INDEX_FILE), {
    pageBytes: INDEX_PAGE_BYTES,
    slicer,
  });
  await mkdir(join(dir, COLD_CHUNKS_FOLDER));
  for (const name of segments) {
    await compressFile(join(dir, RAW_CHUNKS, name), join(dir, COLD_CHUNKS_FOLDER, name), {
      pageBytes: CHUNK_PAGE_BYTES,
      slicer,
    });
  }
  await rm(join(dir, RAW_INDEX));
  await rm(join(dir, RAW_CHUNKS), { recursive: true });
  await syncDirectory(join(dir, COLD_CHUNKS_FOLDER));
}

function frozenMeta(meta: BlockMeta, stats: ColdStats): BlockMeta {
  const { numFloatSamples, numHistogramSamples } = stats;
  const numSamples = numFloatSamples + numHistogramSamples;
  return { ...meta, stats: { ...stats, numSamples, numTombstones: 0 } };
}
