// Reads a remote-write 1.0 WriteRequest straight into columns. A series is known by the bytes of its
// labels, so nothing is built for one that was seen before. Field numbers: prometheus/prometheus
// prompb/remote.proto and types.proto.

import { ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../encoding/proto.ts';
import type { MetricMetadata } from '../storage/appender.ts';
import type { LabelRegion } from './label-region.ts';
import type { WriteColumns } from './write-columns.ts';

const REQUEST_TIMESERIES = 1;
const REQUEST_METADATA = 3;
const SERIES_LABELS = 1;
const SERIES_SAMPLES = 2;
const SERIES_EXEMPLARS = 3;
const SERIES_HISTOGRAMS = 4;
const SAMPLE_VALUE = 1;
const SAMPLE_TIMESTAMP = 2;

// A sample as every sender writes it: both fields present, and a time of 2^35 … 2^42 ms (1971 to 2109).
const USUAL_SAMPLE_BYTES = 16;
const TAG_VALUE = (SAMPLE_VALUE << 3) | WIRE_FIXED64;
const TAG_TIMESTAMP = (SAMPLE_TIMESTAMP << 3) | WIRE_VARINT;
const TWO_28 = 2 ** 28;

const METADATA_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;

/** What `next` found. */
export type WriteEntry = 'series' | 'metadata' | 'end';

/**
 * A cursor over one request. Malformed input throws RangeError. Nothing that it hands out outlives the
 * next call, except the samples it appended.
 */
export class WriteRequestScanner {
  /** The current series' encoded labels. */
  readonly labels: LabelRegion;
  /** Index of the current series' first sample in the columns. */
  firstSample = 0;
  /** Histogram samples of the current series; they are passed over. */
  histograms = 0;
  /** Exemplars of the current series; they are passed over. */
  exemplars = 0;
  /** The current metadata entry. */
  metricName = '';
  metadata: MetricMetadata = { type: 'unknown', help: '', unit: '' };

  readonly #reader: ProtoReader;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #columns: WriteColumns;

  /** `bytes` is borrowed until the end; samples are appended to `columns`. */
  constructor(bytes: Uint8Array, columns: WriteColumns) {
    this.#reader = new ProtoReader(bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#columns = columns;
    this.labels = { bytes, view: this.#view, start: 0, end: 0 };
  }

  next(): WriteEntry {
    const reader = this.#reader;
    while (reader.next()) {
      if (reader.field === REQUEST_TIMESERIES && reader.wireType === WIRE_BYTES) {
        this.#scanSeries(reader.limit());
        return 'series';
      }
      if (reader.field === REQUEST_METADATA && reader.wireType === WIRE_BYTES) {
        this.#readMetadata(reader.message());
        return 'metadata';
      }
      reader.skip();
    }
    return 'end';
  }

  #scanSeries(end: number): void {
    const reader = this.#reader;
    const { labels } = this;
    labels.bytes = this.#bytes;
    labels.view = this.#view;
    labels.start = labels.end = reader.at;
    this.firstSample = this.#columns.length;
    this.histograms = 0;
    this.exemplars = 0;
    while (reader.at < end) {
      const tagAt = reader.at;
      reader.next();
      if (reader.wireType === WIRE_BYTES && reader.field <= SERIES_HISTOGRAMS) {
        const fieldEnd = reader.limit();
        if (reader.field === SERIES_SAMPLES) this.#scanSample(fieldEnd);
        else if (reader.field === SERIES_LABELS) this.#addLabel(tagAt, fieldEnd);
        else if (reader.field === SERIES_EXEMPLARS) this.exemplars++;
        else if (reader.field === SERIES_HISTOGRAMS) this.histograms++;
        reader.at = fieldEnd;
      } else reader.skip();
    }
    if (reader.at !== end) throw new RangeError(`a series overruns its length at offset ${end}`);
  }

  #addLabel(start: number, end: number): void {
    const { labels } = this;
    if (labels.end === labels.start) labels.start = start;
    else if (labels.bytes !== this.#bytes || labels.end !== start) {
      // Labels with other fields between them are legal and unheard of: they are put side by side.
      const joined = new Uint8Array(labels.end - labels.start + end - start);
      joined.set(labels.bytes.subarray(labels.start, labels.end));
      joined.set(this.#bytes.subarray(start, end), labels.end - labels.start);
      labels.bytes = joined;
      labels.view = new DataView(joined.buffer);
      labels.start = 0;
      labels.end = joined.length;
      return;
    }
    labels.end = end;
  }

  #scanSample(end: number): void {
    const columns = this.#columns;
    const reader = this.#reader;
    columns.reserve();
    const at = reader.at;
    const i = columns.length;
    if (this.#isUsual(at, end)) {
      columns.words[2 * i] = this.#view.getUint32(at + 1, true);
      columns.words[2 * i + 1] = this.#view.getUint32(at + 5, true);
      columns.times[i] = this.#usualTime(at + 10);
    } else this.#readSample(end, i);
    columns.length++;
  }

  #isUsual(at: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - at !== USUAL_SAMPLE_BYTES || bytes[at] !== TAG_VALUE) return false;
    if (bytes[at + 9] !== TAG_TIMESTAMP || bytes[at + 15]! >= 0x80) return false;
    const more =
      bytes[at + 10]! & bytes[at + 11]! & bytes[at + 12]! & bytes[at + 13]! & bytes[at + 14]!;
    return more >= 0x80;
  }

  // A varint of exactly six bytes.
  #usualTime(at: number): number {
    const bytes = this.#bytes;
    const low =
      (bytes[at]! & 0x7f) |
      ((bytes[at + 1]! & 0x7f) << 7) |
      ((bytes[at + 2]! & 0x7f) << 14) |
      ((bytes[at + 3]! & 0x7f) << 21);
    return low + ((bytes[at + 4]! & 0x7f) | ((bytes[at + 5]! & 0x7f) << 7)) * TWO_28;
  }

  #readSample(end: number, i: number): void {
    const reader = this.#reader;
    const columns = this.#columns;
    columns.times[i] = 0;
    columns.values[i] = 0;
    while (reader.at < end) {
      reader.next();
      if (reader.field === SAMPLE_VALUE && reader.wireType === WIRE_FIXED64) {
        reader.doubleInto(columns.values, i);
      } else if (reader.field === SAMPLE_TIMESTAMP && reader.wireType === WIRE_VARINT) {
        columns.times[i] = reader.int64();
      } else reader.skip();
    }
    if (reader.at !== end) throw new RangeError(`a sample overruns its length at offset ${end}`);
  }

  #readMetadata(message: ProtoReader): void {
    let type: string = METADATA_TYPES[0];
    let help = '';
    let unit = '';
    this.metricName = '';
    while (message.next()) {
      if (message.field === 1 && message.wireType === WIRE_VARINT) {
        type = METADATA_TYPES[message.varint()] ?? METADATA_TYPES[0];
      } else if (message.wireType !== WIRE_BYTES) message.skip();
      else if (message.field === 2) this.metricName = message.string();
      else if (message.field === 4) help = message.string();
      else if (message.field === 5) unit = message.string();
      else message.skip();
    }
    this.metadata = { type, help, unit };
  }
}
