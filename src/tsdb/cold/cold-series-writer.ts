// Writes series into the segments and index of a cold block. Floats are cut into windows of time that are
// the same for all series with about the same interval, so that those of one scrape share their times.

import { OutpostError } from '../../lifecycle/errors.ts';
import { decodeChunk } from '../../storage/chunks.ts';
import { encodeColumns } from '../../storage/encode-columns.ts';
import { SampleColumns } from '../../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series } from '../../storage/series.ts';
import { type ChunkCounts, countSamples } from '../block/chunk-samples.ts';
import type { IndexWriter } from '../index/index-writer.ts';
import { COLD_SAMPLES_MAX, ColdChunkEncoder, ColdEncoding } from './cold-chunk.ts';
import type { ColdSegments } from './cold-segments.ts';
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

/** Chunks of one series and where they lie. */
interface Written {
  readonly chunks: Chunk[];
  readonly places: number[];
}

/** Appends series in label order. */
export class ColdSeriesWriter {
  readonly stats: ColdStats = {
    numSeries: 0,
    numChunks: 0,
    numFloatSamples: 0,
    numHistogramSamples: 0,
  };
  readonly #segments: ColdSegments;
  readonly #index: IndexWriter;
  readonly #encoder = new ColdChunkEncoder();
  readonly #shared = new SharedTimes();
  readonly #columns = new SampleColumns();

  constructor(segments: ColdSegments, index: IndexWriter) {
    this.#segments = segments;
    this.#index = index;
  }

  /** True when the caller should await `drain` before it adds more. */
  get full(): boolean {
    return this.#segments.full || this.#index.full;
  }

  async drain(): Promise<void> {
    await this.#segments.drain();
    await this.#index.drain();
  }

  /** Writes one series; one without samples is left out. */
  add(series: Series): void {
    const written: Written = { chunks: [], places: [] };
    for (const run of runsOf(this.#chunksOf(series))) {
      if (run[0]!.encoding === ChunkEncoding.xor && this.#decode(run)) {
        this.#writeFloats(written);
        this.stats.numFloatSamples += this.#columns.length;
      } else {
        for (const chunk of run) {
          refuseColdNumbers(chunk);
          this.#write(chunk, written);
          countSamples(chunk, this.stats);
        }
      }
    }
    const { chunks, places } = written;
    if (chunks.length === 0) return;
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

  #writeFloats(written: Written): void {
    const { times, length } = this.#columns;
    const window = windowOf(times, length);
    for (let from = 0; from < length; ) {
      const end = (Math.floor(times[from]! / window) + 1) * window;
      const most = Math.min(length, from + COLD_SAMPLES_MAX);
      let to = from + 1;
      while (to < most && times[to]! < end) to++;
      const step = this.#encoder.stepOf(times, from, to);
      const timesPlace = step < 0 ? this.#placeOfTimes(from, to) : -1;
      this.#write(this.#encoder.floats(this.#columns, from, to, { step, timesPlace }), written);
      from = to;
    }
  }

  /** Where the times lie, written now unless a series before had the same. */
  #placeOfTimes(from: number, to: number): number {
    const { times } = this.#columns;
    const known = this.#shared.find(times, from, to);
    if (known >= 0) return known;
    const data = this.#encoder.times(times, from, to);
    const [minTime, maxTime] = [times[from]!, times[to - 1]!];
    const place = this.#segments.write({ minTime, maxTime, encoding: ColdEncoding.times, data });
    this.#shared.add(times, from, to, place);
    return place;
  }

  #write(chunk: Chunk, written: Written): void {
    written.chunks.push(chunk);
    written.places.push(this.#segments.write(chunk));
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

/** Whoever reads the block would take such a chunk for one of ours. */
function refuseColdNumbers({ encoding }: Chunk): void {
  if (encoding !== ColdEncoding.floats && encoding !== ColdEncoding.times) return;
  throw new OutpostError('bad-data', `write cold block: chunks of unknown encoding ${encoding}`);
}

/** Milliseconds of a chunk: a power of two, so that series agree on it whatever their gaps. */
function windowOf(times: Float64Array, length: number): number {
  const interval = length > 1 ? (times[length - 1]! - times[0]!) / (length - 1) : 1;
  const exponent = Math.round(Math.log2(interval * SAMPLES_WANTED));
  return 2 ** Math.min(Math.max(exponent, 0), WINDOW_EXPONENT_MAX);
}
