// Columns of cold blocks: any samples come back bit by bit, and any damage is refused or read as the twin
// reads it.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WriteBuffer } from '../../src/encoding/write-buffer.ts';
import { ColdDecoder } from '../../src/kernels/cold.ts';
import { ColdChunkEncoder } from '../../src/tsdb/cold/cold-chunk.ts';
import { ValueColumnWriter } from '../../src/tsdb/cold/value-column.ts';
import { readTimesTwin, readValuesTwin } from '../src/tsdb/cold/column-twin.ts';

const decoder = new ColdDecoder();
const writer = new ValueColumnWriter(4096);
const encoder = new ColdChunkEncoder();

const STALE = 0x7ff0000000000002n;
const anyBits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Columns of the kinds there are, each now and then with a sample of another kind. */
const values: fc.Arbitrary<BigUint64Array> = fc
  .tuple(
    fc.oneof(
      fc.array(fc.integer({ min: -1000, max: 1000 }).map(Number), { minLength: 1, maxLength: 300 }),
      fc.array(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(n => n / 1000),
        {
          minLength: 1,
          maxLength: 300,
        },
      ),
      fc.array(fc.constantFrom(0.1, 0.2, 0.7, 1e-3), { minLength: 1, maxLength: 300 }).map(sums),
      fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 50 }),
      fc.array(fc.constantFrom(2 ** 50, -(2 ** 50), 2 ** 53, 0.5, 1e300, 5e-324, 1e-18), {
        minLength: 1,
        maxLength: 50,
      }),
      fc.array(fc.double(), { minLength: 1, maxLength: 100 }),
      fc.tuple(fc.double(), fc.integer({ min: 1, max: 300 })).map(([v, n]) => Array(n).fill(v)),
    ),
    fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(STALE, 2n ** 63n), anyBits)), {
      maxLength: 4,
    }),
  )
  .map(([numbers, others]) => {
    const bits = new BigUint64Array(Float64Array.from(numbers as number[]).buffer);
    for (const [at, other] of others) bits[at % bits.length] = other;
    return bits;
  });

/** What sums of decimals look like: off by some units in the last place. */
function sums(steps: readonly number[]): number[] {
  let sum = 0;
  return steps.map(step => (sum += step));
}

function write(bits: BigUint64Array): Uint8Array {
  const out = new WriteBuffer();
  writer.write(out, new Float64Array(bits.buffer), 0, bits.length);
  return out.copy();
}

function read(bytes: Uint8Array, count: number): BigUint64Array | string {
  const trouble = decoder.decodeValues(bytes, 0, count);
  return trouble ?? new BigUint64Array(decoder.values.slice(0, count).buffer);
}

function twin<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

test('values come back bit by bit', () => {
  fc.assert(
    fc.property(values, bits => {
      expect(read(write(bits), bits.length)).toEqual(bits);
    }),
    { numRuns: 1000 },
  );
});

test('times come back exactly', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(1000, 1001, 15_000) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 30 }) },
  );
  const times = fc
    .tuple(fc.integer({ min: -(2 ** 45), max: 2 ** 45 }), fc.array(step, { maxLength: 300 }))
    .map(([start, steps]) => {
      let time = start;
      return Float64Array.from([start, ...steps.map(by => (time += by))]);
    });
  fc.assert(
    fc.property(times, column => {
      const bytes = encoder.times(column, 0, column.length);
      const head = column.length < 128 ? 1 : 2;
      expect(decoder.decodeTimes(bytes, head, column.length)).toBeNull();
      expect(decoder.times.slice(0, column.length)).toEqual(column);
    }),
    { numRuns: 500 },
  );
});

test('damaged columns are refused, or read as the twin reads them', () => {
  const damage = fc.record({
    bits: values,
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(damage, ({ bits, cut, flips }) => {
      const whole = write(bits);
      const bytes = whole.slice(0, Math.ceil(whole.length * cut));
      for (const [at, mask] of flips) if (bytes.length > 0) bytes[at % bytes.length]! ^= mask;
      const expected = twin(() => readValuesTwin(bytes, bits.length));
      if (expected) expectSameBits(read(bytes, bits.length), expected);
      else expect(typeof read(bytes, bits.length)).toBe('string');
    }),
    { numRuns: 1000 },
  );
});

test('any bytes are refused, or read as the twin reads them', () => {
  const column = fc.tuple(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 0, max: 4 }),
    fc.integer({ min: 0, max: 4 }),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(column, ([count, kind, prediction, rest]) => {
      const bytes = Uint8Array.of(kind, 3, prediction, ...rest);
      const values = twin(() => readValuesTwin(bytes, count));
      if (values) expectSameBits(read(bytes, count), values);
      else expect(typeof read(bytes, count)).toBe('string');
      const times = twin(() => readTimesTwin(bytes, count));
      const trouble = decoder.decodeTimes(bytes, 0, count);
      if (times) expect([...decoder.times.subarray(0, count)]).toEqual([...times]);
      else expect(typeof trouble).toBe('string');
    }),
    { numRuns: 2000 },
  );
});

function expectSameBits(actual: BigUint64Array | string, expected: BigUint64Array): void {
  expect(actual).toEqual(expected);
}
