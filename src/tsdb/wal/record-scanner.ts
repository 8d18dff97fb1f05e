// Finds the records in a segment's pages. Damage never ends the reading: the scanner notes the place and
// goes on with the next bytes that prove to be the start of a record by their checksum.

import { crc32c } from '../../encoding/crc32c.ts';
import { Scratch } from '../../encoding/scratch.ts';
import { snappyDecode } from '../../encoding/snappy.ts';
import { zstdDecode } from '../../encoding/zstd.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import {
  FRAGMENT_FIRST,
  FRAGMENT_FULL,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_KIND_MASK,
  FRAGMENT_LAST,
  FRAGMENT_PAGE_END,
  FRAGMENT_SNAPPY,
  FRAGMENT_ZSTD,
  PAGE_BYTES,
  RECORD_BYTES_MAX,
} from './framing.ts';

/** A place where bytes are not what was written. */
export interface Damage {
  /** `torn`: the file ends inside a record, as after a crash. `corrupt`: anything else. */
  readonly kind: 'torn' | 'corrupt';
  /** Where in the segment the trouble starts. */
  readonly offset: number;
  readonly reason: string;
}

/**
 * Takes one record; the bytes are valid during the call. Throws `corrupt` where it cannot read the record,
 * which then counts as damage; any other error ends the reading.
 */
export type RecordVisitor = (record: Uint8Array) => void;

const DAMAGES_LISTED_MAX = 100;

/** Give it a segment's pages in order, then `end`. */
export class RecordScanner {
  /** Records handed to the visitor. */
  records = 0;
  /** Offset behind the last whole record before any damage. */
  goodEnd = 0;
  /** Bytes of corrupt stretches, each up to the next whole record; torn ends are not counted. */
  lostBytes = 0;
  /** The first hundred places. */
  readonly damages: Damage[] = [];
  readonly #visit: RecordVisitor;
  /** The record at hand, decompressed. */
  readonly #unpacked = new Scratch();
  /** The record being put together, null between records. */
  #open: { readonly start: number; readonly flag: number; length: number } | null = null;
  #parts = new Uint8Array(PAGE_BYTES);
  /** True from a damage to the next whole record, so that one hole is one damage. */
  #lost = false;
  /** Where the stretch began that is being passed over; −1 where it is a torn end. */
  #lostFrom = -1;

  constructor(visit: RecordVisitor) {
    this.#visit = visit;
  }

  /** Scans one page; only the last of a file may be shorter than PAGE_BYTES. */
  page(page: Uint8Array, offset: number): void {
    for (const _ of this.fragments(page, offset));
  }

  /** As `page`, coming back behind each fragment: what one packed page holds may be long work for a visitor. */
  *fragments(page: Uint8Array, offset: number): Generator<void> {
    let at = 0;
    while (at < page.length) {
      const padded = PAGE_BYTES - at < FRAGMENT_HEADER_BYTES || page[at] === FRAGMENT_PAGE_END;
      const trouble = padded ? this.#padding(page, at) : fragmentTrouble(page, at);
      if (trouble === null) {
        if (padded) return;
        const end = fragmentEnd(page, at);
        this.#fragment(page, at, offset);
        at = end;
        yield;
        continue;
      }
      const next = nextStart(page, at + 1);
      const torn = trouble === TORN && next === page.length;
      this.#damage(torn ? 'torn' : 'corrupt', this.#open?.start ?? offset + at, trouble);
      at = next;
    }
  }

  /** Says that what lies behind `offset` cannot be read. Then comes `end`. */
  unreadable(offset: number, reason: string): void {
    this.#damage('corrupt', this.#open?.start ?? offset, reason);
  }

