import { expect, test } from 'vitest';
import { acceptsGzip, wantsGzip } from '../../../src/httpapi/encoding.ts';

test.each([
  [undefined, false],
  ['', false],
  ['identity', false],
  ['gzip', true],
  ['br, GZIP;q=0.5', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000', false],
  ['deflate, br', false],
])('Accept-Encoding %j allows gzip: %s', (header, allowed) => {
  expect(acceptsGzip(header)).toBe(allowed);
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
  expect(wantsGzip({ 'accept-encoding': 'gzip', ...headers }, address)).toBe(packed);
  expect(wantsGzip({ 'accept-encoding': 'identity', ...headers }, address)).toBe(false);
});
