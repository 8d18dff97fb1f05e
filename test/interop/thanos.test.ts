// A real Thanos querier over our stores gives the answers that ours gives over them, deduplicated or not.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { EndpointSet } from '../../federation/query/endpoint-set.ts';
import { QueryTier } from '../../federation/query/query-tier.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { sleep, systemClock } from '../../src/lifecycle/clock.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { StoreClient } from '../../src/storeapi/client.ts';
import { newGrpcServer } from '../../src/storeapi/grpc-server.ts';
import {
  KNOWLEDGE_APIS,
  type KnowledgeSource,
  localKnowledge,
  serveKnowledge,
} from '../../src/storeapi/knowledge-server.ts';
import { serveStore } from '../../src/storeapi/server.ts';
import { localSource } from '../../src/storeapi/store-source.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../fakes/memory-storage.ts';

const DEADLINE_MS = 30_000;
const SAMPLES = 400;
const STEP_MS = 15_000;
const START = 1_700_000_000_000;
const END = START + SAMPLES * STEP_MS;
const installed = spawnSync('thanos', ['--version']).status === 0;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A store of counters, one with a gap, whose samples come `offset` ms after the full step. */
async function startStore(external: Record<string, string>, offset: number): Promise<string> {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  for (let i = 0; i < 30; i++) {
    const own = { __name__: 'demo_total', i: String(i), ...(i % 2 === 1 && { z: 'x' }) };
    const ref = appender.series(Labels.fromObject(own));
    for (let t = 0; t < SAMPLES; t++) {
      const missing = i === 7 && external['replica'] === 'a' && t >= 200 && t < 260;
      if (!missing) appender.append(ref, START + t * STEP_MS + offset, t * (i + 1));
    }
  }
  await appender.commit();
  const labels = Labels.fromObject(external);
  const server = newGrpcServer(systemClock);
  serveStore(server, {
    source: localSource(storage),
    externalLabels: () => labels,
    componentType: 'sidecar',
    streams: () => [{ labels, minTime: START, maxTime: 2 ** 63 }],
    notReady: () => null,
    monotonic: () => performance.now(),
    apis: KNOWLEDGE_APIS,
  });
  serveKnowledge(server, knowledgeOf(labels), () => null);
  const port = await server.bind('127.0.0.1:0');
  cleanups.push(() => server.stop(0));
  return `127.0.0.1:${port}`;
}

/** What a store tells beside its series; the exemplar at 2 is the same in replicas. */
function knowledgeOf(external: Labels): KnowledgeSource {
  const own = Labels.fromObject({ __name__: 'demo_total', i: '1' });
  const last = external.get('replica') === 'a' ? 10 : 20;
  const exemplar = (value: number) => ({
    labels: Labels.fromObject({ trace: `t${value}` }),
    ...{ value, time: START + value * 1000 },
  });
  return localKnowledge({
    metadata: {
      metadata: () =>
        new Map([
          ['demo_total', { type: 'counter', help: 'A demonstration.', unit: '' }],
          [`of_${external.get('host')}`, { type: 'gauge', help: '', unit: 's' }],
        ]),
    },
    exemplars: {
      exemplars: async () => [{ labels: own, exemplars: [exemplar(2), exemplar(last)] }],
    },
    targets: () => ({
      active: [
        {
          discoveredLabels: Labels.fromObject({ __address__: 'x:1' }),
          labels: Labels.fromObject({ job: 'demo' }),
          ...{ pool: 'demo', url: 'http://x:1/metrics', lastError: '', health: 'up' },
          ...{ lastScrape: START + last, lastScrapeMs: 1.5 },
        },
      ],
      dropped: [],
    }),
    externalLabels: () => external,
  });
}

async function startTier(addresses: readonly string[]): Promise<QueryTier> {
  const registry = new Registry();
  const endpoints = new EndpointSet({
    endpoints: addresses,
    connect: address =>
      new StoreClient({ address, clock: systemClock, frameTimeoutMs: DEADLINE_MS }),
    resolve: async () => [],
    clock: systemClock,
    logger: silentLogger,
    registry,
  });
  cleanups.push(() => endpoints.close());
  await endpoints.update();
  return new QueryTier({ endpoints, registry, replicaLabels: ['replica'] });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Starts a Thanos querier and waits until it knows the stores; returns its URL and gRPC address. */
async function startThanos(stores: readonly string[]): Promise<{ url: string; grpc: string }> {
  const http = `127.0.0.1:${await freePort()}`;
  const grpc = `127.0.0.1:${await freePort()}`;
  const child = spawn('thanos', [
    'query',
    `--http-address=${http}`,
    `--grpc-address=${grpc}`,
    '--query.replica-label=replica',
    ...stores.map(store => `--endpoint=${store}`),
  ]);
  cleanups.push(() => stop(child));
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const known = await fetch(`http://${http}/api/v1/stores`)
      .then(reply => reply.json() as Promise<{ data: Record<string, unknown[]> }>)
      .catch(() => null);
    if (Object.values(known?.data ?? {}).flat().length === stores.length) break;
    if (performance.now() > end) throw new Error('thanos does not know the stores in time');
    await sleep(systemClock, 100);
  }
  return { url: `http://${http}`, grpc };
}

