// How records lie in a segment, as Prometheus writes them (after LevelDB's log): 32 KiB pages of
// fragments, each `type:1 length:2 crc32c:4 data`. A page with fewer than seven bytes left is padded with
// zeros, and a type of zero says that the rest of the page is padding.
//
//   type byte: bits 0-2 kind (0 page end, 1 full, 2 first, 3 middle, 4 last), bit 3 snappy, bit 4 zstd

import { crc32c } from '../../encoding/crc32c.ts';
import type { Scratch } from '../../encoding/scratch.ts';
import { snappyEncode } from '../../encoding/snappy.ts';

export const PAGE_BYTES = 32 * 1024;
export const SEGMENT_BYTES = 128 * 1024 * 1024;
export const FRAGMENT_HEADER_BYTES = 7;

export const FRAGMENT_PAGE_END = 0;
export const FRAGMENT_FULL = 1;
export const FRAGMENT_FIRST = 2;
export const FRAGMENT_MIDDLE = 3;
export const FRAGMENT_LAST = 4;
export const FRAGMENT_KIND_MASK = 7;
export const FRAGMENT_SNAPPY = 8;
export const FRAGMENT_ZSTD = 16;

/** Records shorter than this are not worth compressing. */
const COMPRESS_BYTES_MIN = 1024;

/** Longest record that is read back, after decompression. */
export const RECORD_BYTES_MAX = 256 * 1024 * 1024;

/** A record as it will be framed: its bytes, compressed where that made it smaller. */
export interface PackedRecord {
  readonly data: Uint8Array;
  /** 0 or FRAGMENT_SNAPPY. */
  readonly flag: number;
}

/** Compresses a record where it is long enough and gets smaller; into `scratch` where one is given. */
export function packRecord(record: Uint8Array, compress: boolean, scratch?: Scratch): PackedRecord {
  if (compress && record.length >= COMPRESS_BYTES_MIN) {
    const data = snappyEncode(record, scratch);
    if (data.length < record.length) return { data, flag: FRAGMENT_SNAPPY };
  }
  return { data: record, flag: 0 };
}

/** Collects the framed bytes of a batch, to be written in one go. */
export class FrameBuffer {
  #bytes = new Uint8Array(2 * PAGE_BYTES);
  #length = 0;
  /** Where in its page the next byte falls. */
  #pageOffset = 0;

  /** Starts a batch that will be written at `position` of a segment. */
  reset(position: number): void {
    this.#length = 0;
    this.#pageOffset = position % PAGE_BYTES;
    // One huge batch must not keep its buffer for ever.
    if (this.#bytes.length > 4 * 1024 * 1024) this.#bytes = new Uint8Array(2 * PAGE_BYTES);
  }

  /** A view of the batch; valid until the next call. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends one record, split at page ends. */
  add({ data, flag }: PackedRecord): void {
    const pages = Math.ceil(data.length / (PAGE_BYTES - FRAGMENT_HEADER_BYTES)) + 1;
    this.#reserve(data.length + pages * 2 * FRAGMENT_HEADER_BYTES);
    // An empty record is a fragment too; so is an empty start where just a header fits into the page.
    for (let at = 0, first = true; first || at < data.length; first = false) {
      const end = Math.min(data.length, at + this.#startFragment());
      this.#fragment(fragmentKind(first, end === data.length) | flag, data.subarray(at, end));
      at = end;
    }
  }

  /** Pads the page where no header fits any more; returns how many data bytes fit into this one. */
  #startFragment(): number {
    const left = PAGE_BYTES - this.#pageOffset;
    if (left >= FRAGMENT_HEADER_BYTES) return left - FRAGMENT_HEADER_BYTES;
    this.#bytes.fill(0, this.#length, this.#length + left);
    this.#length += left;
    this.#pageOffset = 0;
    return PAGE_BYTES - FRAGMENT_HEADER_BYTES;
  }

  #fragment(type: number, data: Uint8Array): void {
    const bytes = this.#bytes;
    const crc = crc32c(data);
    let at = this.#length;
    bytes[at++] = type;
    bytes[at++] = data.length >>> 8;
    bytes[at++] = data.length;
    bytes[at++] = crc >>> 24;
    bytes[at++] = crc >>> 16;
    bytes[at++] = crc >>> 8;
    bytes[at++] = crc;
    bytes.set(data, at);
    this.#length = at + data.length;
    this.#pageOffset = (this.#pageOffset + FRAGMENT_HEADER_BYTES + data.length) % PAGE_BYTES;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function fragmentKind(first: boolean, last: boolean): number {
  if (first) return last ? FRAGMENT_FULL : FRAGMENT_FIRST;
  return last ? FRAGMENT_LAST : FRAGMENT_MIDDLE;
}
