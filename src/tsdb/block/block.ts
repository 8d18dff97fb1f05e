// A persisted block: an immutable time range of series in one directory, readable as any other store.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Matcher } from '../../labels/matcher.ts';
import { systemClock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Querier, Queryable } from '../../storage/queryable.ts';
import { SegmentReader } from '../chunks/segment-reader.ts';
import { FileSource } from '../file-source.ts';
import { replaceFile } from '../file-writer.ts';
import { IndexReader } from '../index/index-reader.ts';
import { postingsForMatchers } from '../index/postings-for-matchers.ts';
import { type BlockParts, BlockQuerier } from './block-querier.ts';
import { type ChunkStore, StandardChunks } from './chunk-store.ts';
import {
  type BlockMeta,
  hasMistakenIndexVersion,
  META_FILE,
  parseMeta,
  serialiseMeta,
} from './meta.ts';
import { readTombstones, TOMBSTONES_FILE, type Tombstones, writeTombstones } from './tombstones.ts';

const SERIES_AT_ONCE = 1024;

/** How a block is opened. */
export interface BlockOptions {
  /** Symbols and postings table stay in memory up to this many bytes each. Default 4 MiB. */
  readonly residentBytesMax?: number;
}

/** Reads and checks meta.json of a block directory. Throws `corrupt`, and `not-found` without the file. */
export async function readMeta(dir: string, file: string = META_FILE): Promise<BlockMeta> {
  const path = join(dir, file);
  try {
    return parseMeta(await readFile(path, 'utf8'), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new OutpostError('not-found', `read block meta: no such file: ${path}`, { cause: error });
  }
}

/** Replaces meta.json, surviving a crash at any moment. */
export function writeMeta(dir: string, meta: BlockMeta, file: string = META_FILE): Promise<void> {
  return replaceFile(join(dir, file), serialiseMeta(meta));
}

/** Samples of some series to delete: minTime ≤ t ≤ maxTime. */
export interface SeriesDeletion {
  /** As postings have them: sorted and unique. */
  readonly ids: Uint32Array;
  readonly minTime: number;
  readonly maxTime: number;
}

/** An open block. It never changes but for its tombstones. */
export class Block implements Queryable {
  readonly dir: string;
  /** Bytes of all its files when it was opened. */
  readonly sizeBytes: number;
  /** Name of its meta's file in `dir`; it tells standard blocks from cold ones. */
  readonly metaFile: string;
  #meta: BlockMeta;
  #tombstones: Tombstones;
  readonly #index: IndexReader;
  readonly #chunks: ChunkStore;
  #readers = 0;
  #closed = false;
  #idle: (() => void) | null = null;
  #deleting: Promise<unknown> = Promise.resolve();

  /** A block over parts that are open; it owns them. `metaFile` is its meta's file name in `dir`. */
  constructor(dir: string, sizeBytes: number, parts: BlockParts, metaFile: string = META_FILE) {
    this.dir = dir;
    this.sizeBytes = sizeBytes;
    this.metaFile = metaFile;
    this.#meta = parts.meta;
    this.#tombstones = parts.tombstones;
    this.#index = parts.index;
    this.#chunks = parts.chunks;
  }

  /** Opens a block directory; its files are only read. Throws `corrupt` and `not-found`. */
  static async open(dir: string, options: BlockOptions = {}): Promise<Block> {
    const meta = await readMeta(dir);
    const tombstones = await readTombstones(dir);
    const small = await fileBytes(join(dir, META_FILE), join(dir, TOMBSTONES_FILE));
    const source = await FileSource.open(join(dir, 'index'));
    try {
      const index = await IndexReader.open(source, {
        ...options,
        ...(hasMistakenIndexVersion(meta) && { version: 2 }),
      });
      const segments = await SegmentReader.openDirectory(join(dir, 'chunks'));
      const sizeBytes = small + source.size + segments.sizeBytes;
      const chunks = new StandardChunks(segments);
      return new Block(dir, sizeBytes, { meta, tombstones, index, chunks });
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** What meta.json says, with the current number of tombstones. */
  get meta(): BlockMeta {
    return this.#meta;
  }

  /**
   * Reads minTime ≤ t ≤ maxTime, both inclusive. The querier sees the block as it is now; close it, since
   * the block's files stay open for it.
   */
  querier(minTime: number, maxTime: number): Querier {
    if (this.#closed) throw new OutpostError('unavailable', `read a closed block: ${this.dir}`);
    this.#readers++;
    return new BlockQuerier(this.parts, { minTime, maxTime }, () => {
      if (--this.#readers === 0) this.#idle?.();
    });
  }

  /**
   * Marks samples with minTime ≤ t ≤ maxTime of the matching series as deleted and resolves to the number of
   * series concerned. Queriers opened before do not see it; compaction frees the space.
   */
  delete(minTime: number, maxTime: number, matchers: readonly Matcher[]): Promise<number> {
    return this.deleteSeries(async ({ index }) => {
      const ids = await postingsForMatchers(index, matchers);
      return [{ ids, minTime, maxTime }];
    });
  }

  /** Deletes as `delete` does, from the series that `choose` finds; all of it shows at once. */
  deleteSeries(choose: (parts: BlockParts) => Promise<readonly SeriesDeletion[]>): Promise<number> {
    const run = this.#deleting.then(() => this.#delete(choose));
    this.#deleting = run.catch(() => {}); // the caller learns of it; the next deletion starts anew
    return run;
  }

  /** Refuses new queriers, waits until the last one is closed, and closes the files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#readers > 0) await new Promise<void>(resolve => (this.#idle = resolve));
    await this.#index.close();
    await this.#chunks.close();
  }

  async #delete(
    choose: (parts: BlockParts) => Promise<readonly SeriesDeletion[]>,
  ): Promise<number> {
    const deletions = await choose(this.parts);
    const slicer = new Slicer(systemClock.monotonic);
    await slicer.pause();
    const tombstones = await this.#tombstones.copy(slicer);
    let count = 0;
    for (const deletion of deletions) count += await this.#mark(deletion, tombstones, slicer);
    if (count === 0) return 0;
    const stats = { ...this.#meta.stats, numTombstones: tombstones.count };
    const meta = { ...this.#meta, stats };
    await writeTombstones(this.dir, tombstones, slicer);
    await writeMeta(this.dir, meta, this.metaFile);
    this.#tombstones = tombstones;
    this.#meta = meta;
    return count;
  }

  /** Adds the ranges of those series that have samples there; how many they are. */
  async #mark(deletion: SeriesDeletion, tombstones: Tombstones, slicer: Slicer): Promise<number> {
    const { minTime, maxTime } = this.#meta;
    const range = {
      minTime: Math.max(deletion.minTime, minTime),
      // A block with one moment only says minTime = maxTime although maxTime is exclusive.
      maxTime: Math.min(deletion.maxTime, Math.max(minTime, maxTime - 1)),
    };
    if (range.minTime > range.maxTime) return 0;
    const { ids } = deletion;
    let count = 0;
    for (let at = 0; at < ids.length; at += SERIES_AT_ONCE) {
      if (slicer.due) await slicer.pause();
      const entries = await this.#index.series(ids.subarray(at, at + SERIES_AT_ONCE), range);
      entries.ids.forEach((id, i) => {
        if (entries.chunkStarts[i] === entries.chunkStarts[i + 1]) return;
        tombstones.add(id, range);
        count++;
      });
    }
    return count;
  }

  /** What it consists of now, for maintenance; valid until `close`. */
  get parts(): BlockParts {
    return {
      meta: this.#meta,
      tombstones: this.#tombstones,
      index: this.#index,
      chunks: this.#chunks,
    };
  }
}

/** Bytes of files together; those that are absent have none. */
export async function fileBytes(...paths: readonly string[]): Promise<number> {
  let size = 0;
  for (const path of paths) size += (await stat(path).catch(() => null))?.size ?? 0;
  return size;
}
