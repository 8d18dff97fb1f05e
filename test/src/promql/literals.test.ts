import { describe, expect, it } from 'vitest';
import { parseNumber, quote, unquote } from '../../../src/promql/literals.ts';

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
