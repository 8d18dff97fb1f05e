// A native histogram as remote write sends it, the same in 1.0 and 2.0. Field numbers: prometheus/prometheus
// prompb/types.proto and prompb/io/prometheus/write/v2/types.proto.

import { type ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../encoding/proto.ts';
import type { BucketSpan, CounterResetHint, FloatHistogram } from '../storage/histogram.ts';
import { isStaleAt } from '../storage/stale.ts';

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not-reset', 'gauge'];
const EMPTY = new Float64Array(0);

/** A histogram and its time. */
export interface SentHistogram {
  /** Unix ms. */
  readonly time: number;
  /** Null for a staleness marker. */
  readonly histogram: FloatHistogram | null;
}

/** Decodes one message. Throws RangeError for malformed bytes; what makes no sense is left to the store. */
export function decodeHistogram(reader: ProtoReader): SentHistogram {
  const message = new HistogramMessage();
  while (reader.next()) message.field(reader);
  return message.done();
}

/** Collects fields. */
class HistogramMessage {
  #float = false;
  #count = 0;
  readonly #sum = new Float64Array(1);
  #schema = 0;
  #zeroThreshold = 0;
  #zeroCount = 0;
  #hint = 0;
  #time = 0;
  readonly #spans: [BucketSpan[], BucketSpan[]] = [[], []];
  readonly #deltas: [number[], number[]] = [[], []];
  readonly #counts: [number[], number[]] = [[], []];
  readonly #bounds: number[] = [];

  field(reader: ProtoReader): void {
    if (reader.wireType === WIRE_VARINT && this.#varint(reader)) return;
    if (reader.wireType === WIRE_FIXED64 && this.#double(reader)) return;
    if (reader.wireType === WIRE_BYTES && this.#bytes(reader)) return;
    reader.skip();
  }

  done(): SentHistogram {
    if (isStaleAt(this.#sum, 0)) return { time: this.#time, histogram: null };
    const histogram = {
      counterResetHint: HINTS[this.#hint] ?? 'unknown',
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: this.#zeroCount,
      count: this.#count,
      sum: this.#sum[0]!,
      negativeSpans: this.#spans[0],
      negativeBuckets: this.#buckets(0),
      positiveSpans: this.#spans[1],
      positiveBuckets: this.#buckets(1),
      customValues: this.#bounds.length > 0 ? Float64Array.from(this.#bounds) : EMPTY,
      ...(this.#float ? {} : { integer: true }),
    };
    return { time: this.#time, histogram };
  }

  #varint(reader: ProtoReader): boolean {
    if (reader.field === 1) this.#count = reader.varint();
    else if (reader.field === 4) this.#schema = signed(reader);
    else if (reader.field === 6) this.#zeroCount = reader.varint();
    else if (reader.field === 9) this.#deltas[0].push(signed(reader));
    else if (reader.field === 12) this.#deltas[1].push(signed(reader));
    else if (reader.field === 14) this.#hint = reader.varint();
    else if (reader.field === 15) this.#time = reader.int64();
    else return false;
    return true;
  }

  #double(reader: ProtoReader): boolean {
    if (reader.field === 2) {
      this.#float = true;
      this.#count = reader.double();
    } else if (reader.field === 3) reader.doubleInto(this.#sum, 0);
    else if (reader.field === 5) this.#zeroThreshold = reader.double();
    else if (reader.field === 7) this.#zeroCount = reader.double();
    else if (reader.field === 10) this.#counts[0].push(reader.double());
    else if (reader.field === 13) this.#counts[1].push(reader.double());
    else if (reader.field === 16) this.#bounds.push(reader.double());
    else return false;
    return true;
  }

  #bytes(reader: ProtoReader): boolean {
    const { field } = reader;
    if (field === 8) this.#spans[0].push(decodeSpan(reader.message()));
    else if (field === 11) this.#spans[1].push(decodeSpan(reader.message()));
    else if (field === 9 || field === 12) {
      const packed = reader.message();
      while (packed.at < packed.end) this.#deltas[field === 9 ? 0 : 1].push(signed(packed));
    } else if (field === 10 || field === 13 || field === 16) {
      const packed = reader.message();
      const target = field === 16 ? this.#bounds : this.#counts[field === 10 ? 0 : 1];
      while (packed.at < packed.end) target.push(packed.double());
    } else return false;
    return true;
  }

  #buckets(side: 0 | 1): Float64Array {
    if (this.#float) return Float64Array.from(this.#counts[side]);
    let total = 0;
    return Float64Array.from(this.#deltas[side], delta => (total += delta));
  }
}

function decodeSpan(reader: ProtoReader): BucketSpan {
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
