// A histogram of io.prometheus.client as a native one. Field numbers: prometheus/client_model
// io/prometheus/client/metrics.proto.

import { type ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../../encoding/proto.ts';
import type { BucketSpan, FloatHistogram } from '../../storage/histogram.ts';

const EMPTY = new Float64Array(0);

/** Collects the fields that make a native histogram, beside those of a classic one. */
export class NativeHistogramFields {
  schema = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  count = 0;
  sum = 0;
  isFloat = false;
  readonly #spans: [BucketSpan[], BucketSpan[]] = [[], []];
  readonly #deltas: [number[], number[]] = [[], []];
  readonly #counts: [number[], number[]] = [[], []];

  /** True where the message has buckets of its own, or says with an empty span that it would. */
  get isNative(): boolean {
    const [negative, positive] = this.#spans;
    const hasZero = this.zeroThreshold > 0 || this.zeroCount > 0;
    return hasZero || negative.length > 0 || positive.length > 0;
  }

  /** Forgets everything. */
  reset(): void {
    this.schema = 0;
    this.zeroThreshold = 0;
    this.zeroCount = 0;
    this.count = 0;
    this.sum = 0;
    this.isFloat = false;
    for (const list of [this.#spans, this.#deltas, this.#counts]) {
      list[0] = [];
      list[1] = [];
    }
  }

  /** Takes the current field; false where it belongs to none of these. Throws RangeError. */
  take(reader: ProtoReader): boolean {
    const { field, wireType } = reader;
    if (wireType === WIRE_VARINT) return this.#varint(reader, field);
    if (wireType === WIRE_FIXED64) return this.#double(reader, field);
    return wireType === WIRE_BYTES && this.#bytes(reader, field);
  }

  /** The histogram; the spans that only mark it as native are gone. */
  histogram(isGauge: boolean): FloatHistogram {
    const [negative, positive] = this.#spans;
    return {
      counterResetHint: isGauge ? 'gauge' : 'unknown',
      schema: this.schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.zeroCount,
      count: this.count,
      sum: this.sum,
      negativeSpans: negative.filter(({ length }) => length > 0),
      negativeBuckets: this.#buckets(0),
      positiveSpans: positive.filter(({ length }) => length > 0),
      positiveBuckets: this.#buckets(1),
      customValues: EMPTY,
      ...(this.isFloat ? {} : { integer: true }),
    };
  }

  #varint(reader: ProtoReader, field: number): boolean {
    if (field === 1) this.count = reader.varint();
    else if (field === 5) this.schema = signed(reader);
    else if (field === 7) this.zeroCount = reader.varint();
    else if (field === 10) this.#deltas[0].push(signed(reader));
    else if (field === 13) this.#deltas[1].push(signed(reader));
    else return false;
    return true;
  }

  #double(reader: ProtoReader, field: number): boolean {
    if (field === 2) this.sum = reader.double();
    else if (field === 4) this.#float(() => (this.count = reader.double()));
    else if (field === 6) this.zeroThreshold = reader.double();
    else if (field === 8) this.#float(() => (this.zeroCount = reader.double()));
    else if (field === 11) this.#counts[0].push(reader.double());
    else if (field === 14) this.#counts[1].push(reader.double());
    else return false;
    return true;
  }

  // A writer may send zeroes of the kind it does not mean.
  #float(read: () => number): void {
    if (read() > 0) this.isFloat = true;
  }

  #bytes(reader: ProtoReader, field: number): boolean {
    if (field === 9) this.#spans[0].push(span(reader.message()));
    else if (field === 12) this.#spans[1].push(span(reader.message()));
    else if (field === 10 || field === 13) {
      const packed = reader.message();
      while (packed.at < packed.end) this.#deltas[field === 10 ? 0 : 1].push(signed(packed));
    } else if (field === 11 || field === 14) {
      const packed = reader.message();
      while (packed.at < packed.end) this.#counts[field === 11 ? 0 : 1].push(packed.double());
    } else return false;
    return true;
  }

  #buckets(side: 0 | 1): Float64Array {
    if (this.isFloat) return Float64Array.from(this.#counts[side]);
    let total = 0;
    return Float64Array.from(this.#deltas[side], delta => (total += delta));
  }
}

function span(reader: ProtoReader): BucketSpan {
  let offset = 0;
  let length = 0;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_VARINT) offset = signed(reader);
    else if (reader.field === 2 && reader.wireType === WIRE_VARINT) length = reader.varint();
    else reader.skip();
  }
  return { offset, length };
}

/** A zig-zag varint; exact for safe integers. */
function signed(reader: ProtoReader): number {
  const value = reader.varint();
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
