// One native histogram as log records hold it: `resetHint:u8 schema:varint zeroThreshold:f64 zeroCount count
// sum:f64 positiveSpans negativeSpans positiveBuckets negativeBuckets [customBounds]`. Integer counts are
// uvarints and buckets differences; float counts are doubles.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import type { WriteBuffer } from '../../encoding/write-buffer.ts';
import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
} from '../../storage/histogram.ts';
import { READABLE_SCHEMA_MAX, reduceResolution } from '../../storage/histogram-chunk/resolution.ts';
import { isStaleAt, setStale } from '../../storage/stale.ts';

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not-reset', 'gauge'];
const SCHEMA_MIN = -9;
const SCHEMA_MAX = 52;
const OFFSET_MAX = 2 ** 31 - 1;
const EMPTY = new Float64Array(0);

/** Reads the histograms of one record, and what lies between them through `buffer`. */
export class HistogramBodyReader {
  readonly buffer: ReadBuffer;
  readonly #float: boolean;
  readonly #sum = new Float64Array(1);
  #error: string | null = null;

  /** Reading starts behind the record's type. */
  constructor(record: Uint8Array, float: boolean) {
    this.buffer = new ReadBuffer(record, 1);
    this.#float = float;
  }

  /** What went wrong first; null while all is well. After an error the answers mean nothing. */
  get error(): string | null {
    return this.#error ?? this.buffer.error;
  }

  /** Null for a staleness marker, undefined where the schema is unknown. */
  histogram(): FloatHistogram | null | undefined {
    const { buffer } = this;
    const counterResetHint = HINTS[buffer.u8()] ?? 'unknown';
    const schema = buffer.varint();
    const zeroThreshold = buffer.f64();
    const zeroCount = this.#count();
    const count = this.#count();
    buffer.f64Into(this.#sum, 0);
    const positiveSpans = this.#spans();
    const negativeSpans = this.#spans();
    const positiveBuckets = this.#buckets(positiveSpans);
    const negativeBuckets = this.#buckets(negativeSpans);
    const customValues = schema === CUSTOM_BUCKETS_SCHEMA ? this.#doubles() : EMPTY;
    // Spans that their buckets have not proved may be of any length.
    if (this.error !== null) return undefined;
    if (isStaleAt(this.#sum, 0)) return null;
    const histogram = {
      counterResetHint,
      schema,
      zeroThreshold,
      zeroCount,
      count,
      sum: this.#sum[0]!,
      positiveSpans,
      positiveBuckets,
      negativeSpans,
      negativeBuckets,
      customValues,
      ...(this.#float ? {} : { integer: true }),
    };
    if (schema === CUSTOM_BUCKETS_SCHEMA) return histogram;
    if (schema < SCHEMA_MIN || schema > SCHEMA_MAX) return undefined;
    return schema > READABLE_SCHEMA_MAX
      ? reduceResolution(histogram, READABLE_SCHEMA_MAX)
      : histogram;
  }

  #count(): number {
    return this.#float ? this.buffer.f64() : this.buffer.uvarint();
  }

  #spans(): BucketSpan[] {
    const { buffer } = this;
    const count = this.#length(2);
    const spans: BucketSpan[] = [];
    for (let i = 0; i < count && this.error === null; i++) {
      const offset = buffer.varint();
      const length = buffer.uvarint();
      if (Math.abs(offset) > OFFSET_MAX || (i > 0 && offset < 0)) {
        this.#fail(`span at offset ${offset}`);
      }
      spans.push({ offset, length });
    }
    return spans;
  }

  #buckets(spans: readonly BucketSpan[]): Float64Array {
    let expected = 0;
    for (const span of spans) expected += span.length;
    if (this.#float) {
      const counts = this.#doubles();
      this.#expect(counts.length, expected);
      return counts;
    }
    const length = this.#length(1);
    this.#expect(length, expected);
    const counts = new Float64Array(length);
    let total = 0;
    for (let i = 0; i < length; i++) counts[i] = total += this.buffer.varint();
    return counts;
  }

  #expect(length: number, expected: number): void {
    if (length !== expected) this.#fail(`${length} buckets in spans of ${expected}`);
  }

  #doubles(): Float64Array {
    const doubles = new Float64Array(this.#length(8));
    for (let i = 0; i < doubles.length; i++) this.buffer.f64Into(doubles, i);
    return doubles;
  }

  /** How many items follow, none where there is no room for so many. */
  #length(bytesEach: number): number {
    const length = this.buffer.uvarint();
    if (length * bytesEach <= this.buffer.remaining) return length;
    this.#fail(`${length} items in ${this.buffer.remaining} bytes`);
    return 0;
  }

  #fail(what: string): void {
    this.#error ??= `${what} at offset ${this.buffer.offset}`;
  }
}

/** Writes histograms one after another. */
export class HistogramBodyWriter {
  readonly #buffer: WriteBuffer;
  readonly #cell = new Float64Array(1);

  constructor(buffer: WriteBuffer) {
    this.#buffer = buffer;
  }

  /** Writes a histogram, integer counts as such unless `float`; null is a staleness marker. */
  histogram(histogram: FloatHistogram | null, float: boolean): void {
    const buffer = this.#buffer;
    buffer.u8(HINTS.indexOf(histogram?.counterResetHint ?? 'unknown'));
    buffer.varint(histogram?.schema ?? 0);
    buffer.f64(histogram?.zeroThreshold ?? 0);
    this.#count(histogram?.zeroCount ?? 0, float);
    this.#count(histogram?.count ?? 0, float);
    if (histogram) this.#cell[0] = histogram.sum;
    else setStale(this.#cell, 0);
    buffer.f64At(this.#cell, 0);
    this.#spans(histogram?.positiveSpans ?? []);
    this.#spans(histogram?.negativeSpans ?? []);
    this.#buckets(histogram?.positiveBuckets ?? EMPTY, float);
    this.#buckets(histogram?.negativeBuckets ?? EMPTY, float);
    if (histogram?.schema === CUSTOM_BUCKETS_SCHEMA) this.#doubles(histogram.customValues);
  }

  #count(count: number, float: boolean): void {
    if (float) this.#buffer.f64(count);
    else this.#buffer.uvarint(count);
  }

  #spans(spans: readonly BucketSpan[]): void {
    this.#buffer.uvarint(spans.length);
    for (const { offset, length } of spans) {
      this.#buffer.varint(offset);
      this.#buffer.uvarint(length);
    }
  }

  #buckets(counts: Float64Array, float: boolean): void {
    if (float) {
      this.#doubles(counts);
      return;
    }
    this.#buffer.uvarint(counts.length);
    for (let i = 0; i < counts.length; i++) this.#buffer.varint(counts[i]! - (counts[i - 1] ?? 0));
  }

  #doubles(values: Float64Array): void {
    this.#buffer.uvarint(values.length);
    for (let i = 0; i < values.length; i++) this.#buffer.f64At(values, i);
  }
}
