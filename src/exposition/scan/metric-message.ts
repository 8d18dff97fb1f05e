// One Metric of io.prometheus.client taken apart: the samples that the text formats would have, as columns
// that are used again for the next one. Field numbers: prometheus/client_model metrics.proto.

import { type ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../../encoding/proto.ts';
import { NativeHistogramFields } from './native-histogram.ts';

/** What a sample is of its metric; also the byte that tells samples of one metric apart. */
export const PART = {
  value: 0,
  count: 1,
  sum: 2,
  bucket: 3,
  quantile: 4,
  native: 5,
} as const;

/** The bodies of a metric by field: which kind of value it has. */
const BODY = { gauge: 2, counter: 3, summary: 4, untyped: 5, histogram: 7 } as const;
const METRIC_LABEL = 1;
const METRIC_TIMESTAMP = 6;

/** Which histograms are wanted of a metric that is both. */
export interface HistogramChoice {
  /** Native histograms are read as such. */
  readonly native: boolean;
  /** The classic form of a metric with both is read, too. */
  readonly classicToo: boolean;
}

/** Holds the metric that was read last. */
export class MetricMessage {
  /** Samples; column i of each array below belongs to sample i. */
  count = 0;
  kinds = new Uint8Array(16);
  bounds = new Float64Array(16);
  values = new Float64Array(16);
  /** Where the sample's exemplar is in the bytes; start 0 is none. */
  exemplarStarts = new Uint32Array(16);
  exemplarEnds = new Uint32Array(16);
  /** Unix ms; NaN where the metric has no time of its own. */
  time = Number.NaN;
  /** Unix ms; NaN where it is not told. */
  created = Number.NaN;
  readonly native = new NativeHistogramFields();
  /** Exemplars of the histogram as a whole: start and end in turn. */
  readonly histogramExemplars: number[] = [];
  readonly #choice: HistogramChoice;

  constructor(choice: HistogramChoice) {
    this.#choice = choice;
  }

  /** Reads the metric; `onLabel` gets each label's bytes, tag and length included. Throws RangeError. */
  read(reader: ProtoReader, onLabel: (start: number, end: number) => void): void {
    this.count = 0;
    this.time = Number.NaN;
    this.created = Number.NaN;
    for (let start = reader.at; reader.next(); start = reader.at) {
      const { field, wireType } = reader;
      if (field === METRIC_TIMESTAMP && wireType === WIRE_VARINT) {
        const time = reader.int64();
        if (time !== 0) this.time = time;
      } else if (wireType !== WIRE_BYTES) reader.skip();
      else if (field === METRIC_LABEL) {
        reader.skip();
        onLabel(start, reader.at);
      } else this.#body(field, reader.message());
    }
  }

  #body(field: number, body: ProtoReader): void {
    if (field === BODY.histogram) this.#histogram(body);
    else if (field === BODY.summary) this.#summary(body);
    else if (field === BODY.counter || field === BODY.gauge || field === BODY.untyped) {
      this.#single(body, field === BODY.counter);
    }
  }

  #single(body: ProtoReader, isCounter: boolean): void {
    const at = this.#add(PART.value, 0, 0);
    while (body.next()) {
      if (body.field === 1 && body.wireType === WIRE_FIXED64) body.doubleInto(this.values, at);
      else if (isCounter && body.field === 2 && body.wireType === WIRE_BYTES) {
        this.#exemplar(at, body);
      } else if (isCounter && body.field === 3 && body.wireType === WIRE_BYTES) {
        this.created = timestamp(body.message());
      } else body.skip();
    }
  }

  #summary(body: ProtoReader): void {
    const count = this.#add(PART.count, 0, 0);
    const sum = this.#add(PART.sum, 0, 0);
    while (body.next()) {
      if (body.field === 1 && body.wireType === WIRE_VARINT) this.values[count] = body.varint();
      else if (body.field === 2 && body.wireType === WIRE_FIXED64)
        body.doubleInto(this.values, sum);
      else if (body.field === 3 && body.wireType === WIRE_BYTES) this.#quantile(body.message());
      else if (body.field === 4 && body.wireType === WIRE_BYTES) {
        this.created = timestamp(body.message());
      } else body.skip();
    }
  }

  #quantile(reader: ProtoReader): void {
    const at = this.#add(PART.quantile, 0, 0);
    while (reader.next()) {
      if (reader.field === 1 && reader.wireType === WIRE_FIXED64) {
        this.bounds[at] = reader.double();
      } else if (reader.field === 2 && reader.wireType === WIRE_FIXED64) {
        reader.doubleInto(this.values, at);
      } else reader.skip();
    }
  }

  #histogram(body: ProtoReader): void {
    const { native } = this;
    native.reset();
    this.histogramExemplars.length = 0;
    const isWanted = this.#choice.native;
    let hasInfinity = false;
    const first = this.count;
    while (body.next()) {
      if (body.wireType === WIRE_BYTES && body.field === 3) {
        hasInfinity = this.#bucket(body.message()) === Number.POSITIVE_INFINITY || hasInfinity;
      } else if (body.wireType === WIRE_BYTES && body.field === 15) {
        this.created = timestamp(body.message());
      } else if (body.wireType === WIRE_BYTES && body.field === 16) {
        const end = body.limit();
        this.histogramExemplars.push(body.at, end);
        body.at = end;
      } else if (!native.take(body)) body.skip();
    }
    const isNative = isWanted && native.isNative;
    if (isNative && !this.#choice.classicToo) this.count = first;
    else {
      if (!hasInfinity) this.#add(PART.bucket, Number.POSITIVE_INFINITY, native.count);
      this.#add(PART.count, 0, native.count);
      this.#add(PART.sum, 0, native.sum);
    }
    if (isNative) this.#add(PART.native, 0, 0);
  }

  /** The bucket's bound. */
  #bucket(reader: ProtoReader): number {
    const at = this.#add(PART.bucket, 0, 0);
    while (reader.next()) {
      const { field, wireType } = reader;
      if (field === 1 && wireType === WIRE_VARINT) {
        // Where both are there, the one that says something counts.
        const count = reader.varint();
        if (count > 0) this.values[at] = count;
      } else if (field === 2 && wireType === WIRE_FIXED64) this.bounds[at] = reader.double();
      else if (field === 3 && wireType === WIRE_BYTES) this.#exemplar(at, reader);
      else if (field === 4 && wireType === WIRE_FIXED64) {
        const count = reader.double();
        if (count > 0) this.values[at] = count;
      } else reader.skip();
    }
    return this.bounds[at]!;
  }

  #exemplar(at: number, reader: ProtoReader): void {
    const end = reader.limit();
    this.exemplarStarts[at] = reader.at;
    this.exemplarEnds[at] = end;
    reader.at = end;
  }

  #add(kind: number, bound: number, value: number): number {
    const at = this.count++;
    if (at === this.kinds.length) this.#grow();
    this.kinds[at] = kind;
    this.bounds[at] = bound;
    this.values[at] = value;
    this.exemplarStarts[at] = 0;
    return at;
  }

  #grow(): void {
    const length = this.kinds.length * 2;
    const { kinds, bounds, values, exemplarStarts, exemplarEnds } = this;
    (this.kinds = new Uint8Array(length)).set(kinds);
    (this.bounds = new Float64Array(length)).set(bounds);
    (this.values = new Float64Array(length)).set(values);
    (this.exemplarStarts = new Uint32Array(length)).set(exemplarStarts);
    (this.exemplarEnds = new Uint32Array(length)).set(exemplarEnds);
  }
}

/** A google.protobuf.Timestamp in Unix ms. */
export function timestamp(reader: ProtoReader): number {
  let ms = 0;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_VARINT) ms += reader.int64() * 1000;
    else if (reader.field === 2 && reader.wireType === WIRE_VARINT) {
      ms += Math.floor(reader.varint() / 1e6);
    } else reader.skip();
  }
  return ms;
}
