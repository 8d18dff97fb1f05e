// Decodes series entries into flat columns, a batch at a time: labels as symbol references, chunks as
// numbers. A chunk's place is segment · 2^32 + offset, which is a safe integer below 2 M segments.

import { ReadBuffer } from '../../encoding/read-buffer.ts';

const SEGMENT_SCALE = 0x1_0000_0000;

/** Chunks of a time range only: those with a sample at minTime ≤ t ≤ maxTime, Unix ms. */
export interface ChunkRange {
  readonly minTime: number;
  readonly maxTime: number;
}

/** A batch of series. Series i has symbols labelStarts[i]… and chunks chunkStarts[i]…. */
export class SeriesEntries {
  /** Ids as postings have them. */
  readonly ids: Uint32Array;
  readonly labelStarts: number[] = [0];
  /** Name, value, name, value, … */
  readonly symbols: number[] = [];
  readonly chunkStarts: number[] = [0];
  /** Time of each chunk's first sample. */
  readonly minTimes: number[] = [];
  /** Time of each chunk's last sample. */
  readonly maxTimes: number[] = [];
  /** Each chunk's place in the segments. */
  readonly places: number[] = [];
  /** Where the series' next chunk lies, whether in range or not; 0 after the last. */
  readonly nextPlaces: number[] = [];

  constructor(ids: Uint32Array) {
    this.ids = ids;
  }

  /** Appends the next series from its entry; says what is wrong with the entry, or null. */
  add(
    entry: Uint8Array,
    range: ChunkRange | null,
    isSymbol: (ref: number) => boolean,
  ): string | null {
    const buffer = new ReadBuffer(entry);
    const symbols = buffer.uvarint() * 2;
    for (let i = 0; i < symbols && buffer.error === null; i++) {
      const ref = buffer.uvarint();
      if (!isSymbol(ref)) return `refers to symbol ${ref}, which does not exist`;
      this.symbols.push(ref);
    }
    this.labelStarts.push(this.symbols.length);
    if (range) this.#addChunks(buffer, range);
    this.chunkStarts.push(this.places.length);
    return buffer.error;
  }

  #addChunks(buffer: ReadBuffer, range: ChunkRange): void {
    const count = buffer.uvarint();
    let maxTime = 0;
    let place = 0;
    // Index of the previous chunk where it was taken: it learns its successor's place.
    let previous = -1;
    for (let i = 0; i < count && buffer.error === null; i++) {
      const minTime = i === 0 ? buffer.varint() : maxTime + buffer.uvarint();
      maxTime = minTime + buffer.uvarint();
      place = i === 0 ? buffer.uvarint() : place + buffer.varint();
      if (previous >= 0) this.nextPlaces[previous] = place;
      previous = -1;
      if (maxTime < range.minTime || minTime > range.maxTime || buffer.error !== null) continue;
      previous = this.places.length;
      this.minTimes.push(minTime);
      this.maxTimes.push(maxTime);
      this.places.push(place);
      this.nextPlaces.push(0);
    }
  }
}

/** The 0-based number of the segment file a chunk lies in. */
export function segmentOf(place: number): number {
  return Math.floor(place / SEGMENT_SCALE);
}

/** The chunk's offset in its segment. */
export function offsetOf(place: number): number {
  return place % SEGMENT_SCALE;
}

/** A chunk's place from its segment and offset. */
export function placeOf(segment: number, offset: number): number {
  return segment * SEGMENT_SCALE + offset;
}
