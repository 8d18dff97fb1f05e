// Writes series into the segments and index of a cold block. Floats are cut into windows of time that are
// the same for all series with about the same interval, so that those of one scrape share their times.

import { decodeChunk } from '../../storage/chunks.ts';
import { encodeColumns } from '../../storage/encode-columns.ts';
import { SampleColumns } from '../../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series } from '../../storage/series.ts';
import { type ChunkCounts, countSamples } from '../block/chunk-samples.ts';
import type { SegmentWriter } from '../chunks/segment-writer.ts';
import type { IndexWriter } from '../index/index-writer.ts';
import { COLD_SAMPLES_MAX, ColdChunkEncoder, ColdEncoding } from './cold-chunk.ts';
import { SharedTimes } from './shared-times.ts';

// Longer chunks are hardly smaller, and cost those more who want a few samples.
const SAMPLES_WANTED = 512;
// 2^40 ms are 34 years: distances of times stay exact.
const WINDOW_EXPONENT_MAX = 40;

/** What was written. */
export interface ColdStats extends ChunkCounts {
  numSeries: number;
  numChunks: number;
}

/** Appends series in label order. */
export class ColdSeriesWriter {
  readonly stats: ColdStats = {
    numSeries: 0,
    numChunks: 0,
    numFloatSamples: 0,
    numHistogramSamples: 0,
  };
  readonly #segments: SegmentWriter;
  readonly #index: IndexWriter;
  readonly #encoder = new ColdChunkEncoder();
  readonly #shared = new SharedTimes();
  readonly #columns = new SampleColumns();

  constructor(segments: SegmentWriter, index: IndexWriter) {
    this.#segments = segments;
    this.#index = index;
  }

  /** Writes one series; one without samples is left out. */
  async add(series: Series): Promise<void> {
    const chunks: Chunk[] = [];
    const places: number[] = [];
    const write = async (chunk: Chunk): Promise<void> => {
      chunks.push(chunk);
      places.push(await this.#write(chunk));
    };
    for (const run of runsOf(this.#chunksOf(series))) {
      if (run[0]!.encoding === ChunkEncoding.xor && this.#decode(run)) {
        await this.#writeFloats(write);
        this.stats.numFloatSamples += this.#columns.length;
      } else {
        for (const chunk of run) {
          await write(chunk);
          countSamples(chunk, this.stats);
        }
      }
    }
    if (chunks.length === 0) return;
    if (this.#index.full) await this.#index.drain();
    this.#index.add(series.labels, chunks, places);
    this.stats.numSeries++;
    this.stats.numChunks += chunks.length;
  }

  #chunksOf(series: Series): readonly Chunk[] {
    const chunks = series.chunks();
    if (chunks) return chunks;
    this.#columns.clear();
    series.samples(this.#columns);
    return encodeColumns(this.#columns);
  }

  /** Fills the columns; false where the times are not what a cold chunk can hold. */
  #decode(run: readonly Chunk[]): boolean {
    const columns = this.#columns;
    columns.clear();
    for (const chunk of run) decodeChunk(chunk, -Infinity, Infinity, columns);
    const { times, length } = columns;
    if (!Number.isSafeInteger(times[0]) || !Number.isSafeInteger(times[length - 1])) return false;
    for (let i = 1; i < length; i++) if (!(times[i]! > times[i - 1]!)) return false;
    return length > 0;
  }

  async #writeFloats(write: (chunk: Chunk) => Promise<void>): Promise<void> {
    const { times, length } = this.#columns;
    const window = windowOf(times, length);
    for (let from = 0; from < length; ) {
      const end = (Math.floor(times[from]! / window) + 1) * window;
      const most = Math.min(length, from + COLD_SAMPLES_MAX);
      let to = from + 1;
      while (to < most && times[to]! < end) to++;
      await write(await this.#chunk(from, to));
      from = to;
    }
  }

  async #chunk(from: number, to: number): Promise<Chunk> {
    const { times } = this.#columns;
    const step = this.#encoder.stepOf(times, from, to);
    let timesPlace = -1;
    if (step < 0) {
      timesPlace = this.#shared.find(times, from, to);
      if (timesPlace < 0) {
        const data = this.#encoder.times(times, from, to);
        const [minTime, maxTime] = [times[from]!, times[to - 1]!];
        timesPlace = await this.#write({ minTime, maxTime, encoding: ColdEncoding.times, data });
        this.#shared.add(times, from, to, timesPlace);
      }
    }
    return this.#encoder.floats(this.#columns, from, to, { step, timesPlace });
  }

  async #write(chunk: Chunk): Promise<number> {
    const one = [chunk];
    if (!this.#segments.hasRoomFor(one)) await this.#segments.makeRoom(one);
    return this.#segments.write(one)[0]!;
  }
}

/** Neighbours of one kind: all that are XOR, or all that are not. */
function* runsOf(chunks: readonly Chunk[]): Generator<readonly Chunk[]> {
  const isXor = (i: number): boolean => chunks[i]!.encoding === ChunkEncoding.xor;
  for (let from = 0; from < chunks.length; ) {
    let to = from + 1;
    while (to < chunks.length && isXor(to) === isXor(from)) to++;
    yield chunks.slice(from, to);
    from = to;
  }
}

/** Milliseconds of a chunk: a power of two, so that series agree on it whatever their gaps. */
function windowOf(times: Float64Array, length: number): number {
  const interval = length > 1 ? (times[length - 1]! - times[0]!) / (length - 1) : 1;
  const exponent = Math.round(Math.log2(interval * SAMPLES_WANTED));
  return 2 ** Math.min(Math.max(exponent, 0), WINDOW_EXPONENT_MAX);
}
