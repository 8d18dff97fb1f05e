// Writes a block: segments, index, meta and empty tombstones go into a temporary directory that is
// renamed once everything is on the device, so a block is either whole or not there.

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Labels } from '../../labels/labels.ts';
import { systemClock } from '../../lifecycle/clock.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Chunk } from '../../storage/series.ts';
import { SegmentWriter } from '../chunks/segment-writer.ts';
import { replaceFile } from '../file-writer.ts';
import { IndexWriter } from '../index/index-writer.ts';
import { syncDirectory } from '../wal/sync-directory.ts';
import { type ChunkCounts, countSamples } from './chunk-samples.ts';
import { type BlockMeta, type BlockParent, META_FILE, serialiseMeta } from './meta.ts';
import { Tombstones, writeTombstones } from './tombstones.ts';

/** Suffix of a block directory that is being written; such directories are removed on start. */
export const CREATION_SUFFIX = '.tmp-for-creation';
/** Suffix of a block directory that is being deleted; such directories are removed on start. */
export const DELETION_SUFFIX = '.tmp-for-deletion';

// Half of what others take at a time: writing is never urgent, and one series may take a while.
const SLICE_MS = 5;

/** One series to write. */
export interface SeriesChunks {
  readonly labels: Labels;
  /** In time order without overlap; borrowed until the next series or batch is asked for. */
  readonly chunks: readonly Chunk[];
}

/**
 * Series in label order: one by one, or in batches where producing them takes I/O. Writing pauses between
 * two series when it has held the event loop long enough, so iterables that work lazily are sliced too.
 */
export type SeriesToWrite = Iterable<SeriesChunks> | AsyncIterable<Iterable<SeriesChunks>>;

/** What is known about a block before it is written. */
export interface WriteBlockOptions {
  readonly ulid: string;
  readonly minTime: number;
  /** Exclusive, Unix ms. */
  readonly maxTime: number;
  readonly level: number;
  /** Default: the block itself. */
  readonly sources?: readonly string[];
  readonly parents?: readonly BlockParent[];
  readonly hints?: readonly string[];
  /** Further keys of meta.json, for instance `thanos`. */
  readonly rest?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Milliseconds that never step; for slicing. */
  readonly monotonic?: () => number;
  /** For tests. Default 512 MiB. */
  readonly segmentBytesMax?: number;
}

/**
 * Writes `<parentDir>/<ulid>` and resolves when it would survive a power cut; null, and no directory, where
 * no series has a chunk. Throws `bad-data` for series out of order or chunks that overlap; leaves nothing
 * behind when it throws.
 */
export async function writeBlock(
  parentDir: string,
  series: SeriesToWrite,
  options: WriteBlockOptions,
): Promise<BlockMeta | null> {
  const slicer = new Slicer(options.monotonic ?? systemClock.monotonic, options.signal, SLICE_MS);
  const target = join(parentDir, options.ulid);
  const dir = target + CREATION_SUFFIX;
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  try {
    const stats = await writeSeries(dir, series, slicer, options.segmentBytesMax);
    const meta = stats.numSeries > 0 ? newMeta(options, stats) : null;
    if (meta) {
      await writeTombstones(dir, new Tombstones());
      await replaceFile(join(dir, META_FILE), serialiseMeta(meta));
      await rename(dir, target);
      await syncDirectory(parentDir);
    }
    return meta;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface WrittenStats extends ChunkCounts {
  numSeries: number;
  numChunks: number;
}

async function writeSeries(
  dir: string,
  series: SeriesToWrite,
  slicer: Slicer,
  segmentBytesMax: number | undefined,
): Promise<WrittenStats> {
  const stats = { numSeries: 0, numChunks: 0, numFloatSamples: 0, numHistogramSamples: 0 };
  const segments = await SegmentWriter.create(join(dir, 'chunks'), segmentBytesMax);
  const index = await IndexWriter.create(join(dir, 'index'));
  const add = ({ labels, chunks }: SeriesChunks): void => {
    index.add(labels, chunks, segments.write(chunks));
    for (const chunk of chunks) countSamples(chunk, stats);
    stats.numSeries++;
    stats.numChunks += chunks.length;
  };
  try {
    for await (const batch of batchesOf(series)) {
      for (const one of batch) {
        if (one.chunks.length === 0) continue;
        if (!segments.hasRoomFor(one.chunks)) await segments.makeRoom(one.chunks);
        if (index.full) await index.drain();
        add(one);
        if (slicer.due) await slicer.pause();
      }
    }
    if (stats.numSeries > 0) {
      await segments.finish();
      await index.finish(slicer);
    }
    return stats;
  } finally {
    await Promise.all([segments.close(), index.close()]);
  }
}

async function* batchesOf(series: SeriesToWrite): AsyncGenerator<Iterable<SeriesChunks>> {
  if (Symbol.asyncIterator in series) yield* series;
  else yield series;
}

function newMeta(options: WriteBlockOptions, stats: WrittenStats): BlockMeta {
  const { numFloatSamples, numHistogramSamples } = stats;
  return {
    ulid: options.ulid,
    minTime: options.minTime,
    maxTime: options.maxTime,
    stats: { ...stats, numSamples: numFloatSamples + numHistogramSamples, numTombstones: 0 },
    compaction: {
      level: options.level,
      sources: options.sources ?? [options.ulid],
      parents: options.parents ?? [],
      hints: options.hints ?? [],
      deletable: false,
      failed: false,
    },
    rest: options.rest ?? {},
  };
}
