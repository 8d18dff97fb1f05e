import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import type { Chunk, SeriesSet } from '../../../src/storage/series.ts';
import { ColumnSeries } from '../../../src/storage/series-list.ts';
import { isStaleAt } from '../../../src/storage/stale.ts';
import { StoreClient } from '../../../src/storeapi/client.ts';
import { newGrpcServer, type StreamAnswer } from '../../../src/storeapi/grpc-server.ts';
import { encodeInfo } from '../../../src/storeapi/info.ts';
import { decodeSeriesRequest, type SeriesQuery } from '../../../src/storeapi/requests.ts';
import { ChunkSource } from '../../../src/storeapi/series-chunks.ts';
import { SeriesEncoder } from '../../../src/storeapi/series-codec.ts';
import { serveStore } from '../../../src/storeapi/server.ts';
import { INFO, SERIES } from '../../../src/storeapi/service.ts';
import { localSource } from '../../../src/storeapi/store-source.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const clock = new ManualClock();
const encoder = new SeriesEncoder();
const everything = [new Matcher('!=', '__name__', '')];

async function clientOf(answer: StreamAnswer): Promise<StoreClient> {
  const server = newGrpcServer(clock);
  server.stream(SERIES, answer);
  const port = await server.bind('127.0.0.1:0');
  return connect(`127.0.0.1:${port}`, () => server.stop(0));
}

function connect(address: string, stop: () => Promise<void>): StoreClient {
  const client = new StoreClient({ address, clock, frameTimeoutMs: 30_000 });
  cleanups.push(stop, () => client.close());
  return client;
}

function chunk(...points: [number, number][]): Chunk {
  const columns = new SampleColumns();
  for (const [time, value] of points) columns.push(time, value);
  return new ChunkSource().chunksOf(new ColumnSeries(Labels.empty, columns))[0]!;
}

async function read(set: SeriesSet): Promise<[string, number[]][]> {
  const out: [string, number[]][] = [];
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      const columns = new SampleColumns();
      series.samples(columns);
      out.push([series.labels.toString(), [...columns.times.subarray(0, columns.length)]]);
    }
  }
  return out;
}

const a = Labels.fromObject({ __name__: 'a' });
const b = Labels.fromObject({ __name__: 'b' });

test('a series in several frames is one series', async () => {
  const client = await clientOf(async (_, stream) => {
    stream.write(encoder.series(a, [chunk([1, 1], [2, 2])]));
    stream.write(encoder.series(a, [chunk([3, 3])]));
    stream.write(encoder.batch([encoder.series(a, [chunk([4, 4])]), encoder.series(b, [])]));
  });
  const set = await client.querier(2, 10).select(everything);
  expect(await read(set)).toEqual([
    ['a', [2, 3, 4]],
    ['b', []],
  ]);
});

test('chunks that overlap are merged, and given as parts', async () => {
  const client = await clientOf(async (_, stream) => {
    stream.write(encoder.series(a, [chunk([1, 1], [3, 3]), chunk([2, 2], [3, 3])]));
  });
  const set = await client.querier(0, 10).select(everything);
  const [series] = (await set.next())!;
  expect(series!.chunks()).toBeNull();
  expect(series!.parts!()).toHaveLength(2);
  const columns = new SampleColumns();
  series!.samples(columns);
  expect([...columns.times.subarray(0, columns.length)]).toEqual([1, 2, 3]);
});

test('warnings of the peer are those of the set', async () => {
  const client = await clientOf(async (_, stream) => {
    stream.write(encoder.warning('half'));
    stream.write(encoder.series(a, []));
  });
  const set = await client.querier(0, 10).select(everything);
  expect(await read(set)).toHaveLength(1);
  expect(set.warnings).toEqual(['half']);
});

test('a peer that keeps silent is given up after the frame timeout', async () => {
  const cancelled = Promise.withResolvers<void>();
  const client = await clientOf(async (_, stream) => {
    stream.write(encoder.series(a, []));
    stream.write(encoder.series(b, []));
    stream.signal.addEventListener('abort', () => cancelled.resolve());
    await cancelled.promise;
  });
  const set = await client.querier(0, 10).select(everything);
  const seen: string[] = [];
  const end = (async () => {
    for (let batch = await set.next(); batch; batch = await set.next()) {
      seen.push(...batch.map(series => series.label('__name__')));
    }
  })();
  end.catch(() => {});
  while (seen.length < 1) await wait(5);
  clock.advance(30_001);
  await expect(end).rejects.toMatchObject({
    code: 'timeout',
    message: 'deadline exceeded: nothing came for 30000 ms',
  });
  expect(seen).toEqual(['a']);
  await cancelled.promise;
});

