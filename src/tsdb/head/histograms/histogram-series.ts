// The samples of a series from its first histogram on: chunks of histograms, and of floats where the series
// has those too. Chunks are cut as Prometheus' head cuts them (tsdb/head_append.go).

import { encodeXor } from '../../../kernels/xor.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { CHUNK_SAMPLES } from '../../../storage/encode-columns.ts';
import type { CounterResetHint, FloatHistogram } from '../../../storage/histogram.ts';
import {
  type AnyHistogramChunkAppender,
  FloatHistogramChunkAppender,
  HistogramChunkAppender,
} from '../../../storage/histogram-chunk/appender.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { type Chunk, ChunkEncoding } from '../../../storage/series.ts';

/** A chunk of histograms aims at this size … */
const TARGET_BYTES = 1024;
/** … but has so many samples at least, unless its time range ends. */
const SAMPLES_MIN = 10;

/** What holding a series, a closed chunk and an open one costs beside the chunks' bytes, about. */
const SERIES_BYTES = 512;
const CHUNK_BYTES = 128;
const OPEN_BYTES = 1024;

/** One sample of a series with histograms. */
export interface MixedSample {
  /** Unix ms. */
  readonly time: number;
  /** `integer` and `float-histogram` are histograms and markers among them. */
  readonly kind: 'float' | 'integer' | 'float-histogram';
  /** Null for floats and for staleness markers. */
  readonly histogram: FloatHistogram | null;
  /** A float's bits in its one element; empty for the other kinds. */
  readonly value: Float64Array;
}

/** One series. Samples come in time order, each newer than all of the series before. */
export class HistogramSeries {
  /** The newest sample; new ones are judged against it. */
  latest: MixedSample | null = null;
  readonly #rangeMs: number;
  #closed: Chunk[] = [];
  #closedBytes = 0;
  #open: HistogramTail | FloatTail | null = null;

  /** Chunks do not cross multiples of `rangeMs`. */
  constructor(rangeMs: number) {
    this.#rangeMs = rangeMs;
  }

  /** Bytes of memory held, about. */
  get bytes(): number {
    const open = this.#open ? OPEN_BYTES + 2 * this.#open.size : 0;
    return SERIES_BYTES + this.#closed.length * CHUNK_BYTES + this.#closedBytes + open;
  }

  get chunkCount(): number {
    return this.#closed.length + (this.#open ? 1 : 0);
  }

