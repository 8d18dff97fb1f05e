// Remote-write 2.0 bodies for tests.

import { ProtoWriter } from '../../src/encoding/proto.ts';
import { snappyEncode } from '../../src/encoding/snappy.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { writeHistogram } from './write-histogram.ts';

/** One TimeSeries of a request. */
export interface WrittenSeriesV2 {
  readonly labels: Readonly<Record<string, string>>;
  /** Instead of the labels' own references. */
  readonly refs?: readonly number[];
  /** [Unix ms, value] */
  readonly samples?: readonly (readonly [number, number])[];
  readonly histograms?: readonly (readonly [number, FloatHistogram | null])[];
  /** [Unix ms, value, labels] */
  readonly exemplars?: readonly (readonly [number, number, Readonly<Record<string, string>>])[];
  /** `type` is the enum's number. */
  readonly metadata?: { readonly type: number; readonly help: string; readonly unit: string };
}

class SymbolTable {
  readonly texts = [''];
  ref(text: string): number {
    const at = this.texts.indexOf(text);
    return at >= 0 ? at : this.texts.push(text) - 1;
  }
  refs(labels: Readonly<Record<string, string>>): number[] {
    return Object.entries(labels)
      .flat()
      .map(text => this.ref(text));
  }
}

/** The body as it is sent. */
export function writeBodyV2(series: readonly WrittenSeriesV2[]): Uint8Array {
  const symbols = new SymbolTable();
  const rest = new ProtoWriter();
  for (const one of series) rest.messageField(5, () => writeSeries(rest, one, symbols));
  const w = new ProtoWriter();
  for (const text of symbols.texts) w.stringField(4, text);
  w.raw(rest.finish());
  return snappyEncode(w.finish());
}

function writeSeries(w: ProtoWriter, one: WrittenSeriesV2, symbols: SymbolTable): void {
  const own = symbols.refs(one.labels);
  packed(w, 1, one.refs ?? own);
  for (const [time, value] of one.samples ?? []) {
    w.messageField(2, () => {
      w.doubleField(1, value);
      w.int64Field(2, time);
      w.int64Field(3, time - 1000);
    });
  }
  for (const [time, histogram] of one.histograms ?? []) writeHistogram(w, 3, time, histogram);
  for (const [time, value, labels] of one.exemplars ?? []) {
    w.messageField(4, () => {
      packed(w, 1, symbols.refs(labels));
      w.doubleField(2, value);
      w.int64Field(3, time);
    });
  }
  const { metadata } = one;
  if (!metadata) return;
  w.messageField(5, () => {
    w.varintField(1, metadata.type);
    w.varintField(3, symbols.ref(metadata.help));
    w.varintField(4, symbols.ref(metadata.unit));
  });
}

function packed(w: ProtoWriter, field: number, values: readonly number[]): void {
  w.messageField(field, () => {
    for (const value of values) w.varint(value);
  });
}
