import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { EndpointSet } from '../../../federation/query/endpoint-set.ts';
import { type QueryOptions, QueryTier } from '../../../federation/query/query-tier.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { Engine } from '../../../src/promql/engine.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import type { SeriesSet } from '../../../src/storage/series.ts';
import { StoreClient } from '../../../src/storeapi/client.ts';
import { type GrpcServer, newGrpcServer } from '../../../src/storeapi/grpc-server.ts';
import { encodeInfo } from '../../../src/storeapi/info.ts';
import { SeriesEncoder } from '../../../src/storeapi/series-codec.ts';
import { serveStore } from '../../../src/storeapi/server.ts';
import { INFO, SERIES } from '../../../src/storeapi/service.ts';
import { localSource } from '../../../src/storeapi/store-source.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { testStoreApi } from '../../acceptance/store-api.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const clock = new ManualClock(1_700_000_000_000);
const everything = [new Matcher('!=', '__name__', '')];
const PARTIAL: QueryOptions = { dedup: false, partialResponse: true };
const STRICT: QueryOptions = { dedup: false, partialResponse: false };
const DEDUP: QueryOptions = { dedup: true, partialResponse: true };

interface Agent {
  readonly address: string;
  readonly storage: MemoryStorage;
  readonly server: GrpcServer;
}

type Points = readonly (readonly [labels: Record<string, string>, time: number, value: number])[];

async function startAgent(
  external: Record<string, string>,
  points: Points,
  listen = '127.0.0.1:0',
): Promise<Agent> {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  for (const [labels, time, value] of points) {
    appender.append(appender.series(Labels.fromObject(labels)), time, value);
  }
  await appender.commit();
  const labels = Labels.fromObject(external);
  const server = newGrpcServer(clock);
  serveStore(server, {
    source: localSource(storage),
    externalLabels: () => labels,
    componentType: 'sidecar',
    streams: () => [{ labels, minTime: 0, maxTime: 2 ** 63 }],
    notReady: () => null,
    monotonic: () => performance.now(),
  });
  const port = await server.bind(listen);
  cleanups.push(() => server.stop(0));
  return { address: port > 0 ? `127.0.0.1:${port}` : listen, storage, server };
}

async function startTier(addresses: readonly string[], replicaLabels: readonly string[] = []) {
  const registry = new Registry();
  const endpoints = new EndpointSet({
    endpoints: addresses,
    connect: address => new StoreClient({ address, clock, frameTimeoutMs: 30_000 }),
    resolve: async () => [],
    clock,
    logger: silentLogger,
    registry,
  });
  const tier = new QueryTier({ endpoints, registry, replicaLabels });
  cleanups.push(() => endpoints.close());
  await endpoints.update();
  return { tier, endpoints, registry };
}

async function read(set: SeriesSet): Promise<Record<string, [number, number][]>> {
  const out: Record<string, [number, number][]> = {};
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      const columns = new SampleColumns();
      series.samples(columns);
      expect(out[series.labels.toString()]).toBeUndefined();
      out[series.labels.toString()] = Array.from({ length: columns.length }, (_, i) => [
        columns.times[i]!,
        columns.values[i]!,
      ]);
    }
  }
  return out;
}

async function query(tier: QueryTier, options: QueryOptions, matchers = everything) {
  const set = await tier.queryableFor(options).querier(0, 1e12).select(matchers);
  const series = await read(set);
  return { series, warnings: set.warnings };
}

testStoreApi('a querier over one store', async (external, fill) => {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  fill(appender);
  await appender.commit();
  const inner = newGrpcServer(clock);
  serveStore(inner, {
    source: localSource(storage),
    externalLabels: () => external,
    componentType: 'sidecar',
    streams: () => [{ labels: external, minTime: -(2 ** 63), maxTime: 2 ** 63 }],
    notReady: () => null,
    monotonic: () => performance.now(),
  });
  const innerPort = await inner.bind('127.0.0.1:0');
  const registry = new Registry();
  const endpoints = new EndpointSet({
    endpoints: [`127.0.0.1:${innerPort}`],
    connect: address => new StoreClient({ address, clock, frameTimeoutMs: 30_000 }),
    resolve: async () => [],
    clock,
    logger: silentLogger,
    registry,
  });
  await endpoints.update();
  const outer = newGrpcServer(clock);
  new QueryTier({ endpoints, registry, replicaLabels: [] }).serve(outer, {
    monotonic: () => performance.now(),
  });
  const port = await outer.bind('127.0.0.1:0');
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      await outer.stop(0);
      endpoints.close();
      await inner.stop(0);
    },
  };
});

