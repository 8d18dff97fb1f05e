import { describe, expect, it } from 'vitest';
import {
  formatDurationMs,
  formatPlain,
  formatShort,
  parseDurationMs,
  parseNumber,
  quote,
  unquote,
} from '../../../src/promql/literals.ts';

describe('durations', () => {
  it.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1y2w3d', 31_536_000_000 + 1_209_600_000 + 259_200_000],
    ['1500ms', 1500],
    ['0', 0],
    ['', null],
    ['5', null],
    ['1m1h', null],
    ['300y', null],
  ])('%s is %s ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    [0, '0s'],
    [300_000, '5m'],
    [5_400_000, '1h30m'],
    [86_400_000, '1d'],
    [90_000_000, '25h'],
    [604_800_000, '1w'],
    [1, '1ms'],
    [-60_000, '-1m'],
  ])('%s ms is written %s', (ms, text) => {
    expect(formatDurationMs(ms)).toBe(text);
  });
});

describe('numbers', () => {
  it.each([
    ['0x1f', 31],
    ['1_000.5', 1000.5],
    ['017', 15],
    ['089', 89],
    ['-Inf', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['.5e-3', 0.0005],
  ])('%s is %s', (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });

  it.each([
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

  it.each([
    [1e6, '1e+06'],
    [123456, '123456'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e300, '1.5e+300'],
  ])('%s is written shortly as %s', (value, text) => {
    expect(formatShort(value)).toBe(text);
  });
});

describe('strings', () => {
  it.each([
    [String.raw`"\a\b\f\n\r\t\v\\\""`, '\x07\b\f\n\r\t\v\\"'],
    [String.raw`"\101\x41\u0041\U00000041"`, 'AAAA'],
    [String.raw`"\xc3\xa9"`, 'é'],
    [String.raw`'it\'s "x"'`, 'it\'s "x"'],
    ['`a\\b`', 'a\\b'],
  ])('%s', (literal, text) => {
    expect(unquote(literal)).toBe(text);
  });

  it.each([String.raw`"\'"`, String.raw`"\z"`, String.raw`"\ud800"`, String.raw`"\777"`])(
    'refuses %s',
    literal => {
      expect(() => unquote(literal)).toThrow(SyntaxError);
    },
  );

  it('quotes what unquote reads', () => {
    for (const text of ['', 'a"b\\c\n', 'ü\x01\x7f', '\udcff']) {
      expect(unquote(quote(text))).toBe(text);
    }
  });
});
