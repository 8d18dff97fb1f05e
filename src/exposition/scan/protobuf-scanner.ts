// The protobuf format: a stream of MetricFamily messages of io.prometheus.client, each behind its length. A
// histogram that is native comes as one; what is classic comes as the samples of the text formats. Field
// numbers: prometheus/client_model metrics.proto.

import { formatOpenMetricsFloat } from '../../encoding/format-float.ts';
import { ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../../encoding/proto.ts';
import { decodeUtf8 } from '../../encoding/read-buffer.ts';
import { Labels, METRIC_NAME } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { MetricType } from '../../telemetry/metrics.ts';
import { type HistogramChoice, MetricMessage, PART, timestamp } from './metric-message.ts';
import type { SampleScanner, ScanKind, ScannedExemplar } from './scanner.ts';

const TYPES: readonly MetricType[] = [
  'counter',
  'gauge',
  'summary',
  'unknown',
  'histogram',
  'gaugehistogram',
];
const SUFFIXES = ['', '_count', '_sum', '_bucket', '', ''] as const;
/** Occurs in no UTF-8 text. */
const SEPARATOR = 0xff;
/** Separator, kind and bound. */
const TAIL_BYTES = 10;

type Stage = 'family' | 'help' | 'type' | 'unit' | 'metrics';

/** A cursor over a whole body. */
export class ProtobufScanner implements SampleScanner {
  keyBytes = new Uint8Array(1024);
  keyStart = 0;
  keyEnd = 0;
  readonly value = new Float64Array(1);
  type: MetricType = 'unknown';
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #metric: MetricMessage;
  readonly #tail = new DataView(new ArrayBuffer(8));
  #at = 0;
  #stage: Stage = 'family';
  #family: ProtoReader;
  #nameStart = 0;
  #nameEnd = 0;
  #help = '';
  #unit = '';
  #text = '';
  /** The sample at hand, and where its metric's labels end in the key. */
  #part = 0;
  #labelsStart = 0;
  #labelsEnd = 0;

  /** Reads bytes[0, length). */
  constructor(bytes: Uint8Array, choice: HistogramChoice, length: number = bytes.length) {
    this.#bytes = bytes;
    this.#end = length;
    this.#metric = new MetricMessage(choice);
    this.#family = new ProtoReader(bytes, 0, 0);
  }

  next(): ScanKind {
    return checked(() => this.#next());
  }

  get time(): number {
    return this.#metric.time;
  }

  get created(): number {
    return this.#metric.created;
  }

  labels(): Labels {
    return checked(() => this.#labels());
  }

  #labels(): Labels {
    const kind = this.#metric.kinds[this.#part]!;
    const pairs: [string, string][] = [];
    const reader = new ProtoReader(this.keyBytes, this.#labelsStart, this.#labelsEnd);
    while (reader.next()) pairs.push(labelPair(reader.message()));
    const problem = pairs.find(([name]) => name === '' || name === METRIC_NAME);
    if (problem) this.#fail(`a label with the name ${JSON.stringify(problem[0])}`);
    const bound = formatOpenMetricsFloat(this.#metric.bounds[this.#part]!);
    if (kind === PART.bucket) pairs.push(['le', bound]);
    if (kind === PART.quantile) pairs.push(['quantile', bound]);
    const name = this.metricName() + SUFFIXES[kind]!;
    return Labels.fromPairs([...pairs, [METRIC_NAME, name]]);
  }

  histogram(): FloatHistogram {
    return this.#metric.native.histogram(this.type === 'gaugehistogram');
  }

  get hasExemplars(): boolean {
    const { kinds, exemplarStarts, histogramExemplars } = this.#metric;
    if (kinds[this.#part] === PART.native) return histogramExemplars.length > 0;
    return exemplarStarts[this.#part]! > 0;
  }

  exemplars(): readonly ScannedExemplar[] {
    const { kinds, exemplarStarts, exemplarEnds, histogramExemplars } = this.#metric;
    const read = (start: number, end: number): ScannedExemplar =>
      checked(() => exemplarOf(new ProtoReader(this.#bytes, start, end)));
    if (kinds[this.#part] !== PART.native) {
      const start = exemplarStarts[this.#part]!;
      return start > 0 ? [read(start, exemplarEnds[this.#part]!)] : [];
    }
    const exemplars: ScannedExemplar[] = [];
    for (let i = 0; i < histogramExemplars.length; i += 2) {
      exemplars.push(read(histogramExemplars[i]!, histogramExemplars[i + 1]!));
    }
    return exemplars;
  }

  metricName(): string {
    return decodeUtf8(this.#bytes, this.#nameStart, this.#nameEnd);
  }

  text(): string {
    return this.#text;
  }

  #next(): ScanKind {
    for (;;) {
      if (this.#stage === 'metrics') {
        if (++this.#part >= this.#metric.count && !this.#nextMetric()) this.#stage = 'family';
        else if (this.#part < this.#metric.count) return this.#sample();
        continue;
      }
      if (this.#stage === 'family') {
        if (this.#at >= this.#end) return 'end';
        this.#openFamily();
        this.#stage = 'type';
        continue;
      }
      const kind = this.#metadata();
      if (kind !== null) return kind;
    }
  }

  #metadata(): ScanKind | null {
    if (this.#stage === 'type') {
      this.#stage = 'help';
      this.#metadataKey(0, this.type);
      return 'type';
    }
    if (this.#stage === 'help') {
      this.#stage = 'unit';
      if (this.#help === '') return null;
      this.#metadataKey(1, this.#help);
      return 'help';
    }
    this.#stage = 'metrics';
    this.#part = this.#metric.count = 0;
    if (this.#unit === '') return null;
    this.#metadataKey(2, this.#unit);
    return 'unit';
  }

  #openFamily(): void {
    const frame = new ProtoReader(this.#bytes, this.#at, this.#end);
    const end = frame.limit();
    this.#family = new ProtoReader(this.#bytes, frame.at, end);
    this.#at = end;
    this.#nameStart = this.#nameEnd = 0;
    this.#help = this.#unit = '';
    this.type = 'counter';
    const reader = new ProtoReader(this.#bytes, frame.at, end);
    while (reader.next()) {
      const { field, wireType } = reader;
      if (field === 3 && wireType === WIRE_VARINT) this.type = TYPES[reader.varint()] ?? 'unknown';
      else if (field === 1 && wireType === WIRE_BYTES) {
        this.#nameEnd = reader.limit();
        this.#nameStart = reader.at;
        reader.at = this.#nameEnd;
      } else if (field === 2 && wireType === WIRE_BYTES) this.#help = reader.string();
      else if (field === 5 && wireType === WIRE_BYTES) this.#unit = reader.string();
      else reader.skip();
    }
    if (this.#nameEnd === this.#nameStart) this.#fail('a metric family without a name');
  }

  /** Reads the family's next metric and begins its key; false at the family's end. */
  #nextMetric(): boolean {
    const family = this.#family;
    while (family.next()) {
      if (family.field !== 4 || family.wireType !== WIRE_BYTES) {
        family.skip();
        continue;
      }
      this.keyEnd = 0;
      this.#append(this.#nameStart, this.#nameEnd);
      this.#reserve(TAIL_BYTES);
      this.keyBytes[this.keyEnd++] = SEPARATOR;
      this.#labelsStart = this.keyEnd;
      this.#metric.read(family.message(), (start, end) => this.#append(start, end));
      this.#labelsEnd = this.keyEnd;
      this.#part = 0;
      return true;
    }
    return false;
  }

  #sample(): 'sample' | 'histogram' {
    const { kinds, bounds, values } = this.#metric;
    const kind = kinds[this.#part]!;
    this.#tail.setFloat64(0, bounds[this.#part]!);
    this.#reserve(TAIL_BYTES);
    this.keyEnd = this.#labelsEnd;
    this.keyBytes[this.keyEnd++] = SEPARATOR;
    this.keyBytes[this.keyEnd++] = kind;
    for (let i = 0; i < 8; i++) this.keyBytes[this.keyEnd++] = this.#tail.getUint8(i);
    if (kind === PART.native) return 'histogram';
    this.value.set(values.subarray(this.#part, this.#part + 1));
    return 'sample';
  }

  #metadataKey(kind: number, text: string): void {
    this.#text = text;
    const encoded = Buffer.from(text);
    this.keyEnd = 0;
    this.#append(this.#nameStart, this.#nameEnd);
    this.#reserve(encoded.length + 2);
    this.keyBytes[this.keyEnd++] = SEPARATOR;
    this.keyBytes[this.keyEnd++] = kind;
    this.keyBytes.set(encoded, this.keyEnd);
    this.keyEnd += encoded.length;
  }

  #append(start: number, end: number): void {
    this.#reserve(end - start);
    this.keyBytes.set(this.#bytes.subarray(start, end), this.keyEnd);
    this.keyEnd += end - start;
  }

  #reserve(extra: number): void {
    if (this.keyEnd + extra <= this.keyBytes.length) return;
    const grown = new Uint8Array(Math.max(this.keyEnd + extra, this.keyBytes.length * 2));
    grown.set(this.keyBytes);
    this.keyBytes = grown;
  }

  #fail(what: string): never {
    throw new OutpostError('bad-data', `parse exposition: byte ${this.#at}: ${what}`);
  }
}

function labelPair(reader: ProtoReader): [string, string] {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_BYTES) name = reader.string();
    else if (reader.field === 2 && reader.wireType === WIRE_BYTES) value = reader.string();
    else reader.skip();
  }
  return [name, value];
}

function exemplarOf(reader: ProtoReader): ScannedExemplar {
  const pairs: [string, string][] = [];
  let value = 0;
  let time: number | null = null;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_BYTES) {
      pairs.push(labelPair(reader.message()));
    } else if (reader.field === 2 && reader.wireType === WIRE_FIXED64) value = reader.double();
    else if (reader.field === 3 && reader.wireType === WIRE_BYTES) {
      time = timestamp(reader.message());
    } else reader.skip();
  }
  return { labels: Labels.fromPairs(pairs), value, time };
}

/** Says of bytes that end early what they are part of. */
function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OutpostError('bad-data', `parse exposition: ${error.message}`, { cause: error });
  }
}