type Answer = Map<string, readonly (readonly [number, string])[]>;

interface MatrixReply {
  data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
}

async function askThanos(url: string, dedup: boolean): Promise<Answer> {
  const query = new URLSearchParams({
    query: `demo_total[${(END - START) / 1000}s]`,
    time: String(END / 1000),
    dedup: String(dedup),
  });
  const reply = (await (await fetch(`${url}/api/v1/query?${query}`)).json()) as MatrixReply;
  return new Map(
    reply.data.result.map(({ metric, values }) => [Labels.fromObject(metric).toString(), values]),
  );
}

async function askTier(tier: QueryTier, dedup: boolean): Promise<Answer> {
  const queryable = tier.queryableFor({ dedup, partialResponse: false });
  // The range of a range selector is open at its start.
  const querier = queryable.querier(START + 1, END);
  const set = await querier.select([new Matcher('=', '__name__', 'demo_total')]);
  const answer: Answer = new Map();
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      const columns = new SampleColumns();
      series.samples(columns);
      const values = Array.from(
        { length: columns.length },
        (_, i) => [columns.times[i]! / 1000, String(columns.values[i])] as const,
      );
      answer.set(series.labels.toString(), values);
    }
  }
  querier.close();
  return answer;
}

test.skipIf(!installed)(
  installed ? 'Thanos and we agree over our stores' : 'thanos is not installed',
  async () => {
    const stores = await Promise.all([
      startStore({ host: 'h1', replica: 'a' }, 0),
      startStore({ host: 'h1', replica: 'b' }, 700),
      startStore({ host: 'h2', replica: 'a' }, 0),
    ]);
    const { url, grpc } = await startThanos(stores);
    const direct = await startTier(stores);
    const stacked = await startTier([grpc]);
    for (const [dedup, series] of [
      [true, 60],
      [false, 90],
    ] as const) {
      const theirs = await askThanos(url, dedup);
      expect(theirs.size).toBe(series);
      expect(await askTier(direct, dedup)).toEqual(theirs);
      expect(await askTier(stacked, dedup)).toEqual(theirs);
    }
  },
  2 * DEADLINE_MS,
);

interface KnowledgeReply {
  metadata: Record<string, unknown>;
  exemplars: unknown[];
  targets: unknown[];
}

async function askThanosKnowledge(url: string): Promise<KnowledgeReply> {
  const get = async <Data>(path: string): Promise<Data> => {
    const reply = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: Data };
    return reply.data;
  };
  const times = `start=${START / 1000}&end=${END / 1000}`;
  const exemplars = await get<
    { seriesLabels: object; exemplars: { value: unknown; timestamp: number; labels: object }[] }[]
  >(`query_exemplars?query=demo_total{host="h1"}&${times}`);
  const { activeTargets } = await get<{ activeTargets: Record<string, unknown>[] }>('targets');
  return {
    metadata: await get('metadata'),
    exemplars: exemplars.map(one => [
      one.seriesLabels,
      one.exemplars.map(({ value, timestamp, labels }) => [Number(value), timestamp, labels]),
    ]),
    targets: activeTargets.map(one => [one['labels'], one['scrapeUrl'], one['lastScrape']]),
  };
}

async function askTierKnowledge(tier: QueryTier): Promise<KnowledgeReply> {
  const knowledge = tier.knowledgeFor({ dedup: true, partialResponse: false });
  const { signal } = new AbortController();
  const ask = { query: 'demo_total{host="h1"}', minTime: START, maxTime: END };
  const partialResponse = false;
  const metadata = await knowledge.metadata({ metric: '', limit: -1, partialResponse }, signal);
  const exemplars = await knowledge.exemplars({ ...ask, partialResponse }, signal);
  const targets = await knowledge.targets({ partialResponse }, signal);
  return {
    metadata: Object.fromEntries(metadata.value),
    exemplars: exemplars.value.map(({ labels, exemplars: list }) => [
      labels.toObject(),
      list.map(({ value, time, labels: own }) => [value, time / 1000, own.toObject()]),
    ]),
    targets: targets.value.active.map(({ labels, url, lastScrape }) => [
      labels.toObject(),
      url,
      new Date(lastScrape).toISOString().replace(/0+Z$/, 'Z'),
    ]),
  };
}

test.skipIf(!installed)(
  installed ? 'Thanos and we know the same beside the series' : 'thanos is not installed',
  async () => {
    const stores = await Promise.all([
      startStore({ host: 'h1', replica: 'a' }, 0),
      startStore({ host: 'h1', replica: 'b' }, 700),
      startStore({ host: 'h2', replica: 'a' }, 0),
    ]);
    const { url, grpc } = await startThanos(stores);
    const theirs = await askThanosKnowledge(url);
    expect(Object.keys(theirs.metadata)).toEqual(['demo_total', 'of_h1', 'of_h2']);
    expect(theirs.exemplars).toHaveLength(1);
    expect(theirs.targets).toHaveLength(2);
    expect(await askTierKnowledge(await startTier(stores))).toEqual(theirs);
    expect(await askTierKnowledge(await startTier([grpc]))).toEqual(theirs);
  },
  2 * DEADLINE_MS,
);
