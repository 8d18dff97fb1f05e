// The integer encodings of Prometheus' files, and a reader that cannot be led astray.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/encoding/crc32c.ts';
import { ReadBuffer } from '../../../src/encoding/read-buffer.ts';
import { WriteBuffer } from '../../../src/encoding/write-buffer.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';

const safeInteger = fc.maxSafeInteger();

describe('WriteBuffer and ReadBuffer', () => {
  it.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [300, [0xac, 0x02]],
    [2 ** 53 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('writes uvarint %d as Go does', (value, bytes) => {
    const buffer = new WriteBuffer();
    buffer.uvarint(value);
    expect([...buffer.bytes()]).toEqual(bytes);
  });

  it.each([
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [-64, [0x7f]],
    [64, [0x80, 0x01]],
    [1_700_000_000_000, [0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62]],
  ])('writes zig-zag varint %d as Go does', (value, bytes) => {
    const buffer = new WriteBuffer();
    buffer.varint(value);
    expect([...buffer.bytes()]).toEqual(bytes);
  });

  it('reads back every safe integer', () => {
    fc.assert(
      fc.property(safeInteger, value => {
        const buffer = new WriteBuffer(1);
        buffer.varint(value);
        buffer.uvarint(Math.abs(value));
        buffer.u64(value);
        const reader = new ReadBuffer(buffer.bytes());
        expect(reader.varint()).toBe(value);
        expect(reader.uvarint()).toBe(Math.abs(value));
        expect(reader.i64()).toBe(value);
        expect(reader.error).toBeNull();
      }),
    );
  });

  it('carries the bits of a staleness marker', () => {
    const values = new Float64Array(1);
    setStale(values, 0);
    const buffer = new WriteBuffer();
    buffer.f64At(values, 0);
    expect(Buffer.from(buffer.bytes()).toString('hex')).toBe('7ff0000000000002');
    const back = new Float64Array(1);
    new ReadBuffer(buffer.bytes()).f64Into(back, 0);
    expect(isStaleAt(back, 0)).toBe(true);
  });

  it('keeps its first error and reads zeros afterwards', () => {
    const reader = new ReadBuffer(Uint8Array.of(1, 2, 3));
    expect(reader.u16()).toBe(0x0102);
    expect(reader.u32()).toBe(0);
    expect(reader.u8()).toBe(0);
    expect(reader.error).toBe('4 bytes wanted, 1 left at offset 2');
  });

  it('ends on any bytes with a value or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        const reader = new ReadBuffer(bytes);
        while (reader.remaining > 0) {
          reader.varint();
          reader.uvarint();
          reader.string();
          reader.u64();
        }
        expect(reader.remaining).toBe(0);
      }),
    );
  });
});

describe('crc32c', () => {
  it.each([
    ['', 0],
    ['a', 0xc1d04330],
    ['123456789', 0xe3069283],
  ])('of %j is the published value', (text, expected) => {
    expect(crc32c(Buffer.from(text))).toBe(expected);
  });

  it('continues a previous sum', () => {
    const bytes = Buffer.from('the quick brown fox jumps over the lazy dog');
    expect(crc32c(bytes.subarray(13), crc32c(bytes.subarray(0, 13)))).toBe(crc32c(bytes));
  });
});
