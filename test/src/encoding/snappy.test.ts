import fc from 'fast-check';
import snappyjs from 'snappyjs';
import { expect, test } from 'vitest';
import { snappyDecode, snappyEncode } from '../../../src/encoding/snappy.ts';

const MAX = 1 << 20;

test('what was encoded is decoded, runs and long literals included', () => {
  const bytes = fc.array(
    fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 })),
  );
  fc.assert(
    fc.property(bytes, parts => {
      const whole = Buffer.concat(parts.flatMap(([part, times]) => Array(times).fill(part)));
      expect(Buffer.from(snappyDecode(snappyEncode(whole), MAX)).equals(whole)).toBe(true);
    }),
  );
});

test('both decoders read the same', () => {
  const text = Buffer.from('the quick brown fox, the quick brown dog, '.repeat(5000));
  const packed = snappyEncode(text);
  expect(Buffer.from(snappyDecode(packed, MAX)).equals(snappyjs.uncompress(packed))).toBe(true);
});

test.each([
  ['a literal of 2 GiB', [0x05, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0]],
  ['a literal beyond the end', [0x05, 0x10, 1, 2]],
  ['a copy from before the start', [0x05, 0x00, 1, 0x01, 2]],
  ['a copy of offset zero', [0x05, 0x00, 1, 0x01, 0]],
  ['more than was announced', [0x01, 0x04, 1, 2]],
  ['less than was announced', [0x05, 0x04, 1, 2]],
  ['much more announced than the bytes can make', [0xff, 0xff, 0x3f, 0x00, 1]],
  ['a copy cut short', [0x05, 0x00, 1, 0x0e, 1]],
])('%s is refused', (_, bytes) => {
  expect(() => snappyDecode(Uint8Array.from(bytes), MAX)).toThrow('damaged or cut short');
});