test('series of all endpoints are one answer with their external labels', async () => {
  const a = await startAgent({ host: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  const socket = `unix:${temporaryDirectory()}/b.sock`;
  const b = await startAgent({ host: 'b' }, [[{ __name__: 'up' }, 2000, 0]], socket);
  const { tier } = await startTier([a.address, b.address]);
  expect(await query(tier, PARTIAL)).toEqual({
    series: { 'up{host="a"}': [[1000, 1]], 'up{host="b"}': [[2000, 0]] },
    warnings: [],
  });
  const querier = tier.queryableFor(PARTIAL).querier(0, 1e12);
  expect(await querier.labelNames([])).toEqual({ values: ['__name__', 'host'], warnings: [] });
  expect(await querier.labelValues('host', [])).toEqual({ values: ['a', 'b'], warnings: [] });
});

test('endpoints whose external labels do not match are not asked', async () => {
  const a = await startAgent({ host: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  const b = await startAgent({ host: 'b' }, [[{ __name__: 'up' }, 2000, 0]]);
  b.storage.warnings.push('asked');
  const { tier } = await startTier([a.address, b.address]);
  const matchers = [...everything, new Matcher('=', 'host', 'a')];
  expect(await query(tier, PARTIAL, matchers)).toEqual({
    series: { 'up{host="a"}': [[1000, 1]] },
    warnings: [],
  });
  const storeMatch = [[new Matcher('=', '__address__', b.address)]];
  expect(Object.keys((await query(tier, { ...PARTIAL, storeMatch })).series)).toEqual([
    'up{host="b"}',
  ]);
});

test('replicas are one series, filled from the other where one has a gap', async () => {
  const points = (offset: number, gap: readonly number[]): Points =>
    Array.from({ length: 20 }, (_, i) => i)
      .filter(i => !gap.includes(i))
      .map(i => [{ __name__: 'up' }, i * 10_000 + offset, i] as const);
  const a = await startAgent({ host: 'x', replica: 'a' }, points(0, [8, 9, 10, 11, 12, 13]));
  const b = await startAgent({ host: 'x', replica: 'b' }, points(300, []));
  const { tier } = await startTier([a.address, b.address], ['replica']);
  const { series, warnings } = await query(tier, DEDUP);
  expect(warnings).toEqual([]);
  expect(Object.keys(series)).toEqual(['up{host="x"}']);
  const values = series['up{host="x"}']!.map(([, value]) => value);
  expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  expect(Object.keys((await query(tier, PARTIAL)).series)).toHaveLength(2);
  const names = await tier.queryableFor(DEDUP).querier(0, 1e12).labelNames([]);
  expect(names.values).toEqual(['__name__', 'host']);
});

test('an endpoint that is down is a warning, and an error where all is wanted', async () => {
  const a = await startAgent({ host: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  const b = await startAgent({ host: 'b' }, []);
  const { tier, endpoints } = await startTier([a.address, b.address]);
  await b.server.stop(0);
  const first = await query(tier, PARTIAL);
  expect(Object.keys(first.series)).toEqual(['up{host="a"}']);
  expect(first.warnings).toEqual([expect.stringContaining(`endpoint ${b.address}: `)]);
  await expect(query(tier, STRICT)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`endpoint ${b.address}: `),
  });
  await endpoints.update();
  const second = await query(tier, PARTIAL);
  expect(second.warnings).toEqual([
    expect.stringContaining(`endpoint ${b.address}: not asked because it is not healthy: `),
  ]);
  await expect(query(tier, STRICT)).rejects.toMatchObject({ code: 'unavailable' });
  // Where it cannot have any of the answer it is not missed.
  const matchers = [...everything, new Matcher('=', 'host', 'a')];
  expect((await query(tier, STRICT, matchers)).warnings).toEqual([]);
});

test('no endpoints at all are an empty answer, and an error where all is wanted', async () => {
  const { tier } = await startTier([]);
  expect(await query(tier, PARTIAL)).toEqual({ series: {}, warnings: [] });
  await expect(query(tier, STRICT)).rejects.toMatchObject({ code: 'unavailable' });
});

test('warnings of a peer name it', async () => {
  const a = await startAgent({ host: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  a.storage.warnings.push('one block is damaged');
  const { tier } = await startTier([a.address]);
  expect((await query(tier, PARTIAL)).warnings).toEqual([
    `endpoint ${a.address}: one block is damaged`,
  ]);
  await expect(query(tier, STRICT)).rejects.toMatchObject({
    message: `endpoint ${a.address}: one block is damaged`,
  });
});

/** An endpoint that sends one series and then waits for `then`. */
async function startStalling(then: (server: GrpcServer) => Promise<void>): Promise<string> {
  const server = newGrpcServer(clock);
  const encoder = new SeriesEncoder();
  server.unary(INFO, async () =>
    encodeInfo({
      componentType: 'sidecar',
      labelSets: [Labels.fromObject({ host: 'b' })],
      store: {
        minTime: 0,
        maxTime: 1e13,
        supportsSharding: true,
        supportsWithoutReplicaLabels: true,
        streams: [],
      },
      apis: [],
    }),
  );
  server.stream(SERIES, async (_, stream) => {
    for (const name of ['down', 'up']) {
      stream.write(encoder.series(Labels.fromObject({ __name__: name, host: 'b' }), []));
    }
    await then(server);
  });
  const port = await server.bind('127.0.0.1:0');
  cleanups.push(() => server.stop(0));
  return `127.0.0.1:${port}`;
}

test('an endpoint that dies while it answers leaves what came, and a warning', async () => {
  const a = await startAgent({ host: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  const dying = await startStalling(async server => {
    await wait(20);
    await server.stop(0);
  });
  const { tier, registry } = await startTier([a.address, dying]);
  const { series, warnings } = await query(tier, PARTIAL);
  expect(series['up{host="a"}']).toEqual([[1000, 1]]);
  expect(warnings).toEqual([expect.stringContaining(`endpoint ${dying}: `)]);
  const failures = registry.gather().find(f => f.name === 'outpost_query_endpoint_failures_total');
  expect(failures!.samples[0]!.value).toBe(1);
});

test('an endpoint that falls silent is given up after its deadline', async () => {
  const a = await startAgent({ host: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  const reached = Promise.withResolvers<void>();
  const silent = await startStalling(async () => {
    reached.resolve();
    await new Promise(() => {});
  });
  const { tier } = await startTier([a.address, silent]);
  const answer = query(tier, PARTIAL);
  await reached.promise;
  // The frames that are under way restart the deadline, so time passes until the answer is there.
  let done = false;
  const settled = answer.finally(() => {
    done = true;
  });
  while (!done) {
    clock.advance(10_001);
    await wait(20);
  }
  const { series, warnings } = await settled;
  expect(Object.keys(series)).toContain('up{host="a"}');
  expect(warnings).toEqual([`endpoint ${silent}: deadline exceeded: nothing came for 30000 ms`]);
});

test('queriers stack', async () => {
  const a = await startAgent({ host: 'x', replica: 'a' }, [[{ __name__: 'up' }, 1000, 1]]);
  const b = await startAgent({ host: 'x', replica: 'b' }, [[{ __name__: 'up' }, 1000, 2]]);
  const { tier: lower } = await startTier([a.address, b.address], ['replica']);
  const server = newGrpcServer(clock);
  lower.serve(server, { monotonic: () => performance.now() });
  const port = await server.bind('127.0.0.1:0');
  cleanups.push(() => server.stop(0));
  const { tier: upper, endpoints } = await startTier([`127.0.0.1:${port}`], ['replica']);
  expect(endpoints.all()[0]!.info).toMatchObject({
    componentType: 'query',
    labelSets: expect.arrayContaining([
      Labels.fromObject({ host: 'x', replica: 'a' }),
      Labels.fromObject({ host: 'x', replica: 'b' }),
    ]),
    store: { minTime: 0, maxTime: 2 ** 63 },
  });
  expect((await query(upper, DEDUP)).series).toEqual({ 'up{host="x"}': [[1000, 1]] });
  expect(Object.keys((await query(upper, PARTIAL)).series)).toEqual([
    'up{host="x", replica="a"}',
    'up{host="x", replica="b"}',
  ]);
});

test('stores are listed by kind with their labels, ranges and errors', async () => {
  const a = await startAgent({ host: 'a' }, []);
  const { tier } = await startTier([a.address, '127.0.0.1:1']);
  const stores = tier.stores();
  expect(stores['sidecar']).toEqual([
    {
      name: a.address,
      lastCheck: new Date(clock.now()).toISOString(),
      lastError: null,
      labelSets: [{ host: 'a' }],
      minTime: 0,
      maxTime: 2 ** 63,
    },
  ]);
  expect(stores['unknown']).toMatchObject([{ name: '127.0.0.1:1', labelSets: [] }]);
  expect(stores['unknown']![0]!.lastError).toMatch(/ECONNREFUSED|connect/i);
});

test('a query is stopped by what stores send for it, and that is no partial answer', async () => {
  const points: Points = Array.from({ length: 2000 }, (_, i) => [
    { __name__: 'm', n: `series-${i}` },
    1000,
    i,
  ]);
  const { address } = await startAgent({ agent: 'a' }, points);
  const { tier } = await startTier([address]);
  const queryable = tier.queryableFor(DEDUP);
  const engine = (receivedMax: number): Engine => new Engine({ clock, receivedMax });
  const { value } = await engine(1e6).instant(queryable, 'sum(m)', { timeMs: 1000 });
  expect(value.type === 'vector' && value.samples[0]?.value).toBe(1_999_000);
  await expect(engine(10_000).instant(queryable, 'sum(m)', { timeMs: 1000 })).rejects.toThrow(
    'query processing would receive too much from stores: the limit is 9.8KiB, set by --query.max-received',
  );
});
