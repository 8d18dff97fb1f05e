// Protobuf's wire format for the few hot messages that are read and written by hand, straight to and
// from columns. Cold messages use the generated codecs in proto/gen.

import { decodeUtf8 } from './read-buffer.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/**
 * A cursor over one message. Loop: `while (reader.next()) switch (reader.field) …`, reading or skipping
 * each field's value. Malformed input throws RangeError; nothing is read beyond `end`.
 */
export class ProtoReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** Number and wire type of the current field, after `next`. */
  field = 0;
  wireType = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw new RangeError(`protobuf field number 0 at offset ${this.at}`);
    return true;
  }

  /** Unsigned varint; loses precision above 2^53. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw new RangeError('protobuf varint is cut short');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError(`protobuf varint is longer than 10 bytes at offset ${this.at}`);
  }

  /** int64 varint in two's complement; exact for safe integers, rounded beyond. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw new RangeError('protobuf varint is cut short');
      const byte = this.bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return (high | 0) * 0x1_0000_0000 + (low >>> 0);
    }
    throw new RangeError(`protobuf varint is longer than 10 bytes at offset ${this.at}`);
  }

  bool(): boolean {
    return this.varint() !== 0;
  }

  double(): number {
    this.#need(8);
    this.at += 8;
    return this.#view.getFloat64(this.at - 8, true);
  }

  /** Copies a double's bits into `values[index]`, whatever kind of NaN they are. */
  doubleInto(values: Float64Array, index: number): void {
    this.#need(8);
    const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
    words[0] = this.#view.getUint32(this.at, true);
    words[1] = this.#view.getUint32(this.at + 4, true);
    this.at += 8;
  }

  /** Reads a length and checks that as many bytes follow; returns the offset after them. */
  limit(): number {
    const length = this.varint();
    if (length > this.end - this.at) {
      throw new RangeError(`protobuf field of ${length} bytes is cut short at offset ${this.at}`);
    }
    return this.at + length;
  }

  /** A view of a length-delimited field. */
  view(): Uint8Array {
    const end = this.limit();
    const view = this.bytes.subarray(this.at, end);
    this.at = end;
    return view;
  }

  string(): string {
    const end = this.limit();
    const text = decodeUtf8(this.bytes, this.at, end);
    this.at = end;
    return text;
  }

  /** A reader over an embedded message; this one moves past it. */
  message(): ProtoReader {
    const end = this.limit();
    const reader = new ProtoReader(this.bytes, this.at, end);
    this.at = end;
    return reader;
  }

  /** Passes over the current field's value. */
  skip(): void {
    if (this.wireType === WIRE_VARINT) this.varint();
    else if (this.wireType === WIRE_FIXED64) this.#skipBytes(8);
    else if (this.wireType === WIRE_BYTES) this.at = this.limit();
    else if (this.wireType === WIRE_FIXED32) this.#skipBytes(4);
    else throw new RangeError(`protobuf wire type ${this.wireType} at offset ${this.at}`);
  }

  #skipBytes(count: number): void {
    this.#need(count);
    this.at += count;
  }

  #need(count: number): void {
    if (count > this.end - this.at) {
      throw new RangeError(`protobuf value is cut short at offset ${this.at}`);
    }
  }
}

const encoder = new TextEncoder();

/** Appends fields to a growing buffer. Zero values are written too; leave the call out to omit them. */
export class ProtoWriter {
  #bytes: Uint8Array;
  #view: DataView;
  length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  reset(): void {
    this.length = 0;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  varint(value: number): void {
    this.#reserve(10);
    while (value >= 0x80) {
      this.#bytes[this.length++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.length++] = value;
  }

  /** int64 as varint: ten bytes where negative. Values beyond ±2^63 saturate. */
  int64(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(value);
      return;
    }
    const clamped = BigInt.asUintN(64, clampInt64(value));
    this.#reserve(10);
    let rest = clamped;
    while (rest >= 0x80n) {
      this.#bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.length++] = Number(rest);
  }

  int64Field(field: number, value: number): void {
    this.tag(field, WIRE_VARINT);
    this.int64(value);
  }

  varintField(field: number, value: number): void {
    this.tag(field, WIRE_VARINT);
    this.varint(value);
  }

  doubleField(field: number, value: number): void {
    this.tag(field, WIRE_FIXED64);
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  bytesField(field: number, bytes: Uint8Array): void {
    this.tag(field, WIRE_BYTES);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  stringField(field: number, text: string): void {
    this.tag(field, WIRE_BYTES);
    // Three bytes a UTF-16 unit is the most UTF-8 needs.
    this.#reserve(text.length * 3 + 5);
    const lengthAt = this.length;
    const guess = varintSize(text.length);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(lengthAt + guess));
    const size = varintSize(written);
    if (size !== guess)
      this.#bytes.copyWithin(lengthAt + size, lengthAt + guess, lengthAt + guess + written);
    this.varint(written);
    this.length += written;
  }

  /** Writes an embedded message; `write` appends its fields to this writer. */
  messageField(field: number, write: () => void): void {
    this.tag(field, WIRE_BYTES);
    const lengthAt = this.length;
    this.#reserve(1);
    this.length += 1;
    write();
    const size = this.length - lengthAt - 1;
    const extra = varintSize(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(lengthAt + 1 + extra, lengthAt + 1, this.length);
    }
    this.length = lengthAt;
    this.varint(size);
    this.length += size;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
  return size;
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

// Announced time ranges use the extremes of int64, which no double holds exactly.
function clampInt64(value: number): bigint {
  if (value >= 2 ** 63) return INT64_MAX;
  if (value <= -(2 ** 63)) return INT64_MIN;
  return BigInt(Math.trunc(value));
}
