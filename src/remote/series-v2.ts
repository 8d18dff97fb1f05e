// One series of a remote-write 2.0 request. Start timestamps are passed over.

import { type ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../encoding/proto.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { MetricMetadata } from '../storage/appender.ts';
import type { Exemplar } from '../storage/exemplar.ts';
import { SampleColumns } from '../storage/samples.ts';
import { decodeHistogram, type SentHistogram } from './histogram-message.ts';
import type { Symbols } from './symbols.ts';

const LABELS = 1;
const SAMPLES = 2;
const HISTOGRAMS = 3;
const EXEMPLARS = 4;
const METADATA = 5;

const TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;

/** A series as it was sent. */
export interface SeriesV2 {
  readonly labelRefs: readonly number[];
  readonly samples: SampleColumns;
  readonly histograms: readonly SentHistogram[];
  /** Null where an exemplar's labels are broken. */
  readonly exemplars: readonly (Exemplar | null)[];
  /** Null where nothing is said, or with symbols that do not exist. */
  readonly metadata: MetricMetadata | null;
}

/** Decodes one series. Throws RangeError for malformed bytes. */
export function decodeSeriesV2(reader: ProtoReader, symbols: Symbols): SeriesV2 {
  const labelRefs: number[] = [];
  const samples = new SampleColumns(1);
  const histograms: SentHistogram[] = [];
  const exemplars: (Exemplar | null)[] = [];
  let metadata: MetricMetadata | null = null;
  while (reader.next()) {
    const { field, wireType } = reader;
    if (field === LABELS && isRefs(wireType)) readRefs(reader, labelRefs);
    else if (wireType !== WIRE_BYTES) reader.skip();
    else if (field === SAMPLES) decodeSample(reader.message(), samples);
    else if (field === HISTOGRAMS) histograms.push(decodeHistogram(reader.message()));
    else if (field === EXEMPLARS) exemplars.push(decodeExemplar(reader.message(), symbols));
    else if (field === METADATA) metadata = decodeMetadata(reader.message(), symbols);
    else reader.skip();
  }
  return { labelRefs, samples, histograms, exemplars, metadata };
}

function isRefs(wireType: number): boolean {
  return wireType === WIRE_BYTES || wireType === WIRE_VARINT;
}

/** Packed or single. */
function readRefs(reader: ProtoReader, out: number[]): void {
  if (reader.wireType === WIRE_VARINT) {
    out.push(reader.varint());
    return;
  }
  const packed = reader.message();
  while (packed.at < packed.end) out.push(packed.varint());
}

function decodeSample(reader: ProtoReader, out: SampleColumns): void {
  const at = out.length;
  out.push(0, 0);
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_FIXED64) reader.doubleInto(out.values, at);
    else if (reader.field === 2 && reader.wireType === WIRE_VARINT) out.times[at] = reader.int64();
    else reader.skip();
  }
}

function decodeExemplar(reader: ProtoReader, symbols: Symbols): Exemplar | null {
  const refs: number[] = [];
  let value = 0;
  let time = 0;
  while (reader.next()) {
    if (reader.field === 1 && isRefs(reader.wireType)) readRefs(reader, refs);
    else if (reader.field === 2 && reader.wireType === WIRE_FIXED64) value = reader.double();
    else if (reader.field === 3 && reader.wireType === WIRE_VARINT) time = reader.int64();
    else reader.skip();
  }
  return orNull(() => ({ labels: symbols.labels(refs), value, time }));
}

function decodeMetadata(reader: ProtoReader, symbols: Symbols): MetricMetadata | null {
  let type = 0;
  let help = 0;
  let unit = 0;
  while (reader.next()) {
    if (reader.wireType !== WIRE_VARINT) reader.skip();
    else if (reader.field === 1) type = reader.varint();
    else if (reader.field === 3) help = reader.varint();
    else if (reader.field === 4) unit = reader.varint();
    else reader.skip();
  }
  if (type === 0 && help === 0 && unit === 0) return null;
  return orNull(() => ({
    type: TYPES[type] ?? TYPES[0],
    help: symbols.text(help),
    unit: symbols.text(unit),
  }));
}

function orNull<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof OutpostError) return null;
    throw error;
  }
}
