import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeXor } from '../../../src/kernels/xor.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { splitLanes } from '../../../src/storage/chunk-lanes.ts';
import { ChunkSeries } from '../../../src/storage/chunks.ts';
import { type DedupFunction, dedupSeriesSet } from '../../../src/storage/dedup.ts';
import { mergeSeriesSets } from '../../../src/storage/merge.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import type { Chunk, Series } from '../../../src/storage/series.ts';
import { ColumnSeries, listSeriesSet } from '../../../src/storage/series-list.ts';
import { corpusFolder } from '../../fakes/corpora.ts';

type Points = readonly (readonly [number, number])[];

function xorChunk(points: Points): Chunk {
  const times = Float64Array.from(points, ([time]) => time);
  const values = Float64Array.from(points, ([, value]) => value);
  const data = encodeXor(times, values, 0, points.length);
  return { minTime: times[0]!, maxTime: times.at(-1)!, encoding: 1, data };
}

function chunkSeries(labels: Record<string, string>, ...chunks: Chunk[]): Series {
  return new ChunkSeries(Labels.fromObject(labels), chunks, 0, 1e15);
}

function options(func: DedupFunction, minTime = 0, maxTime = 1e15, selectFunc = '') {
  return { func, selectFunc, minTime, maxTime };
}

async function read(set: ReturnType<typeof dedupSeriesSet>): Promise<Record<string, Points>> {
  const out: Record<string, Points> = {};
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      const columns = new SampleColumns();
      series.samples(columns);
      out[series.labels.toString()] = Array.from({ length: columns.length }, (_, i) => [
        columns.times[i]!,
        columns.values[i]!,
      ]);
    }
  }
  return out;
}

const span = (minTime: number, maxTime: number): Chunk => ({
  minTime,
  maxTime,
  encoding: 1,
  data: new Uint8Array(0),
});

// Vectors of Thanos' pkg/dedup/iter_test.go, TestOverlapSplitSet.
test.each([
  ['no chunks', [], []],
  [
    'no overlap',
    [span(0, 20), span(21, 100), span(110, 300)],
    [[span(0, 20), span(21, 100), span(110, 300)]],
  ],
  [
    'two replicas',
    [span(0, 20), span(0, 30), span(21, 50), span(31, 60), span(100, 160)],
    [
      [span(0, 20), span(21, 50), span(100, 160)],
      [span(0, 30), span(31, 60)],
    ],
  ],
  [
    'an overlap of one millisecond',
    [span(50, 55), span(55, 100)],
    [[span(50, 55)], [span(55, 100)]],
  ],
  [
    'four replicas',
    [
      span(0, 20),
      span(0, 30),
      span(1, 15),
      span(2, 36),
      span(16, 200),
      span(21, 50),
      span(31, 60),
      span(100, 160),
    ],
    [
      [span(0, 20), span(21, 50), span(100, 160)],
      [span(0, 30), span(31, 60)],
      [span(1, 15), span(16, 200)],
      [span(2, 36)],
    ],
  ],
])('chunks are spread over lanes: %s', (_, chunks, lanes) => {
  expect(splitLanes(chunks)).toEqual(lanes);
});

const a: Points = [
  [10000, 1],
  [20000, 2],
  [30000, 3],
];
const b: Points = [
  [10500, 1],
  [20500, 2],
  [30500, 3],
];

test('replicas of one set, told apart by a replica label, become one series without it', async () => {
  const set = listSeriesSet([
    chunkSeries({ __name__: 'm', replica: 'a' }, xorChunk(a)),
    chunkSeries({ __name__: 'm', replica: 'b' }, xorChunk(b)),
    chunkSeries({ __name__: 'n', replica: 'a' }, xorChunk(a)),
  ]);
  expect(await read(dedupSeriesSet(set, ['replica'], options('penalty')))).toEqual({ m: a, n: a });
});

test('replicas of merged stores become one series', async () => {
  const set = mergeSeriesSets([
    listSeriesSet([chunkSeries({ __name__: 'm' }, xorChunk(a))]),
    listSeriesSet([chunkSeries({ __name__: 'm' }, xorChunk(b))]),
  ]);
  expect(await read(dedupSeriesSet(set, [], options('penalty')))).toEqual({ m: a });
});

test('chain keeps every timestamp of every replica once', async () => {
  const set = listSeriesSet([
    chunkSeries({ __name__: 'm' }, xorChunk(a)),
    chunkSeries({ __name__: 'm' }, xorChunk([...a.slice(0, 1), ...b.slice(1)])),
  ]);
  expect(await read(dedupSeriesSet(set, [], options('chain')))).toEqual({
    m: [
      [10000, 1],
      [20000, 2],
      [20500, 2],
      [30000, 3],
      [30500, 3],
    ],
  });
});