test('an abort cancels the call at the peer', async () => {
  const cancelled = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const client = await clientOf(async (_, stream) => {
    started.resolve();
    stream.signal.addEventListener('abort', () => cancelled.resolve());
    await cancelled.promise;
  });
  const stop = new AbortController();
  const set = await client.querier(0, 10).select(everything, { signal: stop.signal });
  const next = set.next();
  await started.promise;
  stop.abort(new DOMException('enough', 'AbortError'));
  await expect(next).rejects.toMatchObject({ code: 'canceled' });
  await cancelled.promise;
});

test('closing a set cancels the call at the peer', async () => {
  const cancelled = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const client = await clientOf(async (_, stream) => {
    started.resolve();
    stream.signal.addEventListener('abort', () => cancelled.resolve());
    await cancelled.promise;
  });
  const set = await client.querier(0, 10).select(everything);
  await started.promise;
  set.close();
  await cancelled.promise;
  expect(await set.next()).toBeNull();
});

test('a slow reader holds the peer back', async () => {
  const large = { ...chunk([1, 1]), data: new Uint8Array(1_000_000) };
  let written = 0;
  const client = await clientOf(async (_, stream) => {
    for (; written < 400; written++) {
      const labels = Labels.fromObject({ i: String(written).padStart(4, '0') });
      await stream.write(encoder.series(labels, [large]));
    }
  });
  const set = await client.querier(0, 10).select(everything);
  await set.next();
  let before = -1;
  while (before !== written) {
    before = written;
    await wait(100);
  }
  expect(written).toBeLessThan(400);
  set.close();
});

test('errors of the peer keep their meaning', async () => {
  const client = await clientOf(async () => {
    throw new OutpostError('limit-exceeded', 'too many series');
  });
  const set = await client.querier(0, 10).select(everything);
  await expect(set.next()).rejects.toMatchObject({
    code: 'limit-exceeded',
    message: 'too many series',
  });
});

test('a peer that is not there is unavailable', async () => {
  const client = connect('127.0.0.1:1', async () => {});
  await expect(client.info(5000)).rejects.toMatchObject({ code: 'unavailable' });
});

test('Info that is not answered times out', async () => {
  const server = newGrpcServer(clock);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  server.unary(INFO, async () => {
    asked.resolve();
    await release.promise;
    return encodeInfo({ componentType: 'x', labelSets: [], store: null, apis: [] });
  });
  const port = await server.bind('127.0.0.1:0');
  const client = connect(`127.0.0.1:${port}`, () => server.stop(0));
  const info = client.info(5000);
  info.catch(() => {});
  await asked.promise;
  clock.advance(5001);
  await expect(info).rejects.toMatchObject({ code: 'timeout' });
  release.resolve();
});

test('a request carries the range, hints and replica labels', async () => {
  let query: SeriesQuery | undefined;
  const client = await clientOf(async bytes => {
    query = decodeSeriesRequest(bytes);
  });
  const reading = client.reading({ replicaLabels: ['replica'], partialResponse: false });
  const hints = { func: 'rate', rangeMs: 300_000, stepMs: 15_000, grouping: ['job'], by: true };
  const set = await reading
    .querier(Number.NEGATIVE_INFINITY, 2 ** 63)
    .select([new Matcher('=~', 'job', 'a.*')], { hints: { ...hints, limit: 7, labelsOnly: true } });
  expect(await set.next()).toBeNull();
  expect(query).toMatchObject({
    minTime: -(2 ** 63),
    maxTime: 2 ** 63 - 1024,
    hints,
    limit: 7,
    skipChunks: true,
    withoutReplicaLabels: ['replica'],
    partialResponse: false,
  });
  expect(query!.matchers.map(String)).toEqual(['job=~"a.*"']);
});

test('stale markers arrive with their bits', async () => {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  const ref = appender.series(a);
  appender.append(ref, 1, 1);
  appender.appendStale(ref, 2);
  await appender.commit();
  const server = newGrpcServer(clock);
  serveStore(server, {
    source: localSource(storage),
    componentType: 'sidecar',
    streams: () => [],
    notReady: () => null,
    monotonic: () => 0,
  });
  const port = await server.bind('127.0.0.1:0');
  const client = connect(`127.0.0.1:${port}`, () => server.stop(0));
  const set = await client.querier(0, 10).select(everything);
  const columns = new SampleColumns();
  for (const series of (await set.next())!) series.samples(columns);
  expect(isStaleAt(columns.values, 1)).toBe(true);
});