  /** Says that the file ends at `fileBytes`. */
  end(fileBytes: number): void {
    if (this.#open && !this.#lost) {
      this.#damage('torn', this.#open.start, `the file ends inside a record at ${fileBytes}`);
    }
    this.#open = null;
    if (this.#lost) this.#countLost(fileBytes);
  }

  #padding(page: Uint8Array, at: number): string | null {
    if (this.#open) return 'a record is not continued';
    for (let i = at; i < page.length; i++) if (page[i] !== 0) return 'padding is not zero';
    return null;
  }

  #fragment(page: Uint8Array, at: number, offset: number): void {
    const kind = page[at]! & FRAGMENT_KIND_MASK;
    const flag = page[at]! & COMPRESSED;
    const end = fragmentEnd(page, at);
    const data = page.subarray(at + FRAGMENT_HEADER_BYTES, end);
    const starts = kind === FRAGMENT_FULL || kind === FRAGMENT_FIRST;
    if (starts && this.#open) {
      this.#damage('corrupt', this.#open.start, 'a record is not continued');
    }
    if (!starts && !this.#open) {
      this.#damage('corrupt', offset + at, 'the start of a record is missing');
      return;
    }
    if (kind === FRAGMENT_FULL) {
      this.#record({ data, flag }, offset + at, offset + end);
      return;
    }
    this.#open ??= { start: offset + at, flag, length: 0 };
    this.#collect(data, this.#open);
    if (kind !== FRAGMENT_LAST || !this.#open) return;
    const { start, length } = this.#open;
    const whole = { data: this.#parts.subarray(0, length), flag: this.#open.flag };
    this.#open = null;
    this.#record(whole, start, offset + end);
  }

  #collect(data: Uint8Array, open: { readonly start: number; length: number }): void {
    const length = open.length + data.length;
    if (length > RECORD_BYTES_MAX) {
      this.#damage('corrupt', open.start, `a record is longer than ${RECORD_BYTES_MAX} bytes`);
      return;
    }
    if (length > this.#parts.length) {
      const grown = new Uint8Array(Math.max(length, this.#parts.length * 2));
      grown.set(this.#parts.subarray(0, open.length));
      this.#parts = grown;
    }
    this.#parts.set(data, open.length);
    open.length = length;
  }

  #record(packed: { data: Uint8Array; flag: number }, start: number, end: number): void {
    try {
      this.#unpacked.reset();
      this.#visit(unpack(packed.data, packed.flag, this.#unpacked));
    } catch (error) {
      if (!(error instanceof OutpostError) || error.code !== 'corrupt') throw error;
      this.#damage('corrupt', start, error.message);
      return;
    }
    this.records++;
    if (this.#lost) this.#countLost(start);
    this.#lost = false;
    if (this.damages.length === 0) this.goodEnd = end;
  }

  #damage(kind: Damage['kind'], offset: number, reason: string): void {
    this.#open = null;
    if (!this.#lost && this.damages.length < DAMAGES_LISTED_MAX) {
      this.damages.push({ kind, offset, reason });
    }
    if (!this.#lost) this.#lostFrom = kind === 'corrupt' ? offset : -1;
    this.#lost = true;
  }

  #countLost(end: number): void {
    if (this.#lostFrom >= 0) this.lostBytes += end - this.#lostFrom;
    this.#lostFrom = -1;
  }
}

const COMPRESSED = FRAGMENT_SNAPPY | FRAGMENT_ZSTD;
const TORN = 'the file ends inside a fragment';

/** The offset behind the fragment that its header announces. */
function fragmentEnd(page: Uint8Array, at: number): number {
  return at + FRAGMENT_HEADER_BYTES + ((page[at + 1]! << 8) | page[at + 2]!);
}

/** What is wrong with the fragment at `at`, null where it is whole. */
function fragmentTrouble(page: Uint8Array, at: number): string | null {
  if (at + FRAGMENT_HEADER_BYTES > page.length) return TORN;
  const kind = page[at]! & FRAGMENT_KIND_MASK;
  const known = (page[at]! & ~(FRAGMENT_KIND_MASK | COMPRESSED)) === 0;
  if (!known || kind < FRAGMENT_FULL || kind > FRAGMENT_LAST) return `fragment type ${page[at]}`;
  const end = fragmentEnd(page, at);
  if (end > PAGE_BYTES) return 'a fragment reaches beyond its page';
  if (end > page.length) return TORN;
  const crc =
    ((page[at + 3]! << 24) | (page[at + 4]! << 16) | (page[at + 5]! << 8) | page[at + 6]!) >>> 0;
  const data = page.subarray(at + FRAGMENT_HEADER_BYTES, end);
  return crc32c(data) === crc ? null : 'checksum mismatch';
}

/** The first offset from `from` on where a whole record starts, the page's end where there is none. */
function nextStart(page: Uint8Array, from: number): number {
  for (let at = from; at + FRAGMENT_HEADER_BYTES < page.length; at++) {
    const kind = page[at]! & FRAGMENT_KIND_MASK;
    if (kind !== FRAGMENT_FULL && kind !== FRAGMENT_FIRST) continue;
    // Seven bytes of which six are zero are no proof of an empty record.
    if ((page[at + 1]! | page[at + 2]!) !== 0 && fragmentTrouble(page, at) === null) return at;
  }
  return page.length;
}

function unpack(data: Uint8Array, flag: number, scratch: Scratch): Uint8Array {
  if (flag === 0) return data;
  try {
    if (flag === FRAGMENT_SNAPPY) return snappyDecode(data, RECORD_BYTES_MAX, scratch);
    return zstdDecode(data, RECORD_BYTES_MAX);
  } catch (cause) {
    throw new OutpostError('corrupt', 'a compressed record is damaged', { cause });
  }
}