test('copies of a chunk count once', async () => {
  const set = mergeSeriesSets([
    listSeriesSet([chunkSeries({ __name__: 'm' }, xorChunk(a))]),
    listSeriesSet([chunkSeries({ __name__: 'm' }, xorChunk(a))]),
  ]);
  const batch = await dedupSeriesSet(set, [], options('penalty')).next();
  expect(batch![0]!.chunks()).toHaveLength(1);
});

test('samples outside the selection are cut before replicas are compared', async () => {
  const set = listSeriesSet([
    chunkSeries({ __name__: 'm' }, xorChunk(a)),
    chunkSeries({ __name__: 'm' }, xorChunk(b)),
  ]);
  const cut = dedupSeriesSet(set, [], options('penalty', 10001, 30400));
  expect(await read(cut)).toEqual({
    m: [
      [10500, 1],
      [20000, 2],
      [30000, 3],
    ],
  });
});

test('series that exist only decoded are replicas too', async () => {
  const columns = new SampleColumns();
  for (const [time, value] of b) columns.push(time, value);
  const decoded = new ColumnSeries(Labels.fromObject({ __name__: 'm' }), columns);
  const set = listSeriesSet([decoded, chunkSeries({ __name__: 'm' }, xorChunk(a))]);
  expect(await read(dedupSeriesSet(set, [], options('penalty')))).toEqual({ m: a });
});

// Recorded replicas with the result that Thanos 0.42.4 publishes; kept outside the repository.
const corpus = corpusFolder('thanos');
const why = corpus ? '' : ' (skipped: the recordings are not on this machine)';

interface RecordedSeries {
  labels: { name: string; value: string }[];
  chunks: { minTime: string; maxTime: string; raw: { data: string } }[];
}

function recorded(file: string): Series[] {
  const text = readFileSync(join(corpus!, 'query-testdata', file), 'utf8');
  const frames = text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line) as { series: RecordedSeries });
  return frames.map(({ series }) =>
    chunkSeries(
      Object.fromEntries(series.labels.map(({ name, value }) => [name, value])),
      ...series.chunks.map(chunk => ({
        minTime: Number(chunk.minTime),
        maxTime: Number(chunk.maxTime),
        encoding: 1,
        data: new Uint8Array(Buffer.from(chunk.raw.data, 'base64')),
      })),
    ),
  );
}

describe.skipIf(!corpus)(`recorded replicas${why}`, () => {
  test('issue 2890: an instant selector with 15 minutes lookback sees what is published', async () => {
    const file = join(corpus!, 'query-testdata', 'issue2890-expected-dedup.json');
    const expected = JSON.parse(readFileSync(file, 'utf8')).data.result[0].values as [
      number,
      string,
    ][];
    const set = dedupSeriesSet(
      listSeriesSet(recorded('issue2890-seriesresponses.json')),
      ['replica'],
      options('penalty', 1598471700000 - 900_000, 1598472600000),
    );
    const [points] = Object.values(await read(set)) as [Points];
    const seen: [number, string][] = [];
    for (let t = 1598471700000; t <= 1598472600000; t += 3000) {
      const last = points.findLast(([time]) => time <= t && time > t - 900_000);
      if (last) seen.push([t / 1000, String(last[1])]);
    }
    expect(seen).toEqual(expected);
  });

  test('issue 2401: replicas are followed and counters lifted as Thanos does', async () => {
    const from = 1587690000000;
    const summary = async (func: string) => {
      const set = dedupSeriesSet(
        listSeriesSet(recorded('issue2401-seriesresponses.json')),
        ['replica'],
        options('penalty', from, from + 3_600_000, func),
      );
      const [points] = Object.values(await read(set)) as [Points];
      const real = points.filter(([, value]) => !Number.isNaN(value));
      return {
        count: points.length,
        stale: points.length - real.length,
        times: points.reduce((sum, [time]) => sum + (time % 100_000_000), 0),
        values: real.reduce((sum, [, value]) => sum + value, 0),
        last: points.at(-1),
      };
    };
    // Sums over the samples that pkg/query/querier_test.go publishes.
    expect(await summary('')).toEqual({
      count: 238,
      stale: 1,
      times: 21846649367,
      values: 80152580,
      last: [1587693592139, 14956],
    });
    expect(await summary('rate')).toEqual({
      count: 237,
      stale: 0,
      times: 21754153576,
      values: 115406849,
      last: [1587693592139, 511495],
    });
  });
});
