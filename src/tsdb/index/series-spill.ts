// The scratch file of an index writer: series as numbers of label pairs and finished chunk bytes, which
// do not depend on how symbols are numbered.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { assert } from '../../lifecycle/errors.ts';
import type { Chunk } from '../../storage/series.ts';
import type { FileWriter } from '../file-writer.ts';

// A piece holds some hundred series: less than a ms of work.
const PIECE_BYTES = 32 * 1024;
const LENGTH_BYTES = 4;

/** Told of each series: its pairs, its encoded chunks (borrowed) and its number. Pairs are reused. */
export type VisitSeries = (
  pairs: readonly number[],
  chunkBytes: Uint8Array,
  ordinal: number,
) => void;

/** Keeps series in the order they were added. */
export class SeriesSpill {
  readonly file: FileWriter;
  readonly #record = new WriteBuffer();

  /** Takes the file over but leaves closing to the caller. */
  constructor(file: FileWriter) {
    this.file = file;
  }

  /** Appends one series; the caller drains the file when it is full. */
  add(pairs: readonly number[], chunks: readonly Chunk[], places: readonly number[]): void {
    const record = this.#record;
    record.reset();
    record.uvarint(pairs.length);
    for (let i = 0; i < pairs.length; i++) record.uvarint(pairs[i]!);
    record.uvarint(chunks.length);
    for (let i = 0; i < chunks.length; i++) {
      const { minTime, maxTime } = chunks[i]!;
      if (i === 0) record.varint(minTime);
      else record.uvarint(minTime - chunks[i - 1]!.maxTime);
      record.uvarint(maxTime - minTime);
      if (i === 0) record.uvarint(places[0]!);
      else record.varint(places[i]! - places[i - 1]!);
    }
    this.file.buffer.u32(record.length);
    this.file.buffer.raw(record.bytes());
  }

  /** Visits all series of the drained file in order; awaits `between` after each some hundred. */
  async forEach(visit: VisitSeries, between: () => Promise<void>): Promise<void> {
    const size = this.file.position;
    const pairs: number[] = [];
    let piece = new Uint8Array(PIECE_BYTES);
    let ordinal = 0;
    for (let at = 0; at < size; ) {
      const length = Math.min(piece.length, size - at);
      await this.file.readBack(piece.subarray(0, length), at);
      const buffer = new ReadBuffer(piece, 0, length);
      let done = 0;
      while (buffer.remaining >= LENGTH_BYTES) {
        const end = buffer.offset + LENGTH_BYTES + buffer.u32();
        if (end > length) break;
        pairs.length = buffer.uvarint();
        for (let i = 0; i < pairs.length; i++) pairs[i] = buffer.uvarint();
        visit(pairs, buffer.raw(end - buffer.offset), ordinal++);
        done = end;
      }
      assert(buffer.error === null, 'the spill holds what was written');
      // A record longer than a piece: read on with a longer one.
      assert(done > 0 || length === piece.length, 'the spill ends with a whole record');
      if (done === 0) piece = new Uint8Array(piece.length * 2);
      at += done;
      await between();
    }
  }
}
