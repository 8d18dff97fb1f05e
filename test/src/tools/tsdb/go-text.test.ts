import { describe, expect, it } from 'vitest';
import {
  goBytes,
  goDuration,
  goFloat,
  goQuote,
  goTime,
} from '../../../../src/tools/tsdb/go-text.ts';

describe('texts as Go prints them', () => {
  it('quotes what cannot be printed', () => {
    expect(goQuote('plain é 世')).toBe('"plain é 世"');
    expect(goQuote('a"b\\c\nd\te\x01')).toBe('"a\\"b\\\\c\\nd\\te\\x01"');
    expect(goQuote('\u00ad\u2028\u{e0001}')).toBe('"\\u00ad\\u2028\\U000e0001"');
  });

  it.each([
    [0, '0'],
    [-0, '-0'],
    [0.1, '0.1'],
    [123456, '123456'],
    [999999.5, '999999.5'],
    [1e6, '1e+06'],
    [10267820369, '1.0267820369e+10'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e300, '1.5e+300'],
    [Number.NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
  ])('prints %d as %s', (value, text) => {
    expect(goFloat(value)).toBe(text);
  });

  it('prints durations, times and sizes', () => {
    expect([0, 1, 1500, 61_000, 3_600_001, 7_200_000, 90_061_001].map(goDuration)).toEqual([
      '0s',
      '1ms',
      '1.5s',
      '1m1s',
      '1h0m0.001s',
      '2h0m0s',
      '25h1m1.001s',
    ]);
    expect(goTime(1_700_000_000_999)).toBe('2023-11-14 22:13:20 +0000 UTC');
    expect([0, 942, 1024, 1234, 1_073_741_825].map(goBytes)).toEqual([
      '0B',
      '942B',
      '1KiB',
      '1KiB210B',
      '1GiB1B',
    ]);
  });
});
