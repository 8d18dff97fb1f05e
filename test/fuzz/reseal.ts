// Makes the checksums of damaged files right again, as far as their layout still holds: what a parser makes of
// bytes that were wrong before they were written.

import { crc32c } from '../../src/encoding/crc32c.ts';

const TOC_BYTES = 52;
const CRC_BYTES = 4;

/** The checksum at the end, over everything from an offset on. */
export function sealTail(bytes: Uint8Array, from: number): void {
  const end = bytes.length - CRC_BYTES;
  if (end > from) seal(bytes, from, end);
}

/** Every section, list and series of an index. */
export function sealIndex(bytes: Uint8Array): void {
  const toc = bytes.length - TOC_BYTES;
  if (toc < 0) return;
  const view = viewOf(bytes);
  const [symbols, series, , , postings, table] = [0, 8, 16, 24, 32, 40].map(
    at => view.getUint32(toc + at) * 2 ** 32 + view.getUint32(toc + at + 4),
  );
  for (const start of [symbols!, table!]) sealFrame(bytes, start);
  const end = Math.min(postings!, toc);
  for (let at = Math.ceil(series! / 16) * 16; at < end; at += 16) sealEntry(bytes, at);
  for (let at = postings!; at < Math.min(table!, toc); ) {
    const next = sealFrame(bytes, at);
    if (next === null) break;
    at = next;
  }
  seal(bytes, toc, bytes.length - CRC_BYTES);
}

/** Every chunk of a segment. */
export function sealSegment(bytes: Uint8Array): void {
  for (let at = 8; at < bytes.length; ) {
    const length = uvarint(bytes, at);
    if (length === null) return;
    const end = length.end + 1 + length.value;
    if (end + CRC_BYTES > bytes.length) return;
    seal(bytes, length.end, end);
    at = end + CRC_BYTES;
  }
}

function sealFrame(bytes: Uint8Array, at: number): number | null {
  if (!(at + CRC_BYTES <= bytes.length)) return null;
  const end = at + 4 + viewOf(bytes).getUint32(at);
  if (end + CRC_BYTES > bytes.length) return null;
  seal(bytes, at + 4, end);
  return end + CRC_BYTES;
}

function sealEntry(bytes: Uint8Array, at: number): void {
  const length = uvarint(bytes, at);
  if (length === null || length.value === 0 || length.value > 200) return;
  const end = length.end + length.value;
  if (end + CRC_BYTES <= bytes.length) seal(bytes, length.end, end);
}

function uvarint(bytes: Uint8Array, at: number): { value: number; end: number } | null {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return null;
}

function seal(bytes: Uint8Array, from: number, to: number): void {
  viewOf(bytes).setUint32(to, crc32c(bytes.subarray(from, to)));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
