import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bodyOf } from '../../../src/httpapi/body.ts';
import { acceptedPacking, packingFor } from '../../../src/httpapi/encoding.ts';
import { systemClock } from '../../../src/lifecycle/clock.ts';

test.each([
  [undefined, null],
  ['', null],
  ['identity', null],
  ['gzip', 'gzip'],
  ['GZIP;q=0.5', 'gzip'],
  ['*', 'gzip'],
  ['gzip;q=0, *', null],
  ['gzip; q=0.000', null],
  ['deflate', null],
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip;q=0.9, br;q=0.8, zstd;q=0.7', 'gzip'],
  ['zstd;q=0, br;q=x, gzip;q=0.1', 'gzip'],
])('Accept-Encoding %j asks for %j', (header, packing) => {
  expect(acceptedPacking(header)).toBe(packing);
});

test.each([
  ['gzip', gunzipSync],
  ['br', brotliDecompressSync],
  ['zstd', zstdDecompressSync],
] as const)('a body packed with %s reads as it was, short or long', async (packing, unpack) => {
  for (const count of [20, 3000]) {
    const pieces = Array.from({ length: count }, (_, i) => `${i}`.padEnd(1000));
    const signal = new AbortController().signal;
    const body = await bodyOf(pieces, { packing, clock: systemClock, signal });
    expect(body.packing).toBe(packing);
    const { payload } = body;
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.concat(await payload.toArray());
    expect(bytes.length).toBeLessThan(count * 500);
    expect(String(unpack(bytes))).toBe(pieces.join(''));
  }
});

test.each([
  ['192.0.2.7', {}, true],
  ['2001:db8::1', {}, true],
  [undefined, {}, true],
  ['127.0.0.1', {}, false],
  ['::ffff:127.0.0.1', {}, false],
  ['::1', {}, false],
  ['127.0.0.1', { 'x-forwarded-for': '192.0.2.7' }, true],
  ['::1', { via: '1.1 proxy' }, true],
  ['127.0.0.1', { forwarded: 'for=192.0.2.7' }, true],
])('an answer to %s with %j is packed: %s', (address, headers, packed) => {
  expect(packingFor({ 'accept-encoding': 'gzip', ...headers }, address)).toBe(
    packed ? 'gzip' : null,
  );
  expect(packingFor({ 'accept-encoding': 'identity', ...headers }, address)).toBeNull();
});
