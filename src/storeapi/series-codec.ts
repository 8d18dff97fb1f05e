// SeriesResponse by hand: the frames of a Series call (proto/thanos/store.proto). Chunks are views of the
// frame when read and are copied once when written.

import { ProtoReader, ProtoWriter, WIRE_BYTES } from '../encoding/proto.ts';
import { compareStrings } from '../labels/compare.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Chunk } from '../storage/series.ts';
import type { StringCache } from './string-cache.ts';

/** One series as it came, possibly only a part of it. */
export interface SeriesFrame {
  readonly labels: Labels;
  /** Views of the frame's bytes. */
  readonly chunks: Chunk[];
}

/** What one message held. */
export interface ResponseFrame {
  readonly series: SeriesFrame[];
  readonly warnings: string[];
}

/** Writes frames; one for each call. */
export class SeriesEncoder {
  readonly #writer = new ProtoWriter(64 * 1024);

  /** A SeriesResponse with one series. */
  series(labels: Labels, chunks: readonly Chunk[]): Uint8Array {
    this.#writer.reset();
    this.#writer.messageField(1, () => {
      this.#labels(labels);
      for (const chunk of chunks) this.#chunk(chunk);
    });
    return this.#writer.finish();
  }

  /** A SeriesResponse with a batch made of frames that `series` returned. */
  batch(frames: readonly Uint8Array[]): Uint8Array {
    // Series is field 1 of the response as well as of the batch, so the frames are its elements.
    this.#writer.reset();
    this.#writer.tag(4, WIRE_BYTES);
    this.#writer.varint(frames.reduce((sum, frame) => sum + frame.length, 0));
    for (const frame of frames) this.#writer.raw(frame);
    return this.#writer.finish();
  }

  warning(text: string): Uint8Array {
    this.#writer.reset();
    this.#writer.stringField(2, text);
    return this.#writer.finish();
  }

  #labels(labels: Labels): void {
    const writer = this.#writer;
    const pairs = labels.pairs;
    for (let i = 0; i < pairs.length; i += 2) {
      writer.messageField(1, () => {
        writer.stringField(1, pairs[i]!);
        writer.stringField(2, pairs[i + 1]!);
      });
    }
  }

  #chunk(chunk: Chunk): void {
    const writer = this.#writer;
    writer.messageField(2, () => {
      if (chunk.minTime !== 0) writer.int64Field(1, chunk.minTime);
      if (chunk.maxTime !== 0) writer.int64Field(2, chunk.maxTime);
      writer.messageField(3, () => {
        // The wire's number is one less than that in chunk files.
        if (chunk.encoding !== 1) writer.varintField(1, chunk.encoding - 1);
        if (chunk.data.length > 0) writer.bytesField(2, chunk.data);
      });
    });
  }
}

/** Reads one SeriesResponse. Throws OutpostError `corrupt` where the bytes are none. */
export function decodeResponse(bytes: Uint8Array, strings: StringCache): ResponseFrame {
  const frame: ResponseFrame = { series: [], warnings: [] };
  try {
    const reader = new ProtoReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) frame.series.push(readSeries(reader.message(), strings));
      else if (reader.field === 2) frame.warnings.push(reader.string());
      else if (reader.field === 4) readBatch(reader.message(), strings, frame.series);
      else reader.skip();
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new OutpostError('corrupt', `decode series frame: ${cause.message}`, { cause });
  }
  return frame;
}

function readBatch(reader: ProtoReader, strings: StringCache, out: SeriesFrame[]): void {
  while (reader.next()) {
    if (reader.field === 1) out.push(readSeries(reader.message(), strings));
    else reader.skip();
  }
}

function readSeries(reader: ProtoReader, strings: StringCache): SeriesFrame {
  const pairs: string[] = [];
  const chunks: Chunk[] = [];
  while (reader.next()) {
    if (reader.field === 1) readLabel(reader.message(), strings, pairs);
    else if (reader.field === 2) chunks.push(readChunk(reader.message()));
    else reader.skip();
  }
  return { labels: labelsOf(pairs), chunks };
}

function readLabel(reader: ProtoReader, strings: StringCache, pairs: string[]): void {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field > 2) {
      reader.skip();
      continue;
    }
    const end = reader.limit();
    const text = strings.decode(reader.bytes, reader.at, end);
    reader.at = end;
    if (reader.field === 1) name = text;
    else value = text;
  }
  pairs.push(name, value);
}

/** Peers send labels sorted and without empty values; one that does not is put right. */
export function labelsOf(pairs: string[]): Labels {
  for (let i = 0; i < pairs.length; i += 2) {
    const inOrder = i === 0 || compareStrings(pairs[i - 2]!, pairs[i]!) < 0;
    if (inOrder && pairs[i + 1] !== '') continue;
    const names = pairs.filter((_, at) => at % 2 === 0);
    return Labels.fromPairs(names.map((name, at) => [name, pairs[at * 2 + 1]!] as const));
  }
  return Labels.fromSorted(pairs);
}

function readChunk(reader: ProtoReader): Chunk {
  let minTime = 0;
  let maxTime = 0;
  let raw: { encoding: number; data: Uint8Array } | null = null;
  while (reader.next()) {
    if (reader.field === 1) minTime = reader.int64();
    else if (reader.field === 2) maxTime = reader.int64();
    else if (reader.field === 3) raw = readPayload(reader.message());
    else reader.skip();
  }
  if (!raw) {
    throw new OutpostError(
      'execution',
      'decode series frame: a downsampled chunk came where raw samples were asked for',
    );
  }
  return { minTime, maxTime, encoding: raw.encoding, data: raw.data };
}

function readPayload(reader: ProtoReader): { encoding: number; data: Uint8Array } {
  let encoding = 1;
  let data: Uint8Array = EMPTY;
  while (reader.next()) {
    if (reader.field === 1) encoding = reader.varint() + 1;
    else if (reader.field === 2) data = reader.view();
    else reader.skip();
  }
  return { encoding, data };
}

const EMPTY = new Uint8Array(0);
