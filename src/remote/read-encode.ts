// Answers of Prometheus' remote read protocol as a server writes them. Fields: prompb/remote.proto and
// prompb/types.proto; frames: storage/remote/chunked.go (uvarint length, CRC-32C big endian, message).

import { crc32c } from '../encoding/crc32c.ts';
import { ProtoWriter, WIRE_BYTES } from '../encoding/proto.ts';
import type { Labels } from '../labels/labels.ts';
import type { SampleColumns } from '../storage/samples.ts';
import type { Chunk } from '../storage/series.ts';
import { writeDoubleBits, writeHistogramMessage } from './histogram-writer.ts';

/** Bytes that a chunk takes in a frame beside its data: two times, a type, tags and lengths. */
const CHUNK_OVERHEAD = 24;
/** A value with its tag. */
const VALUE_BYTES = 9;

/**
 * Writes the frames of one series, each with the series' labels and as many chunks as fit; a chunk larger
 * than a frame gets one of its own.
 */
export class FrameWriter {
  readonly #bytesMax: number;
  readonly #message = new ProtoWriter();
  readonly #out = new ProtoWriter(64 * 1024);

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes written and not taken yet. */
  get length(): number {
    return this.#out.length;
  }

  /** The frames written so far. */
  take(): Uint8Array {
    const bytes = this.#out.finish();
    this.#out.reset();
    return bytes;
  }

  /** A series without chunks has no frame. */
  series(labels: Labels, chunks: readonly Chunk[], queryIndex: number): void {
    for (let from = 0; from < chunks.length; ) {
      const to = this.#fitting(chunks, from, this.#bytesMax - labelBytes(labels));
      this.#frame(labels, chunks.slice(from, to), queryIndex);
      from = to;
    }
  }

  // As upstream: a frame is full once its chunks reach the limit, so it may be larger by one chunk.
  #fitting(chunks: readonly Chunk[], from: number, bytesMax: number): number {
    let left = bytesMax;
    let to = from;
    while (to < chunks.length && (to === from || left > 0)) {
      left -= chunks[to++]!.data.length + CHUNK_OVERHEAD;
    }
    return to;
  }

  #frame(labels: Labels, chunks: readonly Chunk[], queryIndex: number): void {
    const message = this.#message;
    message.reset();
    message.messageField(1, () => {
      writeLabels(message, labels);
      for (const { minTime, maxTime, encoding, data } of chunks) {
        message.messageField(2, () => {
          message.int64Field(1, minTime);
          message.int64Field(2, maxTime);
          message.varintField(3, encoding);
          message.bytesField(4, data);
        });
      }
    });
    if (queryIndex > 0) message.varintField(2, queryIndex);
    const bytes = message.finish();
    const crc = crc32c(bytes);
    this.#out.varint(bytes.length);
    this.#out.raw(Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc));
    this.#out.raw(bytes);
  }
}

function labelBytes({ pairs }: Labels): number {
  return pairs.reduce((sum, text) => sum + Buffer.byteLength(text) + 4, 0);
}

function writeLabels(writer: ProtoWriter, { pairs }: Labels): void {
  for (let i = 0; i < pairs.length; i += 2) {
    writer.messageField(1, () => {
      writer.stringField(1, pairs[i]!);
      writer.stringField(2, pairs[i + 1]!);
    });
  }
}

/** One series with its samples, as a field of a QueryResult. Bits are kept. */
export function writeSampledSeries(
  writer: ProtoWriter,
  labels: Labels,
  columns: SampleColumns,
): void {
  writer.messageField(1, () => {
    writeLabels(writer, labels);
    const { times, values, histograms, length } = columns;
    for (let i = 0; i < length; i++) {
      if (histograms?.[i]) continue;
      const time = times[i]!;
      writer.tag(2, WIRE_BYTES);
      writer.varint(VALUE_BYTES + 1 + int64Size(time));
      writeDoubleBits(writer, 1, values, i);
      writer.int64Field(2, time);
    }
    if (!histograms) return;
    for (let i = 0; i < length; i++) {
      const histogram = histograms[i];
      if (histogram) writeHistogramMessage(writer, 4, times[i]!, histogram);
    }
  });
}

function int64Size(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
  return size;
}
