import { describe, expect, test } from 'vitest';
import {
  formatFloat,
  formatOpenMetricsFloat,
  formatPlain,
  formatSeconds,
  formatShort,
  formatTextFloat,
} from '../../../src/encoding/format-float.ts';

// value, text ('g'), OpenMetrics, JSON ('f' with exponents only at the extremes)
const TABLE: [number, string, string, string][] = [
  [0, '0', '0.0', '0'],
  [-0, '0', '0.0', '-0'],
  [1, '1', '1.0', '1'],
  [-1, '-1', '-1.0', '-1'],
  [0.1, '0.1', '0.1', '0.1'],
  [1.5, '1.5', '1.5', '1.5'],
  [999999, '999999', '999999.0', '999999'],
  [1e6, '1e+06', '1e+06', '1000000'],
  [123456789, '1.23456789e+08', '1.23456789e+08', '123456789'],
  [16777216, '1.6777216e+07', '1.6777216e+07', '16777216'],
  [0.0001, '0.0001', '0.0001', '0.0001'],
  [0.00001, '1e-05', '1e-05', '0.00001'],
  [0.000001, '1e-06', '1e-06', '0.000001'],
  [1e-7, '1e-07', '1e-07', '1e-07'],
  [-2.5e-9, '-2.5e-09', '-2.5e-09', '-2.5e-09'],
  [1e20, '1e+20', '1e+20', '100000000000000000000'],
  [1e21, '1e+21', '1e+21', '1e+21'],
  [
    1.7976931348623157e308,
    '1.7976931348623157e+308',
    '1.7976931348623157e+308',
    '1.7976931348623157e+308',
  ],
  [5e-324, '5e-324', '5e-324', '5e-324'],
  [Number.NaN, 'NaN', 'NaN', 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf', '+Inf', '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf', '-Inf', '-Inf'],
];

describe('floats are written as Go writes them', () => {
  test.each(TABLE)('%d', (value, text, openMetrics, json) => {
    expect(formatTextFloat(value)).toBe(text);
    expect(formatOpenMetricsFloat(value)).toBe(openMetrics);
    expect(formatFloat(value)).toBe(json);
  });
});

test('seconds are an integer or have exactly three decimals', () => {
  expect(formatSeconds(1_435_781_451_781)).toBe('1435781451.781');
  expect(formatSeconds(1_435_781_451_000)).toBe('1435781451');
  expect(formatSeconds(1500)).toBe('1.500');
  expect(formatSeconds(5)).toBe('0.005');
  expect(formatSeconds(-5)).toBe('-0.005');
  expect(formatSeconds(-1500)).toBe('-1.500');
  expect(formatSeconds(0)).toBe('0');
});

test.each([
  [1e21, '1000000000000000000000'],
  [1e-7, '0.0000001'],
  [-1.5e-9, '-0.0000000015'],
  [1.25e22, '12500000000000000000000'],
  [-0, '-0'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NaN, 'NaN'],
])('%s is written plainly as %s', (value, text) => {
  expect(formatPlain(value)).toBe(text);
});

test.each([
  [1e6, '1e+06'],
  [123456, '123456'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [1.5e300, '1.5e+300'],
])('%s is written shortly as %s', (value, text) => {
  expect(formatShort(value)).toBe(text);
});
