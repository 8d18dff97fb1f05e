import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareStrings } from '../../../../src/labels/compare.ts';
import { Labels } from '../../../../src/labels/labels.ts';
import { Slicer } from '../../../../src/lifecycle/slicer.ts';
import type { Chunk } from '../../../../src/storage/series.ts';
import { FileSource } from '../../../../src/tsdb/file-source.ts';
import { IndexReader } from '../../../../src/tsdb/index/index-reader.ts';
import { IndexWriter } from '../../../../src/tsdb/index/index-writer.ts';
import { offsetOf, placeOf, segmentOf } from '../../../../src/tsdb/index/series-entries.ts';
import { sortedOrder } from '../../../../src/tsdb/index/sort-sliced.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';

const NO_DATA = new Uint8Array(0);

function chunks(...ranges: readonly (readonly [number, number])[]): Chunk[] {
  return ranges.map(([minTime, maxTime]) => ({ minTime, maxTime, encoding: 1, data: NO_DATA }));
}

function slicer(): Slicer {
  let clock = 0;
  return new Slicer(() => clock++);
}

interface Entry {
  readonly labels: Labels;
  readonly chunks: readonly Chunk[];
  readonly places: readonly number[];
}

async function write(entries: Iterable<Entry>, postingsAtOnce?: number): Promise<string> {
  const path = join(temporaryDirectory(), 'index');
  const writer = await IndexWriter.create(path, postingsAtOnce);
  for (const entry of entries) {
    writer.add(entry.labels, entry.chunks, entry.places);
    if (writer.full) await writer.drain();
  }
  await writer.finish(slicer());
  expect(existsSync(`${path}.spill`)).toBe(false);
  return path;
}

async function open(path: string, residentBytesMax?: number): Promise<IndexReader> {
  const options = residentBytesMax === undefined ? {} : { residentBytesMax };
  return IndexReader.open(await FileSource.open(path), options);
}

const ALL = { minTime: -Infinity, maxTime: Infinity };

/** Twenty thousand series, long values, in label order. */
function* fleet(): Generator<Entry> {
  for (let i = 0; i < 20_000; i++) {
    const labels = Labels.fromSorted([
      '__name__',
      'metric',
      'host',
      `host-${String(i).padStart(6, '0')}-${'x'.repeat(60)}`,
      'shard',
      String(i % 7),
    ]);
    yield { labels, chunks: chunks([i, i + 1]), places: [placeOf(0, 8 + i * 100)] };
  }
}

describe('an index of many series', () => {
  const paths: Record<string, Promise<string>> = {};
  const path = (postingsAtOnce: number): Promise<string> =>
    (paths[postingsAtOnce] ??= write(fleet(), postingsAtOnce));

  it.each([
    ['resident', 1e9],
    ['read page by page', 0],
  ])('finds every series by its labels when %s', async (_, residentBytesMax) => {
    const index = await open(await path(1e9), residentBytesMax);
    const all = await index.allPostings();
    expect(all).toHaveLength(20_000);
    const wanted = [0, 31, 32, 33, 63, 64, 9999, 19_999];
    for (const i of wanted) {
      const host = `host-${String(i).padStart(6, '0')}-${'x'.repeat(60)}`;
      const ids = await index.postings('host', [host, 'host-', 'zzz', '']);
      expect([...ids]).toEqual([all[i]]);
      const entries = await index.series(ids, ALL);
      const lookup = await index.symbols(entries.symbols);
      expect(entries.symbols.map(lookup)).toEqual([
        '__name__',
        'metric',
        'host',
        host,
        'shard',
        String(i % 7),
      ]);
      expect(entries.minTimes).toEqual([i]);
      expect(entries.places.map(offsetOf)).toEqual([8 + i * 100]);
    }
    expect(await index.postings('shard', ['3'])).toEqual(all.filter((_, i) => i % 7 === 3));
    expect(await index.postingsWhere('host', v => v.startsWith('host-01'))).toEqual(
      all.subarray(10_000, 20_000),
    );
    const values = await index.labelValues('host');
    expect(values).toHaveLength(20_000);
    expect(values).toEqual([...values].sort(compareStrings));
    expect(index.valueCount('host')).toBe(20_000);
    await index.close();
  });

  it('is the same however many postings are gathered at a time', async () => {
    expect(readFileSync(await path(1000)).equals(readFileSync(await path(1e9)))).toBe(true);
  });

  it('leaves out chunks apart from a time range, but knows their successors', async () => {
    const places = [8, 500, 900, placeOf(1, 8)];
    const entry = {
      labels: Labels.fromObject({ a: 'b' }),
      chunks: chunks([-50, -10], [0, 99], [100, 199], [200, 200]),
      places,
    };
    const index = await open(await write([entry]));
    const ids = await index.allPostings();
    const entries = await index.series(ids, { minTime: 99, maxTime: 100 });
    expect(entries.minTimes).toEqual([0, 100]);
    expect(entries.maxTimes).toEqual([99, 199]);
    expect(entries.places).toEqual([500, 900]);
    expect(entries.nextPlaces).toEqual([900, placeOf(1, 8)]);
    expect(segmentOf(entries.nextPlaces[1]!)).toBe(1);
    const all = await index.series(ids, ALL);
    expect(all.minTimes).toEqual([-50, 0, 100, 200]);
    expect(all.nextPlaces).toEqual([500, 900, placeOf(1, 8), 0]);
    expect((await index.series(ids, null)).minTimes).toEqual([]);
    await index.close();
  });

  it('holds a series with a hundred thousand chunks', async () => {
    const count = 100_000;
    const many = chunks(...Array.from({ length: count }, (_, i) => [i * 10, i * 10 + 9] as const));
    const places = many.map((_, i) => placeOf(0, 8 + i * 1000));
    const entries = [
      { labels: Labels.fromObject({ a: '1' }), chunks: chunks([0, 1]), places: [8] },
      { labels: Labels.fromObject({ a: '2' }), chunks: many, places },
      { labels: Labels.fromObject({ a: '3' }), chunks: chunks([0, 1]), places: [9] },
    ];
    const index = await open(await write(entries));
    const read = await index.series(await index.allPostings(), ALL);
    expect(read.places).toHaveLength(count + 2);
    expect(read.chunkStarts).toEqual([0, 1, count + 1, count + 2]);
    await index.close();
  });

  it('reads symbols longer than a page of the table', async () => {
    const long = (char: string): string => char.repeat(700_000);
    const entries = ['a', 'b', 'c'].map((char, i) => ({
      labels: Labels.fromObject({ n: String(i), text: long(char) }),
      chunks: chunks([0, 1]),
      places: [8],
    }));
    const file = await write(entries);
    for (const residentBytesMax of [0, 1e9]) {
      const index = await open(file, residentBytesMax);
      expect([...(await index.postings('text', [long('b')]))]).toHaveLength(1);
      expect(await index.labelValues('text')).toEqual(['a', 'b', 'c'].map(long));
      await index.close();
    }
  });
});

describe('sortedOrder', () => {
  it.each([0, 1, 2, 255, 256, 257, 512, 513, 5000])('sorts %i elements, stable', async count => {
    const keys = Array.from({ length: count }, (_, i) => (i * 7919) % 97);
    const order = await sortedOrder(count, (a, b) => keys[a]! - keys[b]!, slicer());
    const expected = keys.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
    expect([...order]).toEqual(expected);
  });
});
