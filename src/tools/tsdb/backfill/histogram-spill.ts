// Histograms on their way into blocks, in a scratch file, one behind the other: `length:u32 float:u8` and the
// histogram as the log has it. They are read back mostly in their order, so a stretch is held at a time.

import { type FileHandle, open } from 'node:fs/promises';
import { WriteBuffer } from '../../../encoding/write-buffer.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { FloatHistogram } from '../../../storage/histogram.ts';
import { HistogramBodyReader, HistogramBodyWriter } from '../../../tsdb/wal/histogram-body.ts';
import { readAll, writeAll } from './scratch-file.ts';

const LENGTH_BYTES = 4;
const BUFFER_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

/** Order of calls: add and drain as needed, drain, then read; close at last. */
export class HistogramSpill {
  readonly #file: FileHandle;
  readonly #buffer = new WriteBuffer(1024);
  readonly #body = new WriteBuffer(1024);
  readonly #writer = new HistogramBodyWriter(this.#body);
  /** Where the buffer's bytes will lie. */
  #start = 0;
  #held: Uint8Array = new Uint8Array(0);
  #heldFrom = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Creates the scratch file. */
  static async create(path: string): Promise<HistogramSpill> {
    return new HistogramSpill(await open(path, 'wx+'));
  }

  /** True when the caller should await `drain` before it adds more. */
  get full(): boolean {
    return this.#buffer.length >= BUFFER_BYTES;
  }

  /** Adds a histogram that can be stored, and says where it lies. */
  add(histogram: FloatHistogram): number {
    const float = !histogram.integer;
    this.#body.reset();
    this.#body.u8(float ? 1 : 0);
    this.#writer.histogram(histogram, float);
    const place = this.#start + this.#buffer.length;
    this.#buffer.u32(this.#body.length);
    this.#buffer.raw(this.#body.bytes());
    return place;
  }

  /** Moves the buffer to the file. */
  async drain(): Promise<void> {
    if (this.#buffer.length === 0) return;
    await writeAll(this.#file, this.#buffer.bytes(), this.#start);
    this.#start += this.#buffer.length;
    this.#buffer.reset();
  }

  /** The histogram at a place that `add` gave, after a drain. */
  async at(place: number): Promise<FloatHistogram> {
    const head = await this.#bytes(place, LENGTH_BYTES);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    const bytes = await this.#bytes(place + LENGTH_BYTES, length);
    const reader = new HistogramBodyReader(bytes, bytes[0] === 1);
    const histogram = reader.histogram();
    if (histogram && reader.error === null) return histogram;
    throw new OutpostError('corrupt', `read back scratch file: no histogram at ${place}`);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #bytes(from: number, length: number): Promise<Uint8Array> {
    const end = this.#heldFrom + this.#held.length;
    if (from < this.#heldFrom || from + length > end) {
      const size = Math.min(Math.max(length, READ_BYTES), this.#start - from);
      this.#held = new Uint8Array(size);
      this.#heldFrom = from;
      await readAll(this.#file, this.#held, from);
    }
    const at = from - this.#heldFrom;
    return this.#held.subarray(at, at + length);
  }
}
