import fc from 'fast-check';
import snappyjs from 'snappyjs';
import { expect, test } from 'vitest';
import { snappyDecode, snappyEncode, snappyHeader } from '../../../src/encoding/snappy.ts';
import { plainDecode } from './snappy-twin.ts';

const MAX = 1 << 20;

/** Bytes with runs, repetitions near and far, and noise. */
const texts = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 90 }), fc.integer({ min: 1, max: 60 })), {
    maxLength: 60,
  })
  .map(parts => Buffer.concat(parts.flatMap(([part, times]) => Array(times).fill(part))));

/** What a decoder that knows no tricks makes of a block. */
function plain(block: Uint8Array): Uint8Array | null {
  const { bytes, length } = snappyHeader(block, MAX);
  return plainDecode(block.subarray(bytes), length);
}

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

test('others read what is written here, and the other way round', () => {
  fc.assert(
    fc.property(texts, text => {
      expect(Buffer.compare(snappyjs.uncompress(snappyEncode(text)), text)).toBe(0);
      expect(Buffer.compare(snappyDecode(snappyjs.compress(text), MAX), text)).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('a text longer than a fragment is compressed as well as elsewhere', () => {
  const words = Array.from({ length: 40_000 }, (_, i) => `word${(i * i) % 977} `).join('');
  const text = Buffer.from(words);
  const block = snappyEncode(text);
  expect(Buffer.compare(snappyDecode(block, MAX), text)).toBe(0);
  expect(block.length).toBeLessThan(snappyjs.compress(text).length * 1.05);
});

test('noise grows by little', () => {
  let state = 1;
  const noise = Uint8Array.from({ length: 200_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  const block = snappyEncode(noise);
  expect(block.length).toBeLessThan(noise.length + 100);
  expect(Buffer.compare(snappyDecode(block, MAX), noise)).toBe(0);
});

test('blocks of every kind of element are read as a plain decoder reads them, damaged or not', () => {
  const literal = fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map(bytes => [...literalHead(bytes.length), ...bytes]);
  const offset = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.nat(400));
  const near = fc
    .tuple(fc.integer({ min: 4, max: 11 }), offset)
    .map(([length, from]) => [((from >> 8) << 5) | ((length - 4) << 2) | 1, from & 0xff]);
  const far = fc
    .tuple(fc.integer({ min: 1, max: 64 }), offset)
    .map(([length, from]) => [((length - 1) << 2) | 2, from & 0xff, from >> 8]);
  const farther = far.map(([tag, low, high]) => [tag! | 3, low!, high!, 0, 0]);
  const elements = fc.array(fc.oneof(literal, near, far, farther), { maxLength: 40 });
  let read = 0;
  fc.assert(
    fc.property(literal, elements, fc.integer({ min: -2, max: 2 }), (first, rest, wrong) => {
      const body = Uint8Array.from([first, ...rest].flat());
      const size = Math.max(0, lengthOf([first, ...rest]) + (wrong === 2 ? 1 : 0));
      const block = Uint8Array.from([(size & 0x7f) | 0x80, size >> 7, ...body]);
      if (size >= 1 << 14 || size > block.length * 22) return;
      const expected = plain(block);
      if (expected === null) expect(() => snappyDecode(block, MAX)).toThrow('damaged or cut short');
      else {
        read++;
        expect(Buffer.compare(snappyDecode(block, MAX), expected)).toBe(0);
      }
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(50);
});

function literalHead(length: number): number[] {
  if (length <= 60) return [(length - 1) << 2];
  return length <= 256 ? [60 << 2, length - 1] : [61 << 2, (length - 1) & 0xff, (length - 1) >> 8];
}

/** What the elements make together. */
function lengthOf(elements: readonly (readonly number[])[]): number {
  return elements.reduce((sum, element) => {
    const tag = element[0]!;
    if ((tag & 3) === 1) return sum + ((tag >> 2) & 7) + 4;
    if ((tag & 3) !== 0) return sum + (tag >> 2) + 1;
    return sum + element.length - Math.max(1, (tag >> 2) - 58);
  }, 0);
}

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
