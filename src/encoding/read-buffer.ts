// Reads what WriteBuffer writes. The first error sticks and every later read yields zero, so a caller
// decodes a whole record and checks once.

const TWO_32 = 0x1_0000_0000;

/** A cursor over borrowed bytes. */
export class ReadBuffer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;
  #error: string | null = null;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = Math.min(end, bytes.length);
  }

  /** What went wrong first, with its offset; null while all is well. */
  get error(): string | null {
    return this.#error;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes left; 0 after an error. */
  get remaining(): number {
    return this.#error === null ? this.#end - this.#at : 0;
  }

  u8(): number {
    return this.#take(1) ? this.#bytes[this.#at - 1]! : 0;
  }

  u16(): number {
    return this.#take(2) ? this.#view.getUint16(this.#at - 2) : 0;
  }

  u32(): number {
    return this.#take(4) ? this.#view.getUint32(this.#at - 4) : 0;
  }

  /** An unsigned 64-bit word; an error where it is no safe integer. */
  u64(): number {
    if (!this.#take(8)) return 0;
    const value = this.#view.getUint32(this.#at - 8) * TWO_32 + this.#view.getUint32(this.#at - 4);
    return Number.isSafeInteger(value) ? value : this.#fail('64-bit integer out of range');
  }

  /** A two's complement 64-bit word; an error where it is no safe integer. */
  i64(): number {
    if (!this.#take(8)) return 0;
    const value = this.#view.getInt32(this.#at - 8) * TWO_32 + this.#view.getUint32(this.#at - 4);
    return Number.isSafeInteger(value) ? value : this.#fail('64-bit integer out of range');
  }

  f64(): number {
    return this.#take(8) ? this.#view.getFloat64(this.#at - 8) : 0;
  }

  /** Copies the bits of a big-endian double into `values[index]`, whatever kind of NaN they are. */
  f64Into(values: Float64Array, index: number): void {
    const high = this.u32();
    const low = this.u32();
    const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
    words[0] = low;
    words[1] = high;
  }

  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.u8();
      if (this.#error !== null) return 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80)
        return Number.isSafeInteger(value) ? value : this.#fail('varint out of range');
      scale *= 128;
    }
    return this.#fail('varint longer than 10 bytes');
  }

  /** Zig-zag varint. */
  varint(): number {
    const first = this.u8();
    const negative = (first & 1) === 1;
    let value = (first & 0x7f) >> 1;
    let scale = 64;
    for (let byte = first, i = 1; byte >= 0x80; i++) {
      if (i === 10) return this.#fail('varint longer than 10 bytes');
      byte = this.u8();
      if (this.#error !== null) return 0;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (!Number.isSafeInteger(value)) return this.#fail('varint out of range');
    return negative ? -value - 1 : value;
  }

  /** A view of the next `length` bytes; empty after an error. */
  raw(length: number): Uint8Array {
    return this.#take(length) ? this.#bytes.subarray(this.#at - length, this.#at) : EMPTY;
  }

  /** A uvarint length and that many bytes of UTF-8. */
  string(): string {
    const length = this.uvarint();
    if (!this.#take(length)) return '';
    return decodeUtf8(this.#bytes, this.#at - length, this.#at);
  }

  /** Passes over a string where its bytes are these; says whether it did. */
  skipString(expected: Uint8Array): boolean {
    const start = this.#at;
    const length = this.uvarint();
    if (this.#error !== null) return false;
    const fits = length === expected.length && length <= this.#end - this.#at;
    let same = 0;
    while (fits && same < length && this.#bytes[this.#at + same] === expected[same]) same++;
    this.#at = fits && same === length ? this.#at + length : start;
    return this.#at !== start;
  }

  skip(count: number): void {
    this.#take(count);
  }

  #take(count: number): boolean {
    if (this.#error !== null) return false;
    if (count > this.#end - this.#at) {
      this.#fail(`${count} bytes wanted, ${this.#end - this.#at} left`);
      return false;
    }
    this.#at += count;
    return true;
  }

  #fail(what: string): number {
    this.#error ??= `${what} at offset ${this.#at}`;
    return 0;
  }
}

const EMPTY = new Uint8Array(0);
const decoder = new TextDecoder();

/** UTF-8 to string; short ASCII, which most labels are, avoids the decoder's call overhead. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 24) {
    let text = '';
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}