  /** Time of the oldest sample held, Infinity where none is. */
  get minTime(): number {
    return (this.#closed[0] ?? this.#open)?.minTime ?? Number.POSITIVE_INFINITY;
  }

  /** Time of the newest sample held, −Infinity where none is. */
  get maxTime(): number {
    return (this.#open ?? this.#closed.at(-1))?.maxTime ?? Number.NEGATIVE_INFINITY;
  }

  append(sample: MixedSample): void {
    if (sample.kind === 'float') this.#appendFloat(sample);
    else this.#appendHistogram(sample);
    this.latest = sample;
  }

  /** Whether a chunk overlaps minTime…maxTime. */
  overlaps(minTime: number, maxTime: number): boolean {
    const meets = (chunk: Chunk | HistogramTail | FloatTail): boolean =>
      chunk.minTime <= maxTime && chunk.maxTime >= minTime;
    return (this.#open !== null && meets(this.#open)) || this.#closed.some(meets);
  }

  /** The chunks that overlap minTime…maxTime, by time; the bytes stay as they are. */
  chunks(minTime: number, maxTime: number): Chunk[] {
    const found = this.#closed.filter(
      chunk => chunk.minTime <= maxTime && chunk.maxTime >= minTime,
    );
    const open = this.#open;
    if (open && open.minTime <= maxTime && open.maxTime >= minTime) found.push(open.chunk());
    return found;
  }

  /** Appends the samples of minTime…maxTime to `out`. */
  samples(minTime: number, maxTime: number, out: SampleColumns): void {
    for (const chunk of this.chunks(minTime, maxTime)) decodeChunk(chunk, minTime, maxTime, out);
  }

  /** Releases the chunks that end before `time`, an open one too; how many are left. */
  dropBefore(time: number): number {
    this.#closed = this.#closed.filter(chunk => chunk.maxTime >= time);
    this.#closedBytes = this.#closed.reduce((sum, { data }) => sum + data.length, 0);
    if (this.#open && this.#open.maxTime < time) this.#open = null;
    return this.chunkCount;
  }

  #appendFloat({ time, value }: MixedSample): void {
    const rangeEnd = this.#rangeEnd(time);
    if (!(this.#open instanceof FloatTail) || this.#open.mustCut(time)) this.#close();
    this.#open ??= new FloatTail(rangeEnd);
    if (this.#open instanceof FloatTail) this.#open.append(time, value);
  }

  #appendHistogram({ time, kind, histogram }: MixedSample): void {
    const float = kind === 'float-histogram';
    let tail = this.#open instanceof HistogramTail ? this.#open : null;
    if (tail === null || tail.float !== float) tail = this.#next(time, float, 'unknown');
    else if (tail.mustCut(time)) {
      tail = this.#next(time, float, tail.appender.resetBefore(histogram));
    }
    const reset = tail.appender.append(time, histogram);
    if (reset !== null) this.#next(time, float, reset).appender.append(time, histogram);
  }

  #next(time: number, float: boolean, reset: CounterResetHint): HistogramTail {
    this.#close();
    const tail = new HistogramTail(float, reset, this.#rangeEnd(time));
    this.#open = tail;
    return tail;
  }

  #close(): void {
    if (!this.#open) return;
    const chunk = this.#open.chunk();
    this.#closed.push(chunk);
    this.#closedBytes += chunk.data.length;
    this.#open = null;
  }

  #rangeEnd(time: number): number {
    return (Math.floor(time / this.#rangeMs) + 1) * this.#rangeMs;
  }
}

/** An open chunk of histograms. */
class HistogramTail {
  readonly float: boolean;
  readonly appender: AnyHistogramChunkAppender;
  readonly #rangeEnd: number;
  /** A sample at or after this time belongs into the next chunk. */
  #nextAt: number;
  #estimated = false;

  constructor(float: boolean, reset: CounterResetHint, rangeEnd: number) {
    this.float = float;
    this.appender = float
      ? new FloatHistogramChunkAppender(reset)
      : new HistogramChunkAppender(reset);
    this.#rangeEnd = rangeEnd;
    this.#nextAt = rangeEnd;
  }

  get size(): number {
    return this.appender.size;
  }

  get minTime(): number {
    return this.appender.minTime;
  }

  get maxTime(): number {
    return this.appender.maxTime;
  }

  /** Whether a sample at this time does not belong here any more. */
  mustCut(time: number): boolean {
    const { size, count } = this.appender;
    if (!this.#estimated && size >= TARGET_BYTES / 4) this.#estimate(TARGET_BYTES / size);
    const due = time >= this.#nextAt || size >= TARGET_BYTES * 2;
    return due && (count >= SAMPLES_MIN || time >= this.#rangeEnd);
  }

  /** A copy of the chunk as it is now. */
  chunk(): Chunk {
    const { minTime, maxTime, encoding } = this.appender;
    return { minTime, maxTime, encoding, data: this.appender.bytes().slice() };
  }

  /** Spreads what is to come evenly over chunks up to the range's end. */
  #estimate(ratioToFull: number): void {
    this.#estimated = true;
    const { minTime, maxTime } = this.appender;
    const left = this.#rangeEnd - minTime;
    const chunks = Math.floor(left / ((maxTime - minTime + 1) * ratioToFull));
    if (chunks > 1) this.#nextAt = Math.trunc(minTime + left / chunks);
  }
}

/** An open chunk of floats; it is encoded when it is read or ends. */
class FloatTail {
  readonly #columns = new SampleColumns(16);
  readonly #time = new Float64Array(1);
  readonly #rangeEnd: number;

  constructor(rangeEnd: number) {
    this.#rangeEnd = rangeEnd;
  }

  get size(): number {
    return this.#columns.times.length * 8;
  }

  get minTime(): number {
    return this.#columns.times[0]!;
  }

  get maxTime(): number {
    return this.#columns.times[this.#columns.length - 1]!;
  }

  mustCut(time: number): boolean {
    return time >= this.#rangeEnd || this.#columns.length >= CHUNK_SAMPLES;
  }

  append(time: number, value: Float64Array): void {
    this.#time[0] = time;
    this.#columns.append(this.#time, value, 0, 1);
  }

  chunk(): Chunk {
    const { times, values, length } = this.#columns;
    const data = encodeXor(times, values, 0, length);
    const { minTime, maxTime } = this;
    return { minTime, maxTime, encoding: ChunkEncoding.xor, data };
  }
}
