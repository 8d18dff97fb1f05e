// Bytes of XOR chunks worked out by hand, and what damage to them leads to.

import { describe, expect, test } from 'vitest';
import { encodeXor, XOR_SAMPLES_MAX, XorDecoder, xorDecoder } from '../../../src/kernels/xor.ts';
import { setStale } from '../../../src/storage/stale.ts';
import { decodeXorTwin, encodeXorTwin } from './xor-twin.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function encode(times: number[], values: number[]): Uint8Array {
  return encodeXor(Float64Array.from(times), Float64Array.from(values), 0, times.length);
}

function bitsOf(values: Float64Array, count: number): string[] {
  const words = new Uint32Array(values.slice(0, count).buffer);
  const out: string[] = [];
  for (let i = 0; i < count; i++)
    out.push(((BigInt(words[2 * i + 1]!) << 32n) | BigInt(words[2 * i]!)).toString(16));
  return out;
}

describe('bytes of XOR chunks', () => {
  test.each([
    ['no samples', [], [], '0000'],
    // varint(1) = 02, then the bits of 2.0.
    ['one sample', [1], [2], '0001' + '02' + '4000000000000000'],
    ['a time before 1970', [-65], [0], '0001' + '8101' + '0000000000000000'],
    // uvarint(15000) = 9875, then a zero bit for the unchanged value.
    ['the same value again', [0, 15_000], [1, 1], '0002' + '00' + '3ff0000000000000' + '987500'],
    // 1 xor 2 = 7ff0…: one leading zero, 11 bits: 11 00001 001011 11111111111.
    ['a changed value', [0, 1], [1, 2], '0002' + '00' + '3ff0000000000000' + '01' + 'c25fff'],
    // A changed sign and lowest bit: the window of 64 bits is written as 0.
    [
      'a window of 64 bits',
      [0, 1],
      [0, -5e-324],
      '0002' + '00' + '0'.repeat(16) + '01' + 'c0040000000000000008',
    ],
    // Change of step 8192 is the last that fits 14 bits: 10 10000000000000, then a zero bit.
    [
      'a step change of 8192',
      [0, 1, 8194],
      [0, 0, 0],
      '0003' + '00' + '0'.repeat(16) + '01' + '500000',
    ],
    // −8192 does not fit and takes 17 bits: 0 110 11110000000000000 0.
    [
      'a step change of -8192',
      [0, 8193, 8194],
      [0, 0, 0],
      '0003' + '00' + '0'.repeat(16) + '8140' + '6f0000',
    ],
  ])('%s', (_, times, values, expected) => {
    expect(hex(encode(times, values))).toBe(expected);
    const decoder = xorDecoder();
    expect(decoder.decode(Buffer.from(expected, 'hex'))).toBe(times.length);
    expect([...decoder.times.subarray(0, times.length)]).toEqual(times);
    expect([...decoder.values.subarray(0, times.length)]).toEqual(values);
  });

  test('a slice of longer columns is encoded alone', () => {
    const times = Float64Array.of(1, 2, 3, 4);
    const values = Float64Array.of(10, 20, 30, 40);
    expect(hex(encodeXor(times, values, 1, 3))).toBe(hex(encode([2, 3], [20, 30])));
  });

  test('the staleness marker and other NaNs keep their bits', () => {
    const values = new Float64Array(5);
    setStale(values, 0);
    values[1] = 1.5;
    setStale(values, 2);
    const words = new Uint32Array(values.buffer);
    words.set([1, 0x7ff80000, 0xdeadbeef, 0xfff12345], 6);
    const chunk = encodeXor(Float64Array.of(1, 2, 3, 4, 5), values, 0, 5);
    const decoder = new XorDecoder();
    expect(decoder.decode(chunk)).toBe(5);
    expect(bitsOf(decoder.values, 5)).toEqual([
      '7ff0000000000002',
      '3ff8000000000000',
      '7ff0000000000002',
      '7ff8000000000001',
      'fff12345deadbeef',
    ]);
  });

  test('the largest chunk holds 65,535 samples', () => {
    const times = new Float64Array(XOR_SAMPLES_MAX).map((_, i) => i * i * i);
    const values = new Float64Array(XOR_SAMPLES_MAX).map((_, i) => Math.sin(i) * 10 ** (i % 600));
    const chunk = encodeXor(times, values, 0, XOR_SAMPLES_MAX);
    const decoder = new XorDecoder();
    expect(decoder.decode(chunk)).toBe(XOR_SAMPLES_MAX);
    expect(
      Buffer.compare(Buffer.from(decoder.times.slice().buffer), Buffer.from(times.buffer)),
    ).toBe(0);
    expect(
      Buffer.compare(Buffer.from(decoder.values.slice().buffer), Buffer.from(values.buffer)),
    ).toBe(0);
  });

  test('times that go backwards survive', () => {
    const chunk = encode([100, 50, 9e15, -9e15, 0], [1, 2, 3, 4, 5]);
    const decoder = xorDecoder();
    expect(decoder.decode(chunk)).toBe(5);
    expect([...decoder.times.subarray(0, 5)]).toEqual([100, 50, 9e15, -9e15, 0]);
  });

  test('the twin agrees on a chunk with every width of step and window', () => {
    const times = Float64Array.of(0, 10, 20, 9000, 9001, 99_000, 99_001, 800_000, 800_001, 9e12);
    const values = Float64Array.of(0, 1, 1, 1.5, 1.25, -0, Infinity, NaN, 1e-320, 42);
    const chunk = encodeXor(times, values, 0, times.length);
    expect(hex(chunk)).toBe(hex(encodeXorTwin(times, values)));
    const twin = decodeXorTwin(chunk);
    expect(twin.times).toEqual(times);
    expect(bitsOf(twin.values, 10)).toEqual(bitsOf(values, 10));
  });
});

describe('damaged chunks', () => {
  const whole = encode([1, 2, 3, 5, 8, 13], [1, 2.5, 3, -7, 1e300, 0]);

  test.each(Array.from(whole, (_, length) => [length]))(
    '%d bytes of a chunk are refused',
    length => {
      expect(() => xorDecoder().decode(whole.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      );
    },
  );

  test('a count the bytes cannot hold is refused', () => {
    const lie = Uint8Array.from(whole);
    lie[0] = 0xff;
    expect(() => xorDecoder().decode(lie)).toThrow(/ends inside a sample/);
  });

  test('a window of more than 64 bits is refused', () => {
    // 11 11111 111111: 31 leading zeros and 63 significant bits.
    const bytes = Buffer.from(
      '0002' + '00' + '0'.repeat(16) + '01' + 'fff8' + '00'.repeat(8),
      'hex',
    );
    expect(() => xorDecoder().decode(bytes)).toThrow(/impossible window/);
  });

  test('a varint over 64 bits is refused', () => {
    const bytes = Buffer.from('0001' + 'ff'.repeat(9) + '02' + '00'.repeat(8), 'hex');
    expect(() => xorDecoder().decode(bytes)).toThrow(/varint over 64 bits/);
  });

  test('bytes behind the last sample are ignored', () => {
    const longer = new Uint8Array(3_000_000);
    longer.set(whole);
    expect(xorDecoder().decode(longer)).toBe(6);
  });
});
