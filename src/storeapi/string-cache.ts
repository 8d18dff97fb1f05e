// Label names and values repeat from series to series. Decoding each of them once saves time and, more
// than that, memory: equal strings are the same string.

import { decodeUtf8 } from '../encoding/read-buffer.ts';

const SLOTS = 8192;
const LENGTH_MAX = 128;

/** Decodes UTF-8, remembering short ASCII strings. Bounded: a slot holds the newest string only. */
export class StringCache {
  readonly #slots: (string | undefined)[] = new Array(SLOTS);

  decode(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > LENGTH_MAX) return decodeUtf8(bytes, start, end);
    // FNV-1a, which is short and good enough for a table that may forget.
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && sameAscii(known, bytes, start, length)) return known;
    const text = decodeUtf8(bytes, start, end);
    // Text that is not ASCII has fewer units than bytes, so it could never be recognised.
    if (text.length === length) this.#slots[slot] = text;
    return text;
  }
}

function sameAscii(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
