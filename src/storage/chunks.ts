// From chunks to columns: the one place that knows which encodings can be decoded.

import { xorDecoder } from '../kernels/xor.ts';
import type { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { decodeHistograms, isHistogramEncoding } from './histogram-chunk/decode.ts';
import { lowerBound, type SampleColumns } from './samples.ts';
import { type Chunk, ChunkEncoding, type Series } from './series.ts';
import { decodeXor2 } from './xor2-chunk.ts';

/**
 * Appends the chunk's samples with minTime ≤ t ≤ maxTime to `out`, bits intact; native histograms as
 * `decodeHistograms` says. Throws OutpostError
 * `corrupt` where the data is damaged and `execution` where the encoding has no decoder.
 */
export function decodeChunk(
  chunk: Chunk,
  minTime: number,
  maxTime: number,
  out: SampleColumns,
): void {
  if (chunk.encoding !== ChunkEncoding.xor) {
    decodeOther(chunk, minTime, maxTime, out);
    return;
  }
  const decoder = xorDecoder();
  const count = decoder.decode(chunk.data);
  if (count === 0) return;
  const { times, values } = decoder;
  const from = times[0]! >= minTime ? 0 : lowerBound(times, count, minTime);
  // Times are whole milliseconds, so the first one too late is the first at or behind the next.
  const to =
    times[count - 1]! <= maxTime ? count : lowerBound(times, count, Math.floor(maxTime) + 1);
  if (from < to) out.append(times, values, from, to);
}

function decodeOther(chunk: Chunk, minTime: number, maxTime: number, out: SampleColumns): void {
  if (isHistogramEncoding(chunk.encoding)) decodeHistograms(chunk, minTime, maxTime, out);
  else if (chunk.encoding === ChunkEncoding.xor2) decodeXor2(chunk.data, minTime, maxTime, out);
  else {
    throw new OutpostError(
      'execution',
      `decode chunk: floats and native histograms can be read, this is ${nameOf(chunk.encoding)}`,
    );
  }
}

function nameOf(encoding: number): string {
  const known = Object.entries(ChunkEncoding).find(([, number]) => number === encoding);
  return known ? `${known[0]} (encoding ${encoding})` : `encoding ${encoding}`;
}

/** A series backed by chunks in time order without overlap; it reads them anew at every call. */
export class ChunkSeries implements Series {
  readonly labels: Labels;
  readonly #chunks: readonly Chunk[];
  readonly #minTime: number;
  readonly #maxTime: number;

  /** The selection's range is minTime ≤ t ≤ maxTime; chunks may reach beyond it. */
  constructor(labels: Labels, chunks: readonly Chunk[], minTime: number, maxTime: number) {
    this.labels = labels;
    this.#chunks = chunks;
    this.#minTime = minTime;
    this.#maxTime = maxTime;
  }

  label(name: string): string {
    return this.labels.get(name);
  }

  chunks(): readonly Chunk[] {
    return this.#chunks;
  }

  samples(out: SampleColumns): void {
    for (const chunk of this.#chunks) {
      if (chunk.maxTime < this.#minTime || chunk.minTime > this.#maxTime) continue;
      decodeChunk(chunk, this.#minTime, this.#maxTime, out);
    }
  }
}
