// How many samples a chunk holds, read from its header without decoding it.

import { type Chunk, ChunkEncoding } from '../../storage/series.ts';

/** Samples counted so far, by kind. */
export interface ChunkCounts {
  numFloatSamples: number;
  numHistogramSamples: number;
}

// Histogram chunks with start timestamps use the count's two highest bits as flags.
const START_TIME_COUNT_MASK = 0x3fff;
const ENCODINGS_WITH_START_TIME = [5, 6];

/** Adds the chunk's samples to the counts. An aggregate chunk counts its windows as floats. */
export function countSamples(chunk: Chunk, counts: ChunkCounts): void {
  const { encoding, data } = chunk;
  if (encoding === ChunkEncoding.aggregate) {
    counts.numFloatSamples += aggregateWindows(data);
    return;
  }
  const count = u16(data, 0);
  if (encoding === ChunkEncoding.xor || encoding === ChunkEncoding.xor2) {
    counts.numFloatSamples += count;
  } else if (ENCODINGS_WITH_START_TIME.includes(encoding)) {
    counts.numHistogramSamples += count & START_TIME_COUNT_MASK;
  } else counts.numHistogramSamples += count;
}

/** The count aggregate comes first: its length as varint, its encoding, then a chunk. */
function aggregateWindows(data: Uint8Array): number {
  let at = 0;
  while (at < data.length && data[at]! >= 0x80) at++;
  return data[at] === 0 ? 0 : u16(data, at + 2);
}

function u16(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
}
