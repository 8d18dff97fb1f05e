// What the write-request kernel does, in plain TypeScript: the oracle of its tests.

import { ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../../../src/encoding/proto.ts';

/** A series of a request. Labels are the bytes of their fields as hex, values their bits as hex. */
export interface ReadSeries {
  readonly labels: string;
  readonly samples: readonly (readonly [time: number, bits: string])[];
  readonly histograms: number;
  /** The whole message as hex. */
  readonly bytes: string;
}

/** A request as it was read. */
export interface ReadRequest {
  readonly series: readonly ReadSeries[];
  readonly metadata: readonly string[];
  readonly exemplars: number;
}

/** Reads a request; null where it is damaged. */
export function readWriteRequest(bytes: Uint8Array): ReadRequest | null {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function read(bytes: Uint8Array): ReadRequest {
  const reader = new ProtoReader(bytes);
  const series: ReadSeries[] = [];
  const metadata: string[] = [];
  let exemplars = 0;
  while (next(reader)) {
    if (reader.field === 1 && reader.wireType === WIRE_BYTES) {
      const { exemplars: more, ...one } = readSeries(reader.message());
      series.push(one);
      exemplars += more;
    } else if (reader.field === 3 && reader.wireType === WIRE_BYTES) {
      metadata.push(Buffer.from(reader.view()).toString('hex'));
    } else reader.skip();
  }
  return { series, metadata, exemplars };
}

function readSeries(reader: ProtoReader): ReadSeries & { readonly exemplars: number } {
  const bytes = Buffer.from(reader.bytes.subarray(reader.at, reader.end)).toString('hex');
  let labels = '';
  const samples: [number, string][] = [];
  let histograms = 0;
  let exemplars = 0;
  for (let start = reader.at; next(reader); start = reader.at) {
    if (reader.wireType !== WIRE_BYTES || reader.field > 4) reader.skip();
    else if (reader.field === 1) {
      reader.view();
      labels += Buffer.from(reader.bytes.subarray(start, reader.at)).toString('hex');
    } else if (reader.field === 2) samples.push(readSample(reader.message()));
    else {
      reader.view();
      if (reader.field === 3) exemplars++;
      else histograms++;
    }
  }
  return { labels, samples, histograms, exemplars, bytes };
}

function readSample(reader: ProtoReader): [number, string] {
  let time = 0;
  const value = new Float64Array(1);
  while (next(reader)) {
    if (reader.field === 1 && reader.wireType === WIRE_FIXED64) reader.doubleInto(value, 0);
    else if (reader.field === 2 && reader.wireType === WIRE_VARINT) time = reader.int64();
    else reader.skip();
  }
  return [time, Buffer.from(value.buffer).toString('hex')];
}

/** Field numbers end at 2^29 − 1. */
function next(reader: ProtoReader): boolean {
  if (!reader.next()) return false;
  if (reader.field >= 2 ** 29) throw new RangeError(`protobuf field number ${reader.field}`);
  return true;
}
