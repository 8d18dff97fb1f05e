import { expect, test } from 'vitest';
import type { LabelRegion } from '../../../src/remote/label-region.ts';
import { NO_SERIES_REF, SeriesCache } from '../../../src/remote/series-cache.ts';

function region(text: string, padding = 0): LabelRegion {
  const bytes = Buffer.from('x'.repeat(padding) + text + 'yyyy');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, start: padding, end: padding + Buffer.byteLength(text) };
}

test('thousands of regions are told apart, wherever they stand in a request', () => {
  const cache = new SeriesCache({ entriesMax: 10_000, bytesMax: 1e6, seed: 1 });
  for (let i = 0; i < 5000; i++) cache.set(region(`series-${i}`), i);
  for (let i = 0; i < 5000; i++) expect(cache.get(region(`series-${i}`, i % 7))).toBe(i);
  expect(cache.get(region('series-5000'))).toBe(NO_SERIES_REF);
  expect(cache.get(region('series-499'))).toBe(499);
  expect(cache.size).toBe(5000);
});

test('a reference is replaced in place', () => {
  const cache = new SeriesCache({ entriesMax: 10, bytesMax: 1000, seed: 1 });
  cache.set(region('a'), 1);
  cache.set(region('a'), 2);
  expect([cache.get(region('a')), cache.size]).toEqual([2, 1]);
});

test('what is used stays and what is not goes, within the bounds', () => {
  const cache = new SeriesCache({ entriesMax: 100, bytesMax: 1e6, seed: 1 });
  for (let i = 0; i < 1000; i++) {
    cache.set(region(`series-${i}`), i);
    expect(cache.get(region('series-0'))).toBe(0);
    expect(cache.size).toBeLessThanOrEqual(200);
  }
  expect(cache.get(region('series-1'))).toBe(NO_SERIES_REF);
});

test('bytes are bounded as entries are', () => {
  const cache = new SeriesCache({ entriesMax: 1000, bytesMax: 1000, seed: 1 });
  for (let i = 0; i < 100; i++) cache.set(region(`${i}`.padStart(100, '.')), i);
  expect(cache.size).toBeLessThanOrEqual(20);
  expect(cache.get(region('99'.padStart(100, '.')))).toBe(99);
});
