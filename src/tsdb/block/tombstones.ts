// Deleted time ranges of a block's series. Format: docs of Prometheus' tsdb, "Tombstones Disk Format";
// the checksum covers the entries, not the version byte.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../encoding/crc32c.ts';
import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { systemClock } from '../../lifecycle/clock.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import { corrupt } from '../corrupt.ts';
import { replaceFile } from '../file-writer.ts';

/** File name inside a block's directory. */
export const TOMBSTONES_FILE = 'tombstones';

const MAGIC = 0x0130ba30;
const VERSION = 1;
const HEADER_BYTES = 5;
const SERIES_AT_ONCE = 1024;

/** Both ends inclusive, Unix ms. */
export interface TimeInterval {
  readonly minTime: number;
  readonly maxTime: number;
}

const NONE: readonly TimeInterval[] = [];

/** Deleted ranges by series id, each series' ranges sorted and apart. */
export class Tombstones {
  readonly #bySeries = new Map<number, TimeInterval[]>();
  #count = 0;

  /** Number of ranges. */
  get count(): number {
    return this.#count;
  }

  /** The series' deleted ranges by time. */
  intervals(id: number): readonly TimeInterval[] {
    return this.#bySeries.get(id) ?? NONE;
  }

  /** Ids of the series that have ranges. */
  ids(): Iterable<number> {
    return this.#bySeries.keys();
  }

  /** Adds a range; ranges that touch or overlap become one. */
  add(id: number, added: TimeInterval): void {
    const before = this.#bySeries.get(id);
    this.#count++;
    if (!before) {
      this.#bySeries.set(id, [{ minTime: added.minTime, maxTime: added.maxTime }]);
      return;
    }
    const apart = before.filter(
      other => other.maxTime < added.minTime - 1 || other.minTime > added.maxTime + 1,
    );
    const joined = before.filter(other => !apart.includes(other));
    this.#count -= joined.length;
    apart.push({
      minTime: Math.min(added.minTime, ...joined.map(other => other.minTime)),
      maxTime: Math.max(added.maxTime, ...joined.map(other => other.maxTime)),
    });
    this.#bySeries.set(
      id,
      apart.sort((a, b) => a.minTime - b.minTime),
    );
  }

  /** An independent copy, made giving way; nothing may be added meanwhile. */
  async copy(slicer: Slicer): Promise<Tombstones> {
    const copy = new Tombstones();
    let done = 0;
    for (const [id, intervals] of this.#bySeries) {
      // Lists of ranges are replaced and never changed.
      copy.#bySeries.set(id, intervals);
      if (++done % SERIES_AT_ONCE === 0 && slicer.due) await slicer.pause();
    }
    copy.#count = this.#count;
    return copy;
  }

  /** The file's bytes. */
  encode(): Uint8Array {
    const buffer = new WriteBuffer();
    for (const _ of this.#encoding(buffer));
    return buffer.bytes();
  }

  /** As `encode`, giving way where there are many; nothing may be added meanwhile. */
  async encodeSliced(slicer: Slicer): Promise<Uint8Array> {
    const buffer = new WriteBuffer();
    for (const _ of this.#encoding(buffer)) if (slicer.due) await slicer.pause();
    return buffer.bytes();
  }

  /** Appends the file's bytes; comes back now and then. */
  *#encoding(buffer: WriteBuffer): Generator<void> {
    buffer.u32(MAGIC);
    buffer.u8(VERSION);
    const ids = Float64Array.from(this.#bySeries.keys());
    yield;
    // They are, where a block's series were deleted by one selection.
    if (!isAscending(ids)) ids.sort();
    for (let i = 0; i < ids.length; i++) {
      if (i % SERIES_AT_ONCE === 0) yield;
      for (const { minTime, maxTime } of this.intervals(ids[i]!)) {
        buffer.uvarint(ids[i]!);
        buffer.varint(minTime);
        buffer.varint(maxTime);
      }
    }
    yield;
    buffer.crcFrom(HEADER_BYTES);
  }

  /** Reads the file's bytes; `file` is for error texts. Throws `corrupt`. */
  static decode(bytes: Uint8Array, file: string): Tombstones {
    const out = new Tombstones();
    for (const _ of out.#decoding(bytes, file));
    return out;
  }

  /** As `decode`, giving way where there are many. */
  static async decodeSliced(bytes: Uint8Array, file: string, slicer: Slicer): Promise<Tombstones> {
    const out = new Tombstones();
    for (const _ of out.#decoding(bytes, file)) if (slicer.due) await slicer.pause();
    return out;
  }

  /** Adds what the file's bytes say; comes back now and then. */
  *#decoding(bytes: Uint8Array, file: string): Generator<void> {
    const header = new ReadBuffer(bytes);
    const crcAt = bytes.length - 4;
    if (header.u32() !== MAGIC) throw corrupt('tombstones have a wrong magic number', file, 0);
    if (header.u8() !== VERSION) throw corrupt('tombstones have an unknown version', file, 4);
    const stored = new ReadBuffer(bytes, crcAt).u32();
    if (crcAt < HEADER_BYTES || crc32c(bytes.subarray(HEADER_BYTES, crcAt)) !== stored) {
      throw corrupt('tombstones checksum mismatch', file, Math.max(crcAt, 0));
    }
    const entries = new ReadBuffer(bytes, HEADER_BYTES, crcAt);
    for (let read = 1; entries.remaining > 0; read++) {
      if (read % SERIES_AT_ONCE === 0) yield;
      const id = entries.uvarint();
      const interval = { minTime: entries.varint(), maxTime: entries.varint() };
      if (entries.error !== null) {
        throw corrupt(`tombstones: ${entries.error}`, file, entries.offset);
      }
      this.add(id, interval);
    }
  }
}

function isAscending(ids: Float64Array): boolean {
  for (let i = 1; i < ids.length; i++) if (ids[i - 1]! > ids[i]!) return false;
  return true;
}

/** Reads a block's tombstones; a block without the file has none. Throws `corrupt`. */
export async function readTombstones(blockDir: string): Promise<Tombstones> {
  const path = join(blockDir, TOMBSTONES_FILE);
  try {
    const bytes = await readFile(path);
    return await Tombstones.decodeSliced(bytes, path, new Slicer(systemClock.monotonic));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Tombstones();
    throw error;
  }
}

/** Replaces a block's tombstones, surviving a crash at any moment. */
export async function writeTombstones(
  blockDir: string,
  tombstones: Tombstones,
  slicer?: Slicer,
): Promise<void> {
  const bytes = slicer ? await tombstones.encodeSliced(slicer) : tombstones.encode();
  await replaceFile(join(blockDir, TOMBSTONES_FILE), bytes);
}
