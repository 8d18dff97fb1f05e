// Out-of-order samples of a stretch of the head's life: per series a sorted buffer of floats and one of
// histograms, and chunks of what once filled them. Nothing is removed: when all of it is in blocks the generation is dropped as a whole, and
// readers that still hold it see it to their end.

import { encodeXor } from '../../../kernels/xor.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { encodeColumns } from '../../../storage/encode-columns.ts';
import { withoutReset } from '../../../storage/histogram-chunk/chunk-header.ts';
import { lowerBound, SampleColumns } from '../../../storage/samples.ts';
import { type Chunk, ChunkEncoding } from '../../../storage/series.ts';
import { appendColumns } from '../../../storage/series-list.ts';
import { ChunkList } from './chunk-list.ts';
import { compareSamples, Held, type LateValues } from './held.ts';
import { HistogramBuffers } from './histogram-buffers.ts';
import { BUFFER_SAMPLES_MAX, SampleBuffers } from './sample-buffers.ts';

// Looking a time up in full chunks is bounded: what is not found there is merged away by readers.
const CHUNKS_SEARCHED_MAX = 256;
const CHUNKS_DECODED_MAX = 8;
const INITIAL_SERIES = 16;

/** One generation. Series are named by the head's references. */
export class Generation {
  /** The generation that samples went to after this one. */
  next: Generation | null = null;
  minTime: number = Number.POSITIVE_INFINITY;
  maxTime: number = Number.NEGATIVE_INFINITY;
  samples = 0;
  /** Starts of the aligned ranges that hold samples. */
  readonly rangeStarts: Set<number> = new Set<number>();
  readonly #rangeMs: number;
  #lastRange = Number.NaN;
  /** Number of a series' buffer, which is also its row in the columns below. */
  readonly #rows = new Map<number, number>();
  readonly #buffers = new SampleBuffers();
  readonly #histograms = new HistogramBuffers();
  readonly #chunks = new ChunkList();
  #lastChunks = new Uint32Array(INITIAL_SERIES);
  #minTimes = new Float64Array(INITIAL_SERIES);
  #maxTimes = new Float64Array(INITIAL_SERIES);
  readonly #scratch = new SampleColumns(BUFFER_SAMPLES_MAX);

  /** `rangeMs` is the range of blocks. */
  constructor(rangeMs: number) {
    this.#rangeMs = rangeMs;
  }

  /** Bytes of memory held, about. */
  get bytes(): number {
    const rows = this.#rows.size * 40 + this.#minTimes.length * (4 + 8 + 8);
    return this.#buffers.bytes + this.#histograms.bytes + this.#chunks.bytes + rows;
  }

  /** References of the series that have samples here. */
  refs(): Iterable<number> {
    return this.#rows.keys();
  }

  /** The newest full chunk; see `chunks`. */
  get lastChunk(): number {
    return this.#chunks.last;
  }

  has(ref: number): boolean {
    return this.#rows.has(ref);
  }

  /** Whether the series' samples reach into minTime…maxTime. */
  overlaps(ref: number, minTime: number, maxTime: number): boolean {
    const row = this.#rows.get(ref);
    if (row === undefined) return false;
    return this.#minTimes[row]! <= maxTime && this.#maxTimes[row]! >= minTime;
  }

  /** Time of the series' oldest sample, Infinity where it has none. */
  minTimeOf(ref: number): number {
    const row = this.#rows.get(ref);
    return row === undefined ? Number.POSITIVE_INFINITY : this.#minTimes[row]!;
  }

  /** Time of the series' newest sample, −Infinity where it has none. */
  maxTimeOf(ref: number): number {
    const row = this.#rows.get(ref);
    return row === undefined ? Number.NEGATIVE_INFINITY : this.#maxTimes[row]!;
  }

  /** Compares sample `index` of `late` with what the series holds at that time: one of `Held`. */
  compare(ref: number, time: number, late: LateValues, index: number): number {
    const row = this.#rows.get(ref);
    if (row === undefined || time < this.#minTimes[row]! || time > this.#maxTimes[row]!) {
      return Held.nothing;
    }
    const buffers = this.#buffers;
    const place = buffers.place(row, time);
    if (place < buffers.count(row) && buffers.times(row)[place] === time) {
      const held = { values: buffers.values(row), histograms: null };
      return compareSamples(held, place, late, index);
    }
    const histograms = this.#histograms.get(row);
    const at = histograms ? lowerBound(histograms.times, histograms.length, time) : 0;
    if (histograms && at < histograms.length && histograms.times[at] === time) {
      return compareSamples(histograms, at, late, index);
    }
    return this.#compareChunks(row, time, late, index);
  }

