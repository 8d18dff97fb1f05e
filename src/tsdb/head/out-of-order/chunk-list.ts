// Encoded chunks in one flat array, each with the one before it of the same series. Chunks are only ever
// added, so a reader that remembers how many there were sees what there was.

import type { Chunk } from '../../../storage/series.ts';

const INITIAL_CHUNKS = 64;
const INITIAL_BYTES = 4096;

/** Chunks by number, counted from 1; 0 stands for none. */
export class ChunkList {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #end = 0;
  #count = 0;
  #before = new Uint32Array(INITIAL_CHUNKS);
  #encodings = new Uint8Array(INITIAL_CHUNKS);
  #minTimes = new Float64Array(INITIAL_CHUNKS);
  #maxTimes = new Float64Array(INITIAL_CHUNKS);
  /** Where a chunk's bytes end; they start where those of the chunk before it end. */
  #ends = new Float64Array(INITIAL_CHUNKS);

  /** The newest chunk's number. */
  get last(): number {
    return this.#count;
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.#bytes.length + this.#before.length * (5 + 3 * 8);
  }

  /** Copies a chunk of a series whose newest chunk so far is `before`; returns its number. */
  add(before: number, { minTime, maxTime, encoding, data }: Chunk): number {
    const chunk = ++this.#count;
    if (chunk === this.#before.length) this.#growColumns();
    const end = this.#end + data.length;
    if (end > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(end, Math.ceil(this.#bytes.length * 1.5)));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    this.#bytes.set(data, this.#end);
    this.#end = end;
    this.#before[chunk] = before;
    this.#encodings[chunk] = encoding;
    this.#minTimes[chunk] = minTime;
    this.#maxTimes[chunk] = maxTime;
    this.#ends[chunk] = end;
    return chunk;
  }

  /** The chunk before this one of the same series. */
  before(chunk: number): number {
    return this.#before[chunk]!;
  }

  /** Whether the chunk's range meets minTime…maxTime. */
  overlaps(chunk: number, minTime: number, maxTime: number): boolean {
    return this.#minTimes[chunk]! <= maxTime && this.#maxTimes[chunk]! >= minTime;
  }

  /** The chunk; its bytes are a view that stays as it is. */
  get(chunk: number): Chunk {
    return {
      minTime: this.#minTimes[chunk]!,
      maxTime: this.#maxTimes[chunk]!,
      encoding: this.#encodings[chunk]!,
      data: this.#bytes.subarray(this.#ends[chunk - 1], this.#ends[chunk]),
    };
  }

  #growColumns(): void {
    const length = this.#before.length * 2;
    const grow = (from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(length);
      to.set(from);
      return to;
    };
    const before = new Uint32Array(length);
    before.set(this.#before);
    this.#before = before;
    const encodings = new Uint8Array(length);
    encodings.set(this.#encodings);
    this.#encodings = encodings;
    this.#minTimes = grow(this.#minTimes);
    this.#maxTimes = grow(this.#maxTimes);
    this.#ends = grow(this.#ends);
  }
}
