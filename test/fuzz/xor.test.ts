// The XOR kernel against its twin: any samples, and any damage to their chunks.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeXor, XorDecoder } from '../../src/kernels/xor.ts';
import { type Columns, decodeXorTwin, encodeXorTwin } from '../src/kernels/xor-twin.ts';

const decoder = new XorDecoder();

/** Time steps of every field width, mostly regular. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1, 1000, 15_000, 15_001) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(8191, 8192, 8193, 65_535, 65_536, 65_537, 524_288) },
);

/** The two halves of a value: plain numbers, and any bits, among them all sorts of NaN. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -5, max: 1000 }).map(halvesOf) },
  { weight: 3, arbitrary: fc.double().map(halvesOf) },
  { weight: 1, arbitrary: fc.constant<[number, number]>([2, 0x7ff00000]) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)) },
);

const columns: fc.Arbitrary<Columns> = fc
  .tuple(
    fc.integer({ min: -(2 ** 40), max: 2 ** 42 }),
    fc.array(fc.tuple(step, value), { maxLength: 300 }),
  )
  .map(([start, samples]) => {
    const times = new Float64Array(samples.length);
    const values = new Float64Array(samples.length);
    const words = new Uint32Array(values.buffer);
    let time = start;
    samples.forEach(([delta, halves], i) => {
      time += delta;
      times[i] = time;
      words.set(halves, 2 * i);
    });
    return { times, values };
  });

function halvesOf(number: number): [low: number, high: number] {
  const words = new Uint32Array(Float64Array.of(number).buffer);
  return [words[0]!, words[1]!];
}

function bytesOf(column: Float64Array, count: number): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, count * 8);
}

function encode({ times, values }: Columns): Uint8Array {
  return encodeXor(times, values, 0, times.length);
}

test('the kernel writes the bytes that the twin writes', () => {
  fc.assert(
    fc.property(columns, samples => {
      const expected = encodeXorTwin(samples.times, samples.values);
      expect(Buffer.compare(encode(samples), expected)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('what the twin writes, the kernel reads back bit by bit', () => {
  fc.assert(
    fc.property(columns, ({ times, values }) => {
      const count = decoder.decode(encodeXorTwin(times, values));
      expect(count).toBe(times.length);
      expect(bytesOf(decoder.times, count).equals(bytesOf(times, count))).toBe(true);
      expect(bytesOf(decoder.values, count).equals(bytesOf(values, count))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

/** Reads with both; the same answer, or a refusal by both. */
function expectSameAnswer(data: Uint8Array): void {
  let expected: Columns | null = null;
  try {
    expected = decodeXorTwin(data);
  } catch {
    // Refused; so must the kernel.
  }
  if (expected === null) {
    expect(() => decoder.decode(data)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    return;
  }
  const count = decoder.decode(data);
  expect(count).toBe(expected.times.length);
  expect(bytesOf(decoder.values, count).equals(bytesOf(expected.values, count))).toBe(true);
  // The twin's times are exact as long as they are safe integers.
  if (expected.times.every(time => Math.abs(time) < 2 ** 52))
    expect(bytesOf(decoder.times, count).equals(bytesOf(expected.times, count))).toBe(true);
}

test('a damaged chunk is refused, or read as the twin reads it', () => {
  const damage = fc.record({
    samples: columns,
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(damage, ({ samples, cut, flips }) => {
      const whole = encode(samples);
      const data = whole.slice(0, Math.ceil(whole.length * cut));
      for (const [at, mask] of flips) if (data.length > 0) data[at % data.length]! ^= mask;
      expectSameAnswer(data);
    }),
    { numRuns: 500 },
  );
});

test('any bytes are refused, or read as the twin reads them', () => {
  const bytes = fc.tuple(fc.nat(300), fc.uint8Array({ maxLength: 400 }));
  fc.assert(
    fc.property(bytes, ([count, rest]) => {
      expectSameAnswer(Uint8Array.of(count >> 8, count & 0xff, ...rest));
      expectSameAnswer(rest);
    }),
    { numRuns: 500 },
  );
});
