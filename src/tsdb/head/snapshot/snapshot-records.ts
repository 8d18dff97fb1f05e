// The records of a head snapshot that a log does not have. All others are those of the log. Numbers from 160
// on, far from the log's types: begin, chunks of floats, former references, end.

import { ReadBuffer } from '../../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../../encoding/write-buffer.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { LogMark } from './log-mark.ts';

export const SNAPSHOT_BEGIN = 160;
export const SNAPSHOT_CHUNKS = 161;
export const SNAPSHOT_ALIASES = 162;
export const SNAPSHOT_END = 163;

const VERSION = 1;
const CHUNKS_PER_SERIES_MAX = 1_000_000;

/** The first record: what the snapshot belongs to. */
export interface SnapshotBegin {
  readonly chunkRangeMs: number;
  /** The next reference that was to be given out. */
  readonly nextRef: number;
  readonly mark: LogMark;
}

/** The last record, without which a snapshot is not whole. */
export interface SnapshotEnd {
  readonly series: number;
  /** Float samples in chunk records. */
  readonly samples: number;
}

/** A chunk of floats. */
export interface SnapshotChunk {
  readonly minTime: number;
  readonly maxTime: number;
  readonly data: Uint8Array;
}

/** `160 version:u8 chunkRange:uvarint nextRef:uvarint checkpoint+1:uvarint end:uvarint segments:uvarint bytes:uvarint` */
export function encodeBegin({ chunkRangeMs, nextRef, mark }: SnapshotBegin): Uint8Array {
  const buffer = new WriteBuffer();
  buffer.u8(SNAPSHOT_BEGIN);
  buffer.u8(VERSION);
  buffer.uvarint(chunkRangeMs);
  buffer.uvarint(nextRef);
  buffer.uvarint(mark.checkpoint + 1);
  buffer.uvarint(mark.end);
  buffer.uvarint(mark.segments);
  buffer.uvarint(mark.bytes);
  return buffer.bytes();
}

/** Throws `corrupt`, also for a version that is not known. */
export function decodeBegin(record: Uint8Array): SnapshotBegin {
  const buffer = new ReadBuffer(record, 1);
  const version = buffer.u8();
  if (version !== VERSION) throw new OutpostError('corrupt', `head snapshot: version ${version}`);
  const chunkRangeMs = buffer.uvarint();
  const nextRef = buffer.uvarint();
  const checkpoint = buffer.uvarint() - 1;
  const mark = {
    checkpoint,
    end: buffer.uvarint(),
    segments: buffer.uvarint(),
    bytes: buffer.uvarint(),
  };
  check(buffer, 'begin');
  return { chunkRangeMs, nextRef, mark };
}

/** `163 series:uvarint samples:uvarint` */
export function encodeEnd({ series, samples }: SnapshotEnd): Uint8Array {
  const buffer = new WriteBuffer();
  buffer.u8(SNAPSHOT_END);
  buffer.uvarint(series);
  buffer.uvarint(samples);
  return buffer.bytes();
}

/** Throws `corrupt`. */
export function decodeEnd(record: Uint8Array): SnapshotEnd {
  const buffer = new ReadBuffer(record, 1);
  const end = { series: buffer.uvarint(), samples: buffer.uvarint() };
  check(buffer, 'end');
  return end;
}

/** `161 (ref:uvarint chunks:uvarint (minTime:varint duration:uvarint length:uvarint data)*)*` */
export class ChunksRecordWriter {
  readonly #buffer = new WriteBuffer(64 * 1024);

  get length(): number {
    return this.#buffer.length;
  }

  /** Adds a series' chunks by time; the last one may be open. */
  add(ref: number, chunks: readonly SnapshotChunk[]): void {
    const buffer = this.#buffer;
    if (buffer.length === 0) buffer.u8(SNAPSHOT_CHUNKS);
    buffer.uvarint(ref);
    buffer.uvarint(chunks.length);
    for (const { minTime, maxTime, data } of chunks) {
      buffer.varint(minTime);
      buffer.uvarint(maxTime - minTime);
      buffer.uvarint(data.length);
      buffer.raw(data);
    }
  }

  /** A view of the record; valid until the next call. */
  bytes(): Uint8Array {
    return this.#buffer.bytes();
  }

  reset(): void {
    this.#buffer.reset();
  }
}

/** Hands each series of a record to `visit`; chunks are valid during the call. Throws `corrupt`. */
export function decodeChunksRecord(
  record: Uint8Array,
  visit: (ref: number, chunks: readonly SnapshotChunk[]) => void,
): void {
  const buffer = new ReadBuffer(record, 1);
  while (buffer.remaining > 0) {
    const ref = buffer.uvarint();
    const count = buffer.uvarint();
    if (count > CHUNKS_PER_SERIES_MAX) {
      throw new OutpostError('corrupt', `head snapshot: ${count} chunks of one series`);
    }
    const chunks: SnapshotChunk[] = [];
    for (let i = 0; i < count && buffer.error === null; i++) {
      const minTime = buffer.varint();
      const maxTime = minTime + buffer.uvarint();
      chunks.push({ minTime, maxTime, data: buffer.raw(buffer.uvarint()) });
    }
    check(buffer, 'chunks');
    visit(ref, chunks);
  }
}

/** The sample count that stands at the front of a chunk's data. */
export function chunkSamples(data: Uint8Array): number {
  return (data[0]! << 8) | data[1]!;
}

/** A reference that stands for another, with the time of the last sample under it. */
export interface SnapshotAlias {
  readonly alias: number;
  readonly ref: number;
  /** Unix ms, −Infinity where no sample is known. */
  readonly lastTime: number;
}

/** `162 (alias:uvarint ref:uvarint lastTime:f64)*` */
export function encodeAliases(aliases: Iterable<SnapshotAlias>): Uint8Array {
  const buffer = new WriteBuffer();
  buffer.u8(SNAPSHOT_ALIASES);
  for (const { alias, ref, lastTime } of aliases) {
    buffer.uvarint(alias);
    buffer.uvarint(ref);
    buffer.f64(lastTime);
  }
  return buffer.bytes();
}

/** Hands each alias to `visit`. Throws `corrupt`. */
export function decodeAliases(record: Uint8Array, visit: (alias: SnapshotAlias) => void): void {
  const buffer = new ReadBuffer(record, 1);
  while (buffer.remaining > 0) {
    const alias = { alias: buffer.uvarint(), ref: buffer.uvarint(), lastTime: buffer.f64() };
    check(buffer, 'former references');
    visit(alias);
  }
}

function check(buffer: ReadBuffer, what: string): void {
  if (buffer.error !== null) {
    throw new OutpostError('corrupt', `head snapshot: ${what}: ${buffer.error}`);
  }
}
