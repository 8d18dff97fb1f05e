// Native histograms in the log: `type baseRef:u64 baseTime:i64 (ref−base:varint time−base:varint histogram)*`.
// Four types for integer and float counts, with exponential and with custom buckets; what a histogram looks
// like depends on the first of these and on its schema alone.

import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../../storage/histogram.ts';
import { HistogramBodyReader, HistogramBodyWriter } from './histogram-body.ts';
import {
  RECORD_CUSTOM_FLOAT_HISTOGRAMS,
  RECORD_CUSTOM_HISTOGRAMS,
  RECORD_FLOAT_HISTOGRAMS,
  RECORD_HISTOGRAMS,
} from './record-type.ts';

/** A record type that holds histograms. */
export type HistogramRecordType =
  | typeof RECORD_HISTOGRAMS
  | typeof RECORD_FLOAT_HISTOGRAMS
  | typeof RECORD_CUSTOM_HISTOGRAMS
  | typeof RECORD_CUSTOM_FLOAT_HISTOGRAMS;

const INITIAL_CAPACITY = 64;

/** Logged histograms as columns; null is a staleness marker. */
export class LoggedHistograms {
  refs: Float64Array = new Float64Array(INITIAL_CAPACITY);
  times: Float64Array = new Float64Array(INITIAL_CAPACITY);
  readonly histograms: (FloatHistogram | null)[] = [];
  /** Histograms passed over because nobody knows their schema. */
  unknownSchemas = 0;

  get length(): number {
    return this.histograms.length;
  }

  clear(): void {
    this.histograms.length = 0;
    this.unknownSchemas = 0;
  }

  push(ref: number, time: number, histogram: FloatHistogram | null): void {
    const at = this.length;
    if (at === this.refs.length) {
      this.refs = grown(this.refs);
      this.times = grown(this.times);
    }
    this.refs[at] = ref;
    this.times[at] = time;
    this.histograms.push(histogram);
  }
}

function grown(column: Float64Array): Float64Array {
  const out = new Float64Array(column.length * 2);
  out.set(column);
  return out;
}

/** The record that a histogram belongs into. */
export function histogramRecordType(histogram: FloatHistogram): HistogramRecordType {
  const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  if (histogram.integer) return custom ? RECORD_CUSTOM_HISTOGRAMS : RECORD_HISTOGRAMS;
  return custom ? RECORD_CUSTOM_FLOAT_HISTOGRAMS : RECORD_FLOAT_HISTOGRAMS;
}

function isFloatRecord(type: number): boolean {
  return type === RECORD_FLOAT_HISTOGRAMS || type === RECORD_CUSTOM_FLOAT_HISTOGRAMS;
}

/** Replaces `out`'s content by the record's histograms. Throws `corrupt`, and `out` is then empty. */
export function decodeHistogramRecord(record: Uint8Array, out: LoggedHistograms): void {
  out.clear();
  const reader = new HistogramBodyReader(record, isFloatRecord(record[0]!));
  const { buffer } = reader;
  if (buffer.remaining === 0) return;
  const baseRef = buffer.u64();
  const baseTime = buffer.i64();
  while (buffer.remaining > 0) {
    const ref = baseRef + buffer.varint();
    const time = baseTime + buffer.varint();
    const histogram = reader.histogram();
    if (reader.error !== null) break;
    if (histogram === undefined) out.unknownSchemas++;
    else out.push(ref, time, histogram);
  }
  if (reader.error === null) return;
  out.clear();
  throw new OutpostError('corrupt', `histograms record: ${reader.error}`);
}

/** Encodes records of all four types. */
export class HistogramRecordWriter {
  readonly #buffer = new WriteBuffer(4096);
  readonly #body = new HistogramBodyWriter(this.#buffer);

  /**
   * The record of the samples that `keep` accepts, null where there are none; all that are kept belong into
   * a record of this type (markers fit into any). The view is valid until the next call.
   */
  encode(
    type: HistogramRecordType,
    samples: LoggedHistograms,
    keep: (index: number) => boolean,
  ): Uint8Array | null {
    const buffer = this.#buffer;
    const { refs, times, histograms } = samples;
    buffer.reset();
    let base = -1;
    for (let i = 0; i < histograms.length; i++) {
      if (!keep(i)) continue;
      if (base < 0) {
        base = i;
        buffer.u8(type);
        buffer.u64(refs[i]!);
        buffer.u64(times[i]!);
      }
      buffer.varint(refs[i]! - refs[base]!);
      buffer.varint(times[i]! - times[base]!);
      this.#body.histogram(histograms[i] ?? null, isFloatRecord(type));
    }
    return base < 0 ? null : buffer.bytes();
  }
}
