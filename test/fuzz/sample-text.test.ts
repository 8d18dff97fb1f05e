// The text kernel against JavaScript's own digits.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatFloat, formatSeconds } from '../../src/encoding/format-float.ts';
import { sampleText } from '../../src/kernels/sample-text.ts';

function text(times: readonly number[], values: Float64Array): string {
  const bytes = sampleText().write(Float64Array.from(times), values, 0, times.length);
  return Buffer.from(bytes).toString('latin1');
}

function expected(times: readonly number[], values: Float64Array): string {
  return times.map((time, i) => `[${formatSeconds(time)},"${formatFloat(values[i]!)}"]`).join(',');
}

const bits = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const number = fc.oneof(
  bits.map(word => new Float64Array(BigUint64Array.of(word).buffer)[0]!),
  fc.double(),
  fc.integer(),
  fc.integer().map(n => n / 1000),
  fc.integer().map(n => n / 100 / 7),
  fc
    .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: -330, max: 305 }))
    .map(([digits, exponent]) => Number(`${digits}e${exponent}`)),
  fc.maxSafeInteger(),
  fc.integer({ min: -1080, max: 1023 }).map(exponent => 2 ** exponent),
);
const time = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 31 }).map(seconds => seconds * 1000),
  fc.maxSafeInteger(),
);

test('samples are written with the shortest digits that read back the same', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(time, number), { maxLength: 100 }), samples => {
      const times = samples.map(([at]) => at);
      const values = Float64Array.from(samples, ([, value]) => value);
      expect(text(times, values)).toBe(expected(times, values));
    }),
    { numRuns: 2000 },
  );
});

test('the text of shared times is not that of the times before', () => {
  const values = Float64Array.of(1, 2.5);
  expect(text([1000, 2000], values)).toBe('[1,"1"],[2,"2.5"]');
  expect(text([1000], values)).toBe('[1,"1"]');
  expect(text([1000, 3500], values)).toBe('[1,"1"],[3.500,"2.5"]');
  expect(text([-500, 3500], values)).toBe('[-0.500,"1"],[3.500,"2.5"]');
});

test.each([
  [0, '0'],
  [-0, '-0'],
  [0.1, '0.1'],
  [0.5, '0.5'],
  [1e21, '1e+21'],
  [123_456_789_012_345_680_000, '123456789012345680000'],
  [1e-6, '0.000001'],
  [1e-7, '1e-07'],
  [5e-324, '5e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [2 ** 53, '9007199254740992'],
  [4.35, '4.35'],
  [0.30000000000000004, '0.30000000000000004'],
  [2e-323, '2e-323'],
  [-1.5e-10, '-1.5e-10'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
])('%d is written %s', (value, shown) => {
  expect(text([0], Float64Array.of(value))).toBe(`[0,"${shown}"]`);
});
