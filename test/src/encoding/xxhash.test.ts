// XXH64 by known values, and against a plain implementation for every length and beyond one buffer.

import { describe, expect, test } from 'vitest';
import { xxhash64, xxhash64Into } from '../../../src/encoding/xxhash.ts';

function hex(bytes: Uint8Array): string {
  const { high, low } = xxhash64(bytes);
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const mul = (a: bigint, b: bigint) => (a * b) & MASK;
const rotl = (word: bigint, by: bigint) => ((word << by) | (word >> (64n - by))) & MASK;
const round = (lane: bigint, word: bigint) => mul(rotl((lane + mul(word, P2)) & MASK, 31n), P1);

/** The specification word for word. */
function twin(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = P5;
  if (bytes.length >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, view.getBigUint64(at + 8 * i, true));
    const turns = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, i) => (sum + rotl(lane, turns[i]!)) & MASK, 0n);
    for (const lane of lanes) hash = (mul(hash ^ round(0n, lane), P1) + P4) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8)
    hash = (mul(rotl(hash ^ round(0n, view.getBigUint64(at, true)), 27n), P1) + P4) & MASK;
  if (at + 4 <= bytes.length) {
    hash = (mul(rotl(hash ^ mul(BigInt(view.getUint32(at, true)), P1), 23n), P2) + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = mul(rotl(hash ^ mul(BigInt(bytes[at]!), P5), 11n), P1);
  hash = mul(hash ^ (hash >> 33n), P2);
  hash = mul(hash ^ (hash >> 29n), P3);
  return (hash ^ (hash >> 32n)).toString(16).padStart(16, '0');
}

describe('xxhash64', () => {
  test.each([
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
    ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
  ])('of %j is %s', (text, expected) => {
    expect(hex(Buffer.from(text))).toBe(expected);
    expect(twin(Buffer.from(text))).toBe(expected);
  });

  const noise = Uint8Array.from({ length: 200_001 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);

  test('agrees with the specification at every length up to 200', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = noise.subarray(3, 3 + length);
      expect(hex(bytes)).toBe(twin(bytes));
    }
  });

  test.each([65_535, 65_536, 65_537, 65_568, 131_072, 131_079, 200_001])(
    'agrees with the specification at %i bytes, around the ends of its buffer',
    length => {
      const bytes = noise.subarray(0, length);
      expect(hex(bytes)).toBe(twin(bytes));
    },
  );

  test('writes both halves at an index', () => {
    const out = new Uint32Array(4);
    xxhash64Into(Buffer.from('abc'), out, 1);
    expect([...out]).toEqual([0, 0xad770999, 0x44bc2cf5, 0]);
  });
});
