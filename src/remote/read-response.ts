// Answers of Prometheus' remote read protocol: a stream of frames with chunks, or one message with samples.
// Fields: prompb/remote.proto and prompb/types.proto.

import { crc32c } from '../encoding/crc32c.ts';
import { ProtoReader } from '../encoding/proto.ts';
import { ReadBuffer } from '../encoding/read-buffer.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { SampleColumns } from '../storage/samples.ts';
import type { Chunk } from '../storage/series.ts';

const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const LENGTH_BYTES_MAX = 5;
const CRC_BYTES = 4;

/** A part of a series; a series may come in several, one after another. */
export interface ChunkedSeries {
  readonly labels: Labels;
  /** By time. Valid until the next frame. */
  readonly chunks: readonly Chunk[];
}

/** A series with its samples. */
export interface SampledSeries {
  readonly labels: Labels;
  readonly samples: SampleColumns;
  /** Native histogram samples, which are passed over. */
  readonly histograms: number;
}

/**
 * The frames of a stream: uvarint length, CRC-32C, message. Throws `corrupt` for a checksum that differs and
 * `unavailable` where the stream ends inside a frame.
 */
export async function* readResponseFrames(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array(0);
  for await (const piece of body) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    for (let frame = frameOf(held); frame; frame = frameOf(held)) {
      yield frame.message;
      held = held.subarray(frame.end);
    }
  }
  if (held.length > 0)
    throw new OutpostError('unavailable', 'remote read: the answer is cut short');
}

/** The first frame, null where it is not complete yet. */
function frameOf(bytes: Uint8Array): { message: Uint8Array; end: number } | null {
  const buffer = new ReadBuffer(bytes);
  const length = buffer.uvarint();
  const crc = buffer.u32();
  if (buffer.error !== null) {
    if (bytes.length < LENGTH_BYTES_MAX + CRC_BYTES) return null;
    throw new OutpostError('corrupt', `remote read: frame: ${buffer.error}`);
  }
  if (length > FRAME_BYTES_MAX) {
    throw new OutpostError('limit-exceeded', `remote read: a frame of ${length} bytes`);
  }
  const end = buffer.offset + length;
  if (end > bytes.length) return null;
  const message = bytes.subarray(buffer.offset, end);
  if (crc32c(message) !== crc) throw new OutpostError('corrupt', 'remote read: checksum mismatch');
  return { message, end };
}

/** The series of one frame. Throws `corrupt`. */
export function decodeChunkedSeries(message: Uint8Array): ChunkedSeries[] {
  return wellFormed(() => {
    const out: ChunkedSeries[] = [];
    const reader = new ProtoReader(message);
    while (reader.next()) {
      if (reader.field === 1) out.push(chunkedSeries(reader.message()));
      else reader.skip();
    }
    return out;
  });
}

/** The series of an answer with samples. Throws `corrupt`. */
export function decodeSampledSeries(message: Uint8Array): SampledSeries[] {
  return wellFormed(() => {
    const out: SampledSeries[] = [];
    const reader = new ProtoReader(message);
    while (reader.next()) {
      if (reader.field !== 1) {
        reader.skip();
        continue;
      }
      const result = reader.message();
      while (result.next()) {
        if (result.field === 1) out.push(sampledSeries(result.message()));
        else result.skip();
      }
    }
    return out;
  });
}

function chunkedSeries(reader: ProtoReader): ChunkedSeries {
  const pairs: [string, string][] = [];
  const chunks: Chunk[] = [];
  while (reader.next()) {
    if (reader.field === 1) pairs.push(label(reader.message()));
    else if (reader.field === 2) chunks.push(chunk(reader.message()));
    else reader.skip();
  }
  return { labels: Labels.fromPairs(pairs), chunks };
}

function sampledSeries(reader: ProtoReader): SampledSeries {
  const pairs: [string, string][] = [];
  const samples = new SampleColumns(128);
  let histograms = 0;
  while (reader.next()) {
    if (reader.field === 1) pairs.push(label(reader.message()));
    else if (reader.field === 2) sample(reader.message(), samples);
    else {
      if (reader.field === 4) histograms++;
      reader.skip();
    }
  }
  return { labels: Labels.fromPairs(pairs), samples, histograms };
}

function label(reader: ProtoReader): [string, string] {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  return [name, value];
}

// The numbers of chunk types are those of the encodings in blocks.
function chunk(reader: ProtoReader): Chunk {
  let minTime = 0;
  let maxTime = 0;
  let encoding = 0;
  let data: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) minTime = reader.int64();
    else if (reader.field === 2) maxTime = reader.int64();
    else if (reader.field === 3) encoding = reader.varint();
    else if (reader.field === 4) data = reader.view();
    else reader.skip();
  }
  return { minTime, maxTime, encoding, data };
}

function sample(reader: ProtoReader, out: SampleColumns): void {
  out.push(0, 0);
  const at = out.length - 1;
  while (reader.next()) {
    if (reader.field === 1) reader.doubleInto(out.values, at);
    else if (reader.field === 2) out.times[at] = reader.int64();
    else reader.skip();
  }
}

function wellFormed<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new OutpostError('corrupt', `remote read: ${cause.message}`, { cause });
  }
}
