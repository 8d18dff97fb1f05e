// Remote-write bodies for tests, written field by field.

import { ProtoWriter } from '../../src/encoding/proto.ts';
import { snappyEncode } from '../../src/encoding/snappy.ts';
import type { Exemplar } from '../../src/storage/exemplar.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { writeHistogram } from './write-histogram.ts';

/** One TimeSeries of a request. */
export interface WrittenSeries {
  readonly labels: readonly (readonly [string, string])[];
  /** [Unix ms, value] */
  readonly samples?: readonly (readonly [number, number])[];
  /** So many messages with next to nothing in them. */
  readonly histograms?: number;
  readonly exemplars?: number;
  /** [Unix ms, histogram or marker] */
  readonly sentHistograms?: readonly (readonly [number, FloatHistogram | null])[];
  readonly sentExemplars?: readonly Exemplar[];
  /** Puts the samples before the last label. */
  readonly split?: boolean;
}

/** One MetricMetadata of a request; `type` is the enum's number. */
export interface WrittenMetadata {
  readonly type: number;
  readonly name: string;
  readonly help: string;
  readonly unit: string;
}

/** The message, not compressed. */
export function encodeWriteRequest(
  series: readonly WrittenSeries[],
  metadata: readonly WrittenMetadata[] = [],
): Uint8Array {
  const w = new ProtoWriter();
  for (const entry of series) w.messageField(1, () => writeSeries(w, entry));
  for (const { type, name, help, unit } of metadata) {
    w.messageField(3, () => {
      w.varintField(1, type);
      w.stringField(2, name);
      w.stringField(4, help);
      w.stringField(5, unit);
    });
  }
  return w.finish();
}

/** The body as it is sent. */
export function writeBody(
  series: readonly WrittenSeries[],
  metadata: readonly WrittenMetadata[] = [],
): Uint8Array {
  return snappyEncode(encodeWriteRequest(series, metadata));
}

function writeSeries(w: ProtoWriter, entry: WrittenSeries): void {
  const last = entry.split ? entry.labels.length - 1 : entry.labels.length;
  const label = ([name, value]: readonly [string, string]): void =>
    w.messageField(1, () => {
      w.stringField(1, name);
      w.stringField(2, value);
    });
  entry.labels.slice(0, last).forEach(label);
  for (const [time, value] of entry.samples ?? []) {
    w.messageField(2, () => {
      w.doubleField(1, value);
      w.int64Field(2, time);
    });
  }
  entry.labels.slice(last).forEach(label);
  for (let i = 0; i < (entry.exemplars ?? 0); i++) w.messageField(3, () => w.doubleField(2, 1));
  for (let i = 0; i < (entry.histograms ?? 0); i++) w.messageField(4, () => w.doubleField(3, 1));
  for (const [time, histogram] of entry.sentHistograms ?? []) {
    writeHistogram(w, 4, time, histogram);
  }
  for (const exemplar of entry.sentExemplars ?? []) writeExemplar(w, exemplar);
}

function writeExemplar(w: ProtoWriter, { labels, value, time }: Exemplar): void {
  w.messageField(3, () => {
    for (const [name, text] of labels) {
      w.messageField(1, () => {
        w.stringField(1, name);
        w.stringField(2, text);
      });
    }
    w.doubleField(2, value);
    w.int64Field(3, time);
  });
}
