// The first three bytes of a histogram chunk: how many samples, and what is known of a counter reset before
// it. Chunks with start timestamps keep the reset in the count's two highest bits.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { CounterResetHint } from '../histogram.ts';
import { type Chunk, ChunkEncoding } from '../series.ts';

/** Bytes before the layout. */
export const HISTOGRAM_HEADER_BYTES = 3;

/** The most samples a chunk without start timestamps can hold. */
export const HISTOGRAM_SAMPLES_MAX = 65_535;

const HINTS: readonly CounterResetHint[] = ['unknown', 'not-reset', 'reset', 'gauge'];

/** What the header says. */
export interface ChunkHeader {
  readonly count: number;
  readonly reset: CounterResetHint;
  /** True where counts are doubles, false where they are integers. */
  readonly float: boolean;
  /** Which samples bring a start timestamp, as `StartTimeReader` takes it. */
  readonly startTimes: number;
}

/** The header of a chunk of one of the four histogram encodings. Throws `corrupt` where it is cut short. */
export function readChunkHeader(data: Uint8Array, encoding: number): ChunkHeader {
  if (data.length < HISTOGRAM_HEADER_BYTES) {
    throw new OutpostError('corrupt', `decode histogram chunk: it has ${data.length} bytes`);
  }
  const count = (data[0]! << 8) | data[1]!;
  const third = data[2]!;
  const float =
    encoding === ChunkEncoding.floatHistogram || encoding === ChunkEncoding.floatHistogramStartTime;
  const withStarts =
    encoding === ChunkEncoding.histogramStartTime ||
    encoding === ChunkEncoding.floatHistogramStartTime;
  if (withStarts) {
    return {
      count: count & 0x3fff,
      reset: HINTS[count >> 14]!,
      float,
      startTimes: third,
    };
  }
  return { count, reset: HINTS[third >> 6]!, float, startTimes: 0 };
}

/** The third byte of a chunk without start timestamps. */
export function resetByte(reset: CounterResetHint): number {
  return HINTS.indexOf(reset) << 6;
}

/** The chunk with a header that leaves open whether a reset came before it; those of gauges stay. */
export function withoutReset(chunk: Chunk): Chunk {
  const { encoding, data } = chunk;
  const integer = encoding === ChunkEncoding.histogram;
  const starts =
    encoding === ChunkEncoding.histogramStartTime ||
    encoding === ChunkEncoding.floatHistogramStartTime;
  if (!integer && !starts && encoding !== ChunkEncoding.floatHistogram) return chunk;
  const at = starts ? 0 : 2;
  const hint = HINTS[data[at]! >> 6];
  if (hint === 'unknown' || hint === 'gauge') return chunk;
  const copy = data.slice();
  copy[at]! &= 0x3f;
  return { ...chunk, data: copy };
}
