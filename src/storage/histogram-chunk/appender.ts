// An open histogram chunk. Samples that bring new buckets have it written anew with room for them; one that
// cannot follow the others is refused, with what the next chunk's header has to say.

import { BitWriter } from '../../encoding/bit-writer.ts';
import { writeVarbitInt } from '../../encoding/varbit.ts';
import { assert } from '../../lifecycle/errors.ts';
import type { CounterResetHint, FloatHistogram } from '../histogram.ts';
import { SampleColumns } from '../samples.ts';
import { ChunkEncoding } from '../series.ts';
import { isStale, setStale } from '../stale.ts';
import { type ChunkBody, FloatBody, IntegerBody, type SampleNumbers } from './bodies.ts';
import { HISTOGRAM_HEADER_BYTES, HISTOGRAM_SAMPLES_MAX, resetByte } from './chunk-header.ts';
import { decodeHistograms } from './decode.ts';
import { type BucketLayout, countBuckets, EMPTY_LAYOUT, writeLayout } from './layout.ts';
import { inSpans, judge, type Verdict } from './verdict.ts';

const INTEGER_COUNT_MAX = 2 ** 50;
const NO_BUCKETS = new Float64Array(0);

/**
 * True where an integer chunk can hold it: whole counts up to 2^50, of which differences of differences are
 * still exact.
 */
export function hasIntegerCounts(histogram: FloatHistogram): boolean {
  return (
    isCount(histogram.count) &&
    isCount(histogram.zeroCount) &&
    histogram.positiveBuckets.every(isCount) &&
    histogram.negativeBuckets.every(isCount)
  );
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= INTEGER_COUNT_MAX;
}

/**
 * Builds one chunk. `append` returns null where the sample went in; otherwise the chunk is finished and
 * unchanged, and the sample belongs first into a new appender that is given what was returned:
 *
 *     const reset = chunk.append(time, histogram);
 *     if (reset !== null) { keep(chunk); chunk = new …Appender(reset); chunk.append(time, histogram); }
 *
 * Who ends a chunk for its size asks `resetBefore` for the next header. The bytes are those Prometheus
 * writes for the same samples, except that markers join a chunk of gauges and that a hint of a reset behind
 * gauges reaches the header.
 */
class ChunkAppender {
  readonly encoding: number;
  readonly #float: boolean;
  #reset: CounterResetHint;
  #writer = new BitWriter();
  #body: ChunkBody | null = null;
  #last: FloatHistogram | null = null;
  #count = 0;
  #minTime = 0;
  #time = 0;
  #step = 0;
  readonly #sum = new Float64Array(1);

  constructor(float: boolean, reset: CounterResetHint) {
    this.#float = float;
    this.encoding = float ? ChunkEncoding.floatHistogram : ChunkEncoding.histogram;
    this.#reset = reset;
    this.#begin();
  }

  /** Samples so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#writer.length;
  }

  /** Time of the first sample, Unix ms; 0 while empty. */
  get minTime(): number {
    return this.#minTime;
  }

  /** Time of the last sample, Unix ms; 0 while empty. */
  get maxTime(): number {
    return this.#time;
  }

  /** The chunk's payload; a view until the next append. */
  bytes(): Uint8Array {
    return this.#writer.bytes();
  }

