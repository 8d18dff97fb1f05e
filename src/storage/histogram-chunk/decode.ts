// Histogram chunks into columns.

import type { SampleColumns } from '../samples.ts';
import { type Chunk, ChunkEncoding } from '../series.ts';
import { setStale } from '../stale.ts';
import { HistogramChunkReader } from './chunk-reader.ts';

/** True for the encodings that `decodeHistograms` reads. */
export function isHistogramEncoding(encoding: number): boolean {
  return (
    encoding === ChunkEncoding.histogram ||
    encoding === ChunkEncoding.floatHistogram ||
    encoding === ChunkEncoding.histogramStartTime ||
    encoding === ChunkEncoding.floatHistogramStartTime
  );
}

/**
 * Appends the samples with minTime ≤ t ≤ maxTime of a histogram chunk. A histogram stands in
 * `out.histograms` beside a float of 0; a staleness marker is, as in any series, a float with its bits and
 * no histogram. Throws OutpostError `corrupt`; `out` then keeps what was read before.
 */
export function decodeHistograms(
  chunk: Pick<Chunk, 'data' | 'encoding'>,
  minTime: number,
  maxTime: number,
  out: SampleColumns,
): void {
  const reader = new HistogramChunkReader(chunk.data, chunk.encoding);
  while (reader.next()) {
    const { time } = reader;
    if (time < minTime) continue;
    if (time > maxTime) return;
    const at = out.length;
    out.push(time, 0);
    if (reader.stale) setStale(out.values, at);
    else (out.histograms ??= [])[at] = reader.histogram();
    reader.startTime.copy(out, at);
  }
}

/** All samples of an integer chunk's payload; `decodeHistograms` without a range. */
export function decodeHistogramChunk(data: Uint8Array, out: SampleColumns): void {
  const encoding = ChunkEncoding.histogram;
  decodeHistograms({ data, encoding }, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, out);
}

/** All samples of a float chunk's payload; `decodeHistograms` without a range. */
export function decodeFloatHistogramChunk(data: Uint8Array, out: SampleColumns): void {
  const encoding = ChunkEncoding.floatHistogram;
  decodeHistograms({ data, encoding }, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, out);
}
