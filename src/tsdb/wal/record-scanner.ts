// Finds the records in a segment's pages. Damage never ends the reading: the scanner notes the place and
// goes on with the next fragment that proves itself by its checksum, at the latest in the next page.

import { crc32c } from '../../encoding/crc32c.ts';
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
  /** The first hundred places. */
  readonly damages: Damage[] = [];
  readonly #visit: RecordVisitor;
  /** The record being put together, null between records. */
  #open: { readonly start: number; readonly flag: number; length: number } | null = null;
  #parts = new Uint8Array(PAGE_BYTES);
  /** True from a damage to the next whole record, so that one hole is one damage. */
  #lost = false;

  constructor(visit: RecordVisitor) {
    this.#visit = visit;
  }

  /** Scans one page; only the last of a file may be shorter than PAGE_BYTES. */
  page(page: Uint8Array, offset: number): void {
    let at = 0;
    while (at < page.length) {
      if (PAGE_BYTES - at < FRAGMENT_HEADER_BYTES || page[at] === FRAGMENT_PAGE_END) {
        this.#padding(page, at, offset);
        return;
      }
      const end = this.#fragmentEnd(page, at, offset);
      if (end < 0) return;
      this.#fragment(page, at, end, offset);
      at = end;
    }
  }

  /** Says that the file ends at `fileBytes`. */
  end(fileBytes: number): void {
    if (this.#open && !this.#lost) {
      this.#damage('torn', this.#open.start, `the file ends inside a record at ${fileBytes}`);
    }
    this.#open = null;
  }

  #padding(page: Uint8Array, at: number, offset: number): void {
    if (this.#open) this.#damage('corrupt', this.#open.start, 'a record is not continued');
    for (let i = at; i < page.length; i++) {
      if (page[i] === 0) continue;
      this.#damage('corrupt', offset + at, 'padding is not zero');
      return;
    }
  }

  /** The offset behind the fragment at `at`, −1 where the rest of the page cannot be read. */
  #fragmentEnd(page: Uint8Array, at: number, offset: number): number {
    const kind = page[at]! & FRAGMENT_KIND_MASK;
    const known = FRAGMENT_KIND_MASK | FRAGMENT_SNAPPY | FRAGMENT_ZSTD;
    const place = this.#open?.start ?? offset + at;
    if (at + FRAGMENT_HEADER_BYTES <= page.length) {
      const end = at + FRAGMENT_HEADER_BYTES + ((page[at + 1]! << 8) | page[at + 2]!);
      if (kind < FRAGMENT_FULL || kind > FRAGMENT_LAST || (page[at]! & ~known) !== 0) {
        this.#damage('corrupt', place, `fragment type ${page[at]}`);
        return -1;
      }
      if (end <= page.length) return end;
      if (end > PAGE_BYTES) {
        this.#damage('corrupt', place, `a fragment reaches beyond its page`);
        return -1;
      }
    }
    this.#damage('torn', place, 'the file ends inside a fragment');
    return -1;
  }

  #fragment(page: Uint8Array, at: number, end: number, offset: number): void {
    const kind = page[at]! & FRAGMENT_KIND_MASK;
    const flag = page[at]! & (FRAGMENT_SNAPPY | FRAGMENT_ZSTD);
    const data = page.subarray(at + FRAGMENT_HEADER_BYTES, end);
    const crc =
      ((page[at + 3]! << 24) | (page[at + 4]! << 16) | (page[at + 5]! << 8) | page[at + 6]!) >>> 0;
    if (crc32c(data) !== crc) {
      this.#damage('corrupt', this.#open?.start ?? offset + at, 'checksum mismatch');
      return;
    }
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
      this.#visit(unpack(packed.data, packed.flag));
    } catch (error) {
      if (!(error instanceof OutpostError) || error.code !== 'corrupt') throw error;
      this.#damage('corrupt', start, error.message);
      return;
    }
    this.records++;
    this.#lost = false;
    if (this.damages.length === 0) this.goodEnd = end;
  }

  #damage(kind: Damage['kind'], offset: number, reason: string): void {
    this.#open = null;
    if (!this.#lost && this.damages.length < DAMAGES_LISTED_MAX) {
      this.damages.push({ kind, offset, reason });
    }
    this.#lost = true;
  }
}

function unpack(data: Uint8Array, flag: number): Uint8Array {
  if (flag === 0) return data;
  try {
    if (flag === FRAGMENT_SNAPPY) return snappyDecode(data, RECORD_BYTES_MAX);
    return zstdDecode(data, RECORD_BYTES_MAX);
  } catch (cause) {
    throw new OutpostError('corrupt', 'a compressed record is damaged', { cause });
  }
}
