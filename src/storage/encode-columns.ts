// From columns to chunks: the way back for samples that exist only decoded, after a merge or deletions.
// Floats become XOR chunks, histograms integer or float histogram chunks.

import { encodeXor } from '../kernels/xor.ts';
import type { CounterResetHint } from './histogram.ts';
import {
  type AnyHistogramChunkAppender,
  FloatHistogramChunkAppender,
  HistogramChunkAppender,
  hasIntegerCounts,
} from './histogram-chunk/appender.ts';
import type { SampleColumns } from './samples.ts';
import { type Chunk, ChunkEncoding } from './series.ts';
import { isStaleAt } from './stale.ts';

/** Samples in a chunk at most, as in Prometheus. */
export const CHUNK_SAMPLES = 120;

/**
 * All samples as chunks of at most 120, by time; each time occurs once. A staleness marker stays with the
 * histograms before it. The chunks are the caller's.
 */
export function encodeColumns(columns: SampleColumns): Chunk[] {
  const out: Chunk[] = [];
  let at = 0;
  while (at < columns.length) {
    at = columns.histograms?.[at]
      ? encodeHistogramRun(columns, at, out)
      : encodeFloatRun(columns, at, out);
  }
  return out;
}

/** Encodes floats from `from` on and returns where they end. */
function encodeFloatRun(columns: SampleColumns, from: number, out: Chunk[]): number {
  const { times, values, histograms } = columns;
  let end = from;
  while (end < columns.length && !histograms?.[end]) end++;
  for (let at = from; at < end; at += CHUNK_SAMPLES) {
    const to = Math.min(at + CHUNK_SAMPLES, end);
    out.push({
      minTime: times[at]!,
      maxTime: times[to - 1]!,
      encoding: ChunkEncoding.xor,
      data: encodeXor(times, values, at, to),
    });
  }
  return end;
}

/** Encodes histograms of one kind from `from` on and returns where they end. */
function encodeHistogramRun(columns: SampleColumns, from: number, out: Chunk[]): number {
  const float = isFloatAt(columns, from);
  let chunk = open(float, 'unknown');
  let at = from;
  for (; at < columns.length; at++) {
    const histogram = columns.histograms![at] ?? null;
    if (histogram ? isFloatAt(columns, at) !== float : !isStaleAt(columns.values, at)) break;
    const time = columns.times[at]!;
    const reset =
      chunk.count === CHUNK_SAMPLES ? chunk.resetBefore(histogram) : chunk.append(time, histogram);
    if (reset === null) continue;
    out.push(closed(chunk));
    chunk = open(float, reset);
    chunk.append(time, histogram);
  }
  out.push(closed(chunk));
  return at;
}

function isFloatAt(columns: SampleColumns, index: number): boolean {
  const histogram = columns.histograms![index]!;
  return !(histogram.integer && hasIntegerCounts(histogram));
}

function open(float: boolean, reset: CounterResetHint): AnyHistogramChunkAppender {
  return float ? new FloatHistogramChunkAppender(reset) : new HistogramChunkAppender(reset);
}

function closed(chunk: AnyHistogramChunkAppender): Chunk {
  const { minTime, maxTime, encoding } = chunk;
  return { minTime, maxTime, encoding, data: chunk.bytes().slice() };
}
