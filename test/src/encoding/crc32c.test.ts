// CRC-32C by known values (RFC 3720, B.4), and bit by bit for every length and beyond one buffer.

import { expect, test } from 'vitest';
import { crc32c } from '../../../src/encoding/crc32c.ts';

/** The definition. */
function twin(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const noise = Uint8Array.from(
  { length: 250_000 },
  (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24,
);

test.each([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['ascending', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['the digits', Buffer.from('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('%s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('every length up to 100 at every alignment, and one beyond the buffer', () => {
  for (let length = 0; length <= 100; length++) {
    const bytes = noise.subarray(length % 7, (length % 7) + length);
    expect(crc32c(bytes)).toBe(twin(bytes));
  }
  expect(crc32c(noise)).toBe(twin(noise));
});

test('a checksum is continued where it was left', () => {
  for (const cut of [0, 1, 15, 16, 17, 99_000, noise.length]) {
    expect(crc32c(noise.subarray(cut), crc32c(noise.subarray(0, cut)))).toBe(crc32c(noise));
  }
});
