// Walks a table section of the index (symbols, postings offsets): u32 length, u32 count, entries, CRC.
// Short sections are kept in memory, long ones are walked in pieces and later read page by page. A table of
// many series takes long to walk, so the walk gives way.

import { crc32c } from '../../encoding/crc32c.ts';
import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { systemClock } from '../../lifecycle/clock.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { MemorySource } from '../file-source.ts';

const PIECE_BYTES = 1024 * 1024;
const ENTRY_BYTES_MAX = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;
const ENTRIES_AT_ONCE = 256;

/** How a section is walked. */
export interface SectionWalk {
  /** What error texts call the section. */
  readonly what: string;
  /** Offset of its length field. */
  readonly start: number;
  /** The section ends before this offset. */
  readonly limit: number;
  /** Sections up to this long stay in memory. */
  readonly residentBytesMax: number;
  /** Told the number of entries before the first one, which lies at `offset`. */
  readonly begin: (count: number, offset: number) => void;
  /**
   * Consumes one entry that begins at the buffer's position, `base` bytes short of its file offset, and
   * says whether it was complete; an incomplete one is offered again with more bytes.
   */
  readonly entry: (buffer: ReadBuffer, base: number) => boolean;
}

/** A walked section. */
export interface Section {
  /** Serves the section's ranges by file offset: memory where it is resident, else the file. */
  readonly source: ByteSource;
  /** Offset after the last entry. */
  readonly end: number;
}

/** Visits every entry and checks the section's CRC. Throws `corrupt`. */
export async function walkSection(source: ByteSource, walk: SectionWalk): Promise<Section> {
  const { what, start, limit } = walk;
  const fail = (text: string, at = start) => corrupt(`${what} ${text}`, source.name, at);
  const body = start + LENGTH_BYTES;
  if (body + 8 > limit) throw fail('has no room');
  const [prefix] = await source.read([{ start, end: body + 4 }]);
  const head = new ReadBuffer(prefix!);
  const end = body + head.u32();
  const count = head.u32();
  // Every entry takes at least one byte, so a section bounds what its count makes a reader allocate.
  if (end + 4 > limit || end < body + 4 || count > end - body - 4) throw fail('has a wrong length');
  walk.begin(count, body + 4);

  const resident = end - body <= walk.residentBytesMax;
  const pieceBytes = resident ? end - body : PIECE_BYTES;
  const slicer = new Slicer(systemClock.monotonic);
  let crc = 0;
  let left = count;
  let rest: Uint8Array = new Uint8Array(0);
  for (let at = body; at < end; at += pieceBytes) {
    const last = at + pieceBytes >= end;
    const range = { start: at, end: last ? end : at + pieceBytes };
    const [piece, stored] = await source.read(
      last ? [range, { start: end, end: end + 4 }] : [range],
    );
    crc = crc32c(piece!, crc);
    if (last && crc !== new ReadBuffer(stored!).u32()) throw fail('checksum mismatch');
    const bytes = rest.length === 0 ? piece! : Buffer.concat([rest, piece!]);
    const base = at - rest.length;
    const buffer = new ReadBuffer(bytes, at === body ? 4 : 0);
    let used = walkEntries(buffer, base, left, walk);
    left -= used.entries;
    while (used.more) {
      if (slicer.due) await slicer.pause();
      used = walkEntries(buffer, base, left, walk);
      left -= used.entries;
    }
    if (last && left > 0) throw fail('ends before its last entry', end);
    if (resident) return { source: new MemorySource(source.name, bytes, body), end };
    rest = bytes.subarray(used.offset);
    if (rest.length >= ENTRY_BYTES_MAX) throw fail('has an entry that is too long', base);
  }
  return { source, end };
}

/** Visits some entries; `more` where the buffer may hold others, `offset` is behind the last one. */
function walkEntries(
  buffer: ReadBuffer,
  base: number,
  left: number,
  walk: SectionWalk,
): { entries: number; offset: number; more: boolean } {
  const most = Math.min(left, ENTRIES_AT_ONCE);
  let entries = 0;
  let offset = buffer.offset;
  while (entries < most && walk.entry(buffer, base)) {
    entries++;
    offset = buffer.offset;
  }
  return { entries, offset, more: entries === most && most < left };
}
