// Histograms as remote write sends them, in 1.0 and 2.0 alike.

import type { ProtoWriter } from '../../src/encoding/proto.ts';
import type { BucketSpan, FloatHistogram } from '../../src/storage/histogram.ts';
import { setStale } from '../../src/storage/stale.ts';

const HINTS = ['unknown', 'reset', 'not-reset', 'gauge'];

/** Writes a Histogram message into `field`; null is a staleness marker. */
export function writeHistogram(
  w: ProtoWriter,
  field: number,
  time: number,
  histogram: FloatHistogram | null,
): void {
  w.messageField(field, () => {
    if (histogram) writeFields(w, histogram);
    else {
      w.varintField(1, 0);
      const marker = new Float64Array(1);
      setStale(marker, 0);
      w.tag(3, 1);
      w.raw(new Uint8Array(marker.buffer));
    }
    w.int64Field(15, time);
  });
}

function writeFields(w: ProtoWriter, histogram: FloatHistogram): void {
  const { integer, count, sum, schema, zeroThreshold, zeroCount } = histogram;
  if (integer) w.varintField(1, count);
  else w.doubleField(2, count);
  w.doubleField(3, sum);
  w.varintField(4, zigzag(schema));
  w.doubleField(5, zeroThreshold);
  if (integer) w.varintField(6, zeroCount);
  else w.doubleField(7, zeroCount);
  for (const span of histogram.negativeSpans) writeSpan(w, 8, span);
  writeBuckets(w, histogram.negativeBuckets, integer ? 9 : 10, integer ?? false);
  for (const span of histogram.positiveSpans) writeSpan(w, 11, span);
  writeBuckets(w, histogram.positiveBuckets, integer ? 12 : 13, integer ?? false);
  w.varintField(14, HINTS.indexOf(histogram.counterResetHint));
  writeBuckets(w, histogram.customValues, 16, false);
}

function writeSpan(w: ProtoWriter, field: number, { offset, length }: BucketSpan): void {
  w.messageField(field, () => {
    w.varintField(1, zigzag(offset));
    w.varintField(2, length);
  });
}

/** Packed: differences to the bucket before where they are integers. */
function writeBuckets(w: ProtoWriter, values: Float64Array, field: number, deltas: boolean): void {
  if (values.length === 0) return;
  if (deltas) {
    w.messageField(field, () => {
      for (let i = 0; i < values.length; i++) w.varint(zigzag(values[i]! - (values[i - 1] ?? 0)));
    });
  } else w.bytesField(field, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
