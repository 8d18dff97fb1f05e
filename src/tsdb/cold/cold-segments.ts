// Segments of a cold block while it is written: one for each stretch of time, so that whoever wants an hour
// of many series does not decompress the rest, and the chunks of one stretch lie series by series.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { Chunk } from '../../storage/series.ts';
import type { BlockMeta } from '../block/meta.ts';
import {
  FRAME_BYTES_MAX,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
  segmentName,
} from '../chunks/segment-format.ts';
import { FileWriter } from '../file-writer.ts';
import { placeOf } from '../index/series-entries.ts';
import { syncDirectory } from '../wal/sync-directory.ts';

// Fewer cost those more who want a short time of many series, more those who want one series for long.
const SAMPLES_WANTED = 2048;
// All are open until the end.
const SEGMENTS_MAX = 64;
// What waits in memory for all segments together.
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024;
const OFFSET_MAX = 0xffff_ffff;

/** Appends chunks to the segment of their time. Order of calls: write and drain, …, finish. */
export class ColdSegments {
  readonly #dir: string;
  readonly #stretchMs: number;
  readonly #first: number;
  readonly #files: FileWriter[] = [];
  #buffered = 0;

  private constructor(dir: string, stretchMs: number, first: number) {
    this.#dir = dir;
    this.#stretchMs = stretchMs;
    this.#first = first;
  }

  /** Creates the directory and the empty segments for the samples of a block. */
  static async create(dir: string, meta: BlockMeta): Promise<ColdSegments> {
    await mkdir(dir);
    const stretchMs = stretchOf(meta);
    const first = Math.floor(meta.minTime / stretchMs);
    const last = Math.floor(Math.max(meta.minTime, meta.maxTime - 1) / stretchMs);
    const segments = new ColdSegments(dir, stretchMs, first);
    try {
      for (let number = 0; number <= last - first; number++) await segments.#add(number);
    } catch (error) {
      await segments.close();
      throw error;
    }
    return segments;
  }

  /** File names of the segments, in order. */
  get names(): readonly string[] {
    return this.#files.map((_, number) => segmentName(number));
  }

  /** True when the caller should await `drain` before it writes more. */
  get full(): boolean {
    return this.#buffered >= BUFFERED_BYTES_MAX;
  }

  /** Appends a chunk and returns its place; copies the data. Throws `limit-exceeded` beyond 4 GiB. */
  write(chunk: Chunk): number {
    const wanted = Math.floor(chunk.minTime / this.#stretchMs) - this.#first;
    // A chunk may begin before its block says it does.
    const number = Math.min(Math.max(wanted, 0), this.#files.length - 1);
    const { buffer, position } = this.#files[number]!;
    if (position + chunk.data.length + FRAME_BYTES_MAX > OFFSET_MAX) {
      throw new OutpostError('limit-exceeded', `write cold block: more than 4 GiB in ${this.#dir}`);
    }
    buffer.uvarint(chunk.data.length);
    const from = buffer.length;
    buffer.u8(chunk.encoding);
    buffer.raw(chunk.data);
    buffer.crcFrom(from);
    this.#buffered += chunk.data.length + FRAME_BYTES_MAX;
    return placeOf(number, position);
  }

  /** Hands everything buffered to the files. */
  async drain(): Promise<void> {
    for (const file of this.#files) await file.drain();
    this.#buffered = 0;
  }

  /** Drains and closes the files. */
  async finish(): Promise<void> {
    for (const file of this.#files) await file.finish();
    await syncDirectory(this.#dir);
  }

  /** Closes without draining; safe more than once. */
  async close(): Promise<void> {
    await Promise.all(this.#files.map(file => file.close()));
  }

  async #add(number: number): Promise<void> {
    const file = await FileWriter.create(join(this.#dir, segmentName(number)));
    this.#files.push(file);
    file.buffer.u32(SEGMENT_MAGIC);
    file.buffer.u8(SEGMENT_VERSION);
    file.buffer.zeros(3);
  }
}

/** A power of two, as the windows of chunks are: none of them lies in two segments. */
function stretchOf({ minTime, maxTime, stats }: BlockMeta): number {
  const range = Math.max(1, maxTime - minTime);
  const samples = Math.max(1, stats.numSamples / Math.max(1, stats.numSeries));
  const wanted = Math.max((range / samples) * SAMPLES_WANTED, range / (SEGMENTS_MAX - 1));
  return 2 ** Math.ceil(Math.log2(wanted));
}
