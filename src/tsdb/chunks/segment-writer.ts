// Writes the chunk segments of a block.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chunk } from '../../storage/series.ts';
import { FileWriter } from '../file-writer.ts';
import { placeOf } from '../index/series-entries.ts';
import { syncDirectory } from '../wal/sync-directory.ts';
import {
  FRAME_BYTES_MAX,
  SEGMENT_BYTES_MAX,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
  segmentName,
} from './segment-format.ts';

/** Appends chunks to segments in one directory. Order of calls: makeRoom, write, …, finish. */
export class SegmentWriter {
  readonly #dir: string;
  readonly #segmentBytesMax: number;
  #segment = -1;
  #file: FileWriter | null = null;

  private constructor(dir: string, segmentBytesMax: number) {
    this.#dir = dir;
    this.#segmentBytesMax = segmentBytesMax;
  }

  /** Creates the directory. The segment size is a parameter for tests. */
  static async create(dir: string, segmentBytesMax = SEGMENT_BYTES_MAX): Promise<SegmentWriter> {
    await mkdir(dir);
    return new SegmentWriter(dir, segmentBytesMax);
  }

  /** True when the chunks can be written without awaiting `makeRoom` first. */
  hasRoomFor(chunks: readonly Chunk[]): boolean {
    const file = this.#file;
    return file !== null && !file.full && file.position + sizeOf(chunks) <= this.#segmentBytesMax;
  }

  /** Drains the buffer, and begins the next segment where the chunks do not fit into this one. */
  async makeRoom(chunks: readonly Chunk[]): Promise<void> {
    if (this.#file && this.#file.position + sizeOf(chunks) <= this.#segmentBytesMax) {
      await this.#file.drain();
      return;
    }
    await this.#file?.finish();
    this.#segment++;
    this.#file = await FileWriter.create(join(this.#dir, segmentName(this.#segment)));
    this.#file.buffer.u32(SEGMENT_MAGIC);
    this.#file.buffer.u8(SEGMENT_VERSION);
    this.#file.buffer.zeros(3);
  }

  /** Appends one series' chunks and returns their places; copies the data. */
  write(chunks: readonly Chunk[]): number[] {
    const file = this.#file!;
    const { buffer } = file;
    return chunks.map(chunk => {
      const place = placeOf(this.#segment, file.position);
      buffer.uvarint(chunk.data.length);
      const from = buffer.length;
      buffer.u8(chunk.encoding);
      buffer.raw(chunk.data);
      buffer.crcFrom(from);
      return place;
    });
  }

  /** Flushes everything to the device. */
  async finish(): Promise<void> {
    await this.#file?.finish();
    await syncDirectory(this.#dir);
  }

  /** Closes without flushing. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}

function sizeOf(chunks: readonly Chunk[]): number {
  let size = 0;
  for (const chunk of chunks) size += chunk.data.length + FRAME_BYTES_MAX;
  return size;
}
