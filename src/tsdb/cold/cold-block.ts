// A cold block: a standard index and segments with denser chunks, all in files of compressed pages. It
// lies in a folder of its own and has other file names, so that Prometheus never takes it for a block.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Block, fileBytes, readMeta } from '../block/block.ts';
import { readTombstones, TOMBSTONES_FILE } from '../block/tombstones.ts';
import { SegmentReader } from '../chunks/segment-reader.ts';
import { IndexReader } from '../index/index-reader.ts';
import { ColdChunks } from './cold-chunks.ts';
import { PageCache } from './page-cache.ts';
import { PageSource } from './page-source.ts';

/** The folder of cold blocks in a data directory. */
export const COLD_FOLDER = 'cold';
/** What meta.json is called in a cold block. */
export const COLD_META_FILE = 'cold.json';
export const COLD_INDEX_FILE = 'index.pages';
export const COLD_CHUNKS_FOLDER = 'chunks.pages';

const CACHE_BYTES = 2 * 1024 * 1024;

/** How a cold block is opened. */
export interface ColdBlockOptions {
  /** Symbols and postings table stay in memory up to this many bytes each. Default 4 MiB. */
  readonly residentBytesMax?: number;
  /** Pages kept; give all blocks of a database the same. Default: 2 MiB for this block. */
  readonly cache?: PageCache;
}

/** The files of a cold block as readers of standard ones see them. */
export interface ColdFiles {
  readonly index: PageSource;
  /** In the order of their numbers. */
  readonly segments: readonly PageSource[];
}

/** Opens the files for reading; close each. Throws `corrupt`. */
export async function openColdFiles(dir: string, cache: PageCache): Promise<ColdFiles> {
  const sources: PageSource[] = [];
  try {
    const names = await readdir(join(dir, COLD_CHUNKS_FOLDER));
    const paths = names.sort().map(name => join(COLD_CHUNKS_FOLDER, name));
    for (const path of [COLD_INDEX_FILE, ...paths]) {
      sources.push(await PageSource.open(join(dir, path), cache));
    }
    return { index: sources[0]!, segments: sources.slice(1) };
  } catch (error) {
    await Promise.all(sources.map(source => source.close()));
    throw error;
  }
}

/** Opens a cold block; it reads and deletes as any other. Throws `corrupt` and `not-found`. */
export async function openColdBlock(dir: string, options: ColdBlockOptions = {}): Promise<Block> {
  const meta = await readMeta(dir, COLD_META_FILE);
  const tombstones = await readTombstones(dir);
  const cache = options.cache ?? new PageCache(CACHE_BYTES);
  const files = await openColdFiles(dir, cache);
  try {
    const index = await IndexReader.open(files.index, options);
    const chunkBytes = files.segments.reduce((sum, file) => sum + file.fileBytes, 0);
    const chunks = new ColdChunks(await SegmentReader.open(files.segments), chunkBytes, dir);
    const small = await fileBytes(join(dir, COLD_META_FILE), join(dir, TOMBSTONES_FILE));
    const sizeBytes = small + files.index.fileBytes + chunkBytes;
    return new Block(dir, sizeBytes, { meta, tombstones, index, chunks }, COLD_META_FILE);
  } catch (error) {
    await Promise.all([files.index, ...files.segments].map(source => source.close()));
    throw error;
  }
}