  /**
   * Appends a sample, time in whole Unix ms after the last; null is a staleness marker, as is a histogram
   * whose sum has its bits. The histogram is kept until the next call. Integer chunks take only what
   * `hasIntegerCounts`.
   */
  append(time: number, histogram: FloatHistogram | null): CounterResetHint | null {
    if (histogram === null || isStale(histogram.sum)) return this.#appendStale(time);
    assert(this.#float || hasIntegerCounts(histogram), 'integer histogram with broken counts');
    const { counterResetHint: hint } = histogram;
    if (this.#count === 0) {
      if (hint === 'gauge' || hint === 'reset') this.#reset = hint;
      this.#write(time, histogram, histogram);
      return null;
    }
    if (this.#count === HISTOGRAM_SAMPLES_MAX) return this.resetBefore(histogram);
    const verdict = this.#judge(histogram);
    if (verdict.kind === 'cut') return verdict.reset;
    if (verdict.kind === 'widen') this.#widen(verdict.histogram);
    this.#write(time, verdict.histogram, verdict.histogram);
    return null;
  }

  /** The header of a chunk that continues this one with the given sample, though it might have fitted. */
  resetBefore(histogram: FloatHistogram | null): CounterResetHint {
    if (this.#reset === 'gauge' && histogram === null) return 'gauge';
    if (this.#count === 0 || histogram === null) return 'not-reset';
    const verdict = this.#judge(histogram);
    if (verdict.kind === 'cut') return verdict.reset;
    return this.#reset === 'gauge' ? 'gauge' : 'not-reset';
  }

  #judge(histogram: FloatHistogram): Verdict {
    const open = { gauge: this.#reset === 'gauge', float: this.#float, last: this.#last };
    return judge(open, histogram);
  }

  /** A marker fits behind any sample. It has no buckets, and none can follow it. */
  #appendStale(time: number): CounterResetHint | null {
    if (this.#count === HISTOGRAM_SAMPLES_MAX) return this.resetBefore(null);
    setStale(this.#sum, 0);
    this.#writeNumbers(time, EMPTY_LAYOUT, {
      count: 0,
      zeroCount: 0,
      sum: this.#sum,
      positive: NO_BUCKETS,
      negative: NO_BUCKETS,
    });
    this.#last = null;
    return null;
  }

  #write(time: number, histogram: FloatHistogram, layout: BucketLayout): void {
    this.#sum[0] = histogram.sum;
    this.#writeNumbers(time, layout, {
      count: histogram.count,
      zeroCount: histogram.zeroCount,
      sum: this.#sum,
      positive: histogram.positiveBuckets,
      negative: histogram.negativeBuckets,
    });
    this.#last = histogram;
  }

  #writeNumbers(time: number, layout: BucketLayout, numbers: SampleNumbers): void {
    const writer = this.#writer;
    if (this.#body === null) {
      const Body = this.#float ? FloatBody : IntegerBody;
      this.#body = new Body(countBuckets(layout.positiveSpans), countBuckets(layout.negativeSpans));
      this.#minTime = time;
      writeLayout(writer, layout);
      writeVarbitInt(writer, time);
      this.#body.writeFirst(writer, numbers);
    } else {
      const step = time - this.#time;
      writeVarbitInt(writer, step - this.#step);
      this.#step = step;
      this.#body.writeNext(writer, numbers);
    }
    this.#time = time;
    this.#count++;
    writer.setByte(0, this.#count >>> 8);
    writer.setByte(1, this.#count & 0xff);
    writer.setByte(2, resetByte(this.#reset));
  }

  #begin(): void {
    this.#writer = new BitWriter();
    this.#writer.bits(0, HISTOGRAM_HEADER_BYTES * 8);
    this.#body = null;
    this.#count = 0;
    this.#time = 0;
    this.#step = 0;
  }

  /** Writes all samples anew with the buckets of `layout`, which cover theirs. */
  #widen(layout: FloatHistogram): void {
    const samples = new SampleColumns(this.#count);
    const data = this.bytes();
    decodeHistograms({ data, encoding: this.encoding }, -Infinity, Infinity, samples);
    this.#begin();
    for (let i = 0; i < samples.length; i++) {
      const histogram = samples.histograms![i]!;
      const wider = inSpans(histogram, layout.positiveSpans, layout.negativeSpans);
      this.#write(samples.times[i]!, wider, wider);
    }
  }
}

/** An open chunk of integer counts (encoding 2). */
export class HistogramChunkAppender extends ChunkAppender {
  /** `reset` is what the chunk's header says unless its first sample knows better. */
  constructor(reset: CounterResetHint = 'unknown') {
    super(false, reset);
  }
}

/** An open chunk of float counts (encoding 3). */
export class FloatHistogramChunkAppender extends ChunkAppender {
  /** `reset` is what the chunk's header says unless its first sample knows better. */
  constructor(reset: CounterResetHint = 'unknown') {
    super(true, reset);
  }
}

/** What both kinds of open chunk can do. */
export type AnyHistogramChunkAppender = HistogramChunkAppender | FloatHistogramChunkAppender;