  #compareChunks(row: number, time: number, late: LateValues, index: number): number {
    let chunk = this.#lastChunks[row]!;
    let decoded = 0;
    for (let n = 0; chunk !== 0 && n < CHUNKS_SEARCHED_MAX; n++) {
      if (this.#chunks.overlaps(chunk, time, time)) {
        this.#scratch.clear();
        decodeChunk(this.#chunks.get(chunk), time, time, this.#scratch);
        if (this.#scratch.length > 0) return compareSamples(this.#scratch, 0, late, index);
        if (++decoded === CHUNKS_DECODED_MAX) break;
      }
      chunk = this.#chunks.before(chunk);
    }
    return Held.nothing;
  }

  /** Adds sample `index` of `late`, whose time is in none of the series' buffers. */
  insert(ref: number, time: number, late: LateValues, index: number): void {
    let row = this.#rows.get(ref);
    if (row === undefined) row = this.#addRow(ref);
    const histogram = late.histograms?.[index];
    if (histogram) {
      if (this.#histograms.get(row)?.length === BUFFER_SAMPLES_MAX) this.#encodeHistograms(row);
      this.#histograms.insert(row, time, histogram);
    } else {
      if (this.#buffers.count(row) === BUFFER_SAMPLES_MAX) this.#encode(row);
      this.#buffers.insert(row, this.#buffers.place(row, time), time, late.values, index);
    }
    if (time < this.#minTimes[row]!) this.#minTimes[row] = time;
    if (time > this.#maxTimes[row]!) this.#maxTimes[row] = time;
    this.minTime = Math.min(this.minTime, time);
    this.maxTime = Math.max(this.maxTime, time);
    this.samples++;
    const range = Math.floor(time / this.#rangeMs) * this.#rangeMs;
    if (range !== this.#lastRange) this.rangeStarts.add((this.#lastRange = range));
  }

  /** Full chunks of a series that meet minTime…maxTime, of those up to number `limit`, newest first. */
  chunks(ref: number, minTime: number, maxTime: number, limit: number): Chunk[] {
    const row = this.#rows.get(ref);
    const found: Chunk[] = [];
    if (row === undefined) return found;
    let chunk = this.#lastChunks[row]!;
    for (; chunk !== 0; chunk = this.#chunks.before(chunk)) {
      if (chunk > limit || !this.#chunks.overlaps(chunk, minTime, maxTime)) continue;
      found.push(this.#chunks.get(chunk));
    }
    return found;
  }

  /** Appends the floats of the series' buffer to `out`, by time; how many. */
  copyFloats(ref: number, out: SampleColumns): number {
    const row = this.#rows.get(ref);
    if (row === undefined) return 0;
    const count = this.#buffers.count(row);
    if (count > 0) out.append(this.#buffers.times(row), this.#buffers.values(row), 0, count);
    return count;
  }

  /** Appends the histograms of the series' buffer to `out`, by time; how many. */
  copyHistograms(ref: number, out: SampleColumns): number {
    const row = this.#rows.get(ref);
    const histograms = row === undefined ? null : this.#histograms.get(row);
    if (!histograms || histograms.length === 0) return 0;
    appendColumns(out, histograms, 0, histograms.length);
    return histograms.length;
  }

  #encode(row: number): void {
    const chunk = chunkOf(this.#buffers.times(row), this.#buffers.values(row));
    this.#lastChunks[row] = this.#chunks.add(this.#lastChunks[row]!, chunk);
    this.#buffers.clear(row);
  }

  #encodeHistograms(row: number): void {
    for (const chunk of histogramChunksOf(this.#histograms.get(row)!)) {
      this.#lastChunks[row] = this.#chunks.add(this.#lastChunks[row]!, chunk);
    }
    this.#histograms.clear(row);
  }

  #addRow(ref: number): number {
    const row = this.#buffers.create();
    this.#rows.set(ref, row);
    if (row === this.#minTimes.length) {
      const length = row * 2;
      const [last, min, max] = [this.#lastChunks, this.#minTimes, this.#maxTimes];
      this.#lastChunks = new Uint32Array(length);
      this.#minTimes = new Float64Array(length);
      this.#maxTimes = new Float64Array(length);
      this.#lastChunks.set(last);
      this.#minTimes.set(min);
      this.#maxTimes.set(max);
    }
    this.#minTimes[row] = Number.POSITIVE_INFINITY;
    this.#maxTimes[row] = Number.NEGATIVE_INFINITY;
    return row;
  }
}

/** An XOR chunk of columns in time order, at least one sample. */
export function chunkOf(times: Float64Array, values: Float64Array): Chunk {
  return {
    minTime: times[0]!,
    maxTime: times[times.length - 1]!,
    encoding: ChunkEncoding.xor,
    data: encodeXor(times, values, 0, times.length),
  };
}

/**
 * Chunks of columns in time order. What a header would say of a counter reset speaks of the chunk before, and
 * others may come to stand between the two: it is unknown.
 */
export function histogramChunksOf(columns: SampleColumns): Chunk[] {
  return encodeColumns(columns).map(withoutReset);
}
