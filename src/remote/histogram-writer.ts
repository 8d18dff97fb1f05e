// A native histogram as remote read sends it. Field numbers: prometheus/prometheus prompb/types.proto,
// message Histogram.

import { type ProtoWriter, WIRE_FIXED64 } from '../encoding/proto.ts';
import type { BucketSpan, CounterResetHint, FloatHistogram } from '../storage/histogram.ts';
import { hasIntegerCounts } from '../storage/histogram-chunk/appender.ts';

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not-reset', 'gauge'];

/** Writes a Histogram message into `field`; with whole counts where it was stored with such. */
export function writeHistogramMessage(
  writer: ProtoWriter,
  field: number,
  time: number,
  histogram: FloatHistogram,
): void {
  writer.messageField(field, () => {
    writeFields(writer, histogram, histogram.integer === true && hasIntegerCounts(histogram));
    writer.int64Field(15, time);
  });
}

function writeFields(writer: ProtoWriter, histogram: FloatHistogram, integer: boolean): void {
  const { count, sum, schema, zeroThreshold, zeroCount } = histogram;
  if (integer) writer.varintField(1, count);
  else writer.doubleField(2, count);
  writer.doubleField(3, sum);
  writer.varintField(4, zigzag(schema));
  writer.doubleField(5, zeroThreshold);
  if (integer) writer.varintField(6, zeroCount);
  else writer.doubleField(7, zeroCount);
  const counts = integer ? writeDeltas : writeDoubles;
  for (const span of histogram.negativeSpans) writeSpan(writer, 8, span);
  counts(writer, integer ? 9 : 10, histogram.negativeBuckets);
  for (const span of histogram.positiveSpans) writeSpan(writer, 11, span);
  counts(writer, integer ? 12 : 13, histogram.positiveBuckets);
  writer.varintField(14, HINTS.indexOf(histogram.counterResetHint));
  writeDoubles(writer, 16, histogram.customValues);
}

function writeSpan(writer: ProtoWriter, field: number, { offset, length }: BucketSpan): void {
  writer.messageField(field, () => {
    writer.varintField(1, zigzag(offset));
    writer.varintField(2, length);
  });
}

/** Packed differences to the bucket before. */
function writeDeltas(writer: ProtoWriter, field: number, values: Float64Array): void {
  if (values.length === 0) return;
  writer.messageField(field, () => {
    let before = 0;
    for (const value of values) {
      writer.varint(zigzag(value - before));
      before = value;
    }
  });
}

function writeDoubles(writer: ProtoWriter, field: number, values: Float64Array): void {
  if (values.length === 0) return;
  writer.bytesField(field, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

/** Writes one double with its bits. */
export function writeDoubleBits(
  writer: ProtoWriter,
  field: number,
  values: Float64Array,
  index: number,
): void {
  writer.tag(field, WIRE_FIXED64);
  writer.raw(new Uint8Array(values.buffer, values.byteOffset + index * 8, 8));
}
