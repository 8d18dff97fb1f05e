// A growing byte buffer with the integer encodings of Prometheus' files: big-endian words, and Go's
// LEB128 varints (zig-zag for signed). 64-bit integers are safe integers here; no BigInt.

import { assert } from '../lifecycle/errors.ts';
import { crc32c } from './crc32c.ts';

const TWO_32 = 0x1_0000_0000;

/** Appends to one buffer that grows; `bytes()` is a view of what was written. */
export class WriteBuffer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A view of what was written; valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  /** An unsigned or two's complement 64-bit word of a safe integer. */
  u64(value: number): void {
    assert(Number.isSafeInteger(value), `u64 of ${value}`);
    this.#reserve(8);
    this.#view.setInt32(this.#length, Math.floor(value / TWO_32));
    this.#view.setUint32(this.#length + 4, value >>> 0);
    this.#length += 8;
  }

  /** The value's IEEE bits, big-endian. */
  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** The bits of `values[index]`, big-endian, whatever kind of NaN they are. */
  f64At(values: Float64Array, index: number): void {
    const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
    this.u32(words[1]!);
    this.u32(words[0]!);
  }

  uvarint(value: number): void {
    assert(value >= 0 && Number.isSafeInteger(value), `uvarint of ${value}`);
    this.#reserve(10);
    while (value >= 0x80) {
      this.#bytes[this.#length++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  /** Zig-zag varint of a safe integer. */
  varint(value: number): void {
    if (value >= 0) this.#zigzag(value, 0);
    else this.#zigzag(-value - 1, 1);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** UTF-8 bytes with their length as uvarint before them. */
  string(text: string): void {
    if (this.#shortAscii(text)) return;
    const bytes = encoder.encode(text);
    this.uvarint(bytes.length);
    this.raw(bytes);
  }

  // Most texts are labels: short, and their bytes are their character codes.
  #shortAscii(text: string): boolean {
    const { length } = text;
    if (length >= 0x80) return false;
    this.#reserve(length + 1);
    const bytes = this.#bytes;
    const at = this.#length + 1;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[at + i] = code;
    }
    bytes[this.#length] = length;
    this.#length = at + length;
    return true;
  }

  /** Appends what was written from `start` to before `end` once more. */
  again(start: number, end: number): void {
    this.#reserve(end - start);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) bytes[at++] = bytes[i]!;
    this.#length = at;
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  /** Pads with zeros to a multiple of `size`. */
  align(size: number): void {
    const over = this.#length % size;
    if (over !== 0) this.zeros(size - over);
  }

  /** Appends the CRC-32C of everything from `from` on. */
  crcFrom(from: number): void {
    this.u32(crc32c(this.#bytes.subarray(from, this.#length)));
  }

  /** Overwrites a big-endian u32 written earlier. */
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  // value·2 + sign may pass 2^53, so the lowest bit is added to the first seven bits apart.
  #zigzag(value: number, sign: number): void {
    this.#reserve(10);
    let rest = Math.floor(value / 64);
    let byte = ((value % 64) << 1) | sign;
    while (rest > 0) {
      this.#bytes[this.#length++] = byte | 0x80;
      byte = rest % 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = byte;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const encoder = new TextEncoder();
