// Reads a histogram chunk sample by sample: integer or float counts, with or without start timestamps.

import { BitReader } from '../../encoding/bit-reader.ts';
import { readVarbitInt } from '../../encoding/varbit.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { CounterResetHint, FloatHistogram } from '../histogram.ts';
import { StartTimeReader } from '../start-times.ts';
import { type ChunkBody, FloatBody, IntegerBody } from './bodies.ts';
import { type ChunkHeader, HISTOGRAM_HEADER_BYTES, readChunkHeader } from './chunk-header.ts';
import { type BucketLayout, countBuckets, readLayout } from './layout.ts';
import { READABLE_SCHEMA_MAX, reduceResolution } from './resolution.ts';

/**
 * One pass over one chunk. `next()` until false; after each the sample's properties are valid. Memory is
 * bounded by the chunk's size, and what is broken throws OutpostError `corrupt`.
 */
export class HistogramChunkReader {
  readonly header: ChunkHeader;
  /** Time of the sample, Unix ms. */
  time = 0;
  /** Start timestamp of the sample. */
  readonly startTime: StartTimeReader;
  readonly #reader: BitReader;
  #layout: BucketLayout | null = null;
  #body: ChunkBody | null = null;
  #step = 0;
  #read = 0;

  /** The chunk's bytes are borrowed. */
  constructor(data: Uint8Array, encoding: number) {
    this.header = readChunkHeader(data, encoding);
    this.startTime = new StartTimeReader(this.header.startTimes);
    this.#reader = new BitReader(data, HISTOGRAM_HEADER_BYTES);
    // A sample takes at least a bit each for time, count, zero count and sum.
    if (this.header.count * 4 > this.#reader.remaining) {
      throw new OutpostError(
        'corrupt',
        `decode histogram chunk: it has ${data.length} bytes for ${this.header.count} samples`,
      );
    }
  }

  /** Reads the next sample; false at the end. */
  next(): boolean {
    if (this.#read === this.header.count) return false;
    const before = this.time;
    if (this.#read === 0) this.#readFirst();
    else this.#readNext(this.#body!);
    if (!Number.isSafeInteger(this.time)) {
      throw new OutpostError('corrupt', `decode histogram chunk: its time is ${this.time}`);
    }
    this.startTime.read(this.#reader, this.#read, this.#read === 0 ? this.time : before);
    this.#read++;
    return true;
  }

  /** True where the sample is a staleness marker; it has no histogram. */
  get stale(): boolean {
    return this.#body!.stale;
  }

  /** The sample as a histogram of its own, which shares spans and bounds with the chunk's others. */
  histogram(): FloatHistogram {
    const body = this.#body!;
    const layout = this.#layout!;
    const histogram: FloatHistogram = {
      counterResetHint: this.#hint(),
      schema: layout.schema,
      zeroThreshold: layout.zeroThreshold,
      zeroCount: body.zeroCount,
      count: body.count,
      sum: body.sum,
      positiveSpans: layout.positiveSpans,
      positiveBuckets: body.positive(),
      negativeSpans: layout.negativeSpans,
      negativeBuckets: body.negative(),
      customValues: layout.customValues,
      ...(this.header.float ? {} : { integer: true }),
    };
    return layout.schema > READABLE_SCHEMA_MAX
      ? reduceResolution(histogram, READABLE_SCHEMA_MAX)
      : histogram;
  }

  /**
   * Within a chunk of counters nothing is reset. Of its first sample nothing is said: the chunk that the
   * header was written against may be gone, or another may have come between.
   */
  #hint(): CounterResetHint {
    if (this.header.reset === 'gauge') return 'gauge';
    return this.#read > 1 ? 'not-reset' : 'unknown';
  }

  #readFirst(): void {
    const reader = this.#reader;
    const layout = readLayout(reader);
    const positives = countBuckets(layout.positiveSpans);
    const negatives = countBuckets(layout.negativeSpans);
    // The first sample has every bucket, so the bits there are bound what is allocated.
    if (positives + negatives > reader.remaining) {
      throw new OutpostError(
        'corrupt',
        `decode histogram chunk: it has ${positives + negatives} buckets in ${reader.remaining} bits`,
      );
    }
    this.#layout = layout;
    const Body = this.header.float ? FloatBody : IntegerBody;
    this.#body = new Body(positives, negatives);
    this.time = readVarbitInt(reader);
    this.#body.readFirst(reader);
  }

  #readNext(body: ChunkBody): void {
    this.#step += readVarbitInt(this.#reader);
    this.time += this.#step;
    body.readNext(this.#reader);
  }
}
