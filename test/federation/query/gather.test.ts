import { afterEach, describe, expect, test } from 'vitest';
import { EndpointSet } from '../../../federation/query/endpoint-set.ts';
import { queryFor } from '../../../federation/query/gather.ts';
import { type QueryOptions, QueryTier } from '../../../federation/query/query-tier.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher, type MatchType } from '../../../src/labels/matcher.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import type { MetricMetadata } from '../../../src/storage/appender.ts';
import type { SeriesExemplars } from '../../../src/storage/exemplar.ts';
import { StoreClient } from '../../../src/storeapi/client.ts';
import { type GrpcServer, newGrpcServer } from '../../../src/storeapi/grpc-server.ts';
import type { KnownTarget } from '../../../src/storeapi/knowledge.ts';
import {
  KNOWLEDGE_APIS,
  localKnowledge,
  serveKnowledge,
} from '../../../src/storeapi/knowledge-server.ts';
import { serveStore } from '../../../src/storeapi/server.ts';
import { localSource } from '../../../src/storeapi/store-source.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const NOW = 1_700_000_000_000;
const clock = new ManualClock(NOW);
const DEDUP: QueryOptions = { dedup: true, partialResponse: true };
const RAW: QueryOptions = { dedup: false, partialResponse: true };
const STRICT: QueryOptions = { dedup: true, partialResponse: false };
const { signal } = new AbortController();
const labels = (fields: Record<string, string>): Labels => Labels.fromObject(fields);

const UP: MetricMetadata = { type: 'gauge', help: 'Whether it is up.', unit: '' };
const OLD: MetricMetadata = { type: 'gauge', help: 'Is it up?', unit: '' };

interface Known {
  readonly metadata?: Readonly<Record<string, MetricMetadata>>;
  readonly exemplars?: readonly SeriesExemplars[];
  readonly targets?: readonly KnownTarget[];
}

/** What a server was asked for exemplars. */
const asked: string[] = [];

function serve(server: GrpcServer, external: Labels, known: Known): void {
  const source = localKnowledge({
    metadata: { metadata: () => new Map(Object.entries(known.metadata ?? {})) },
    exemplars: {
      exemplars: async (_minTime, _maxTime, selectors) => {
        asked.push(selectors.map(matchers => matchers.map(String).join()).join(' + '));
        return known.exemplars ?? [];
      },
    },
    targets: () => ({ active: known.targets ?? [], dropped: [labels({ gone: 'x' })] }),
    externalLabels: () => external,
  });
  serveKnowledge(server, source, () => null);
}

async function startAgent(external: Record<string, string>, known: Known | null) {
  const own = labels(external);
  const server = newGrpcServer(clock);
  serveStore(server, {
    source: localSource(new MemoryStorage()),
    externalLabels: () => own,
    componentType: 'sidecar',
    streams: () => [{ labels: own, minTime: 0, maxTime: 2 ** 63 }],
    notReady: () => null,
    monotonic: () => performance.now(),
    ...(known && { apis: KNOWLEDGE_APIS }),
  });
  if (known) serve(server, own, known);
  const port = await server.bind('127.0.0.1:0');
  cleanups.push(() => server.stop(0));
  return { address: `127.0.0.1:${port}`, server };
}

async function startTier(addresses: readonly string[]) {
  const registry = new Registry();
  const endpoints = new EndpointSet({
    endpoints: addresses,
    connect: address => new StoreClient({ address, clock, frameTimeoutMs: 30_000 }),
    resolve: async () => [],
    clock,
    logger: silentLogger,
    registry,
  });
  const tier = new QueryTier({ endpoints, registry, replicaLabels: ['replica'] });
  cleanups.push(() => endpoints.close());
  await endpoints.update();
  return { tier, endpoints };
}

const ALL = { metric: '', limit: -1, partialResponse: true };

describe('what metrics mean', () => {
  test('is told once, of all endpoints, by name', async () => {
    const a = await startAgent({ host: 'a' }, { metadata: { up: UP, b_total: OLD } });
    const b = await startAgent({ host: 'b' }, { metadata: { up: UP } });
    const c = await startAgent({ host: 'c' }, { metadata: { up: OLD } });
    const silent = await startAgent({ host: 'd' }, null);
    const { tier } = await startTier([a, b, c, silent].map(({ address }) => address));
    const { value, warnings } = await tier.knowledgeFor(DEDUP).metadata(ALL, signal);
    expect([...value.keys()]).toEqual(['b_total', 'up']);
    expect(value.get('up')).toHaveLength(2);
    expect(value.get('up')).toEqual(expect.arrayContaining([UP, OLD]));
    expect(warnings).toEqual([]);
    const one = await tier.knowledgeFor(DEDUP).metadata({ ...ALL, metric: 'b_total' }, signal);
    expect([...one.value]).toEqual([['b_total', [OLD]]]);
    const first = await tier.knowledgeFor(DEDUP).metadata({ ...ALL, limit: 1 }, signal);
    expect(first.value.size).toBe(1);
  });

  test('lacks an endpoint that is gone, with a warning, or is an error', async () => {
    const a = await startAgent({ host: 'a' }, { metadata: { up: UP } });
    const b = await startAgent({ host: 'b' }, { metadata: { other: UP } });
    const { tier, endpoints } = await startTier([a.address, b.address]);
    await b.server.stop(0);
    const { value, warnings } = await tier.knowledgeFor(DEDUP).metadata(ALL, signal);
    expect([...value.keys()]).toEqual(['up']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(`endpoint ${b.address}: `);
    const strict = { ...ALL, partialResponse: false };
    await expect(tier.knowledgeFor(STRICT).metadata(strict, signal)).rejects.toThrow(b.address);
    await endpoints.update();
    const later = await tier.knowledgeFor(DEDUP).metadata(ALL, signal);
    expect(later.warnings).toEqual([
      expect.stringMatching(`endpoint ${b.address}: not asked because it is not healthy: `),
    ]);
    await expect(tier.knowledgeFor(STRICT).metadata(strict, signal)).rejects.toThrow(
      'it is not healthy',
    );
  });

  test('passes through a querier of queriers', async () => {
    const a = await startAgent({ host: 'a' }, { metadata: { up: UP } });
    const lower = await startTier([a.address]);
    const server = newGrpcServer(clock);
    lower.tier.serve(server, { monotonic: () => performance.now() });
    const port = await server.bind('127.0.0.1:0');
    cleanups.push(() => server.stop(0));
    const { tier } = await startTier([`127.0.0.1:${port}`]);
    const { value, warnings } = await tier.knowledgeFor(DEDUP).metadata(ALL, signal);
    expect([[...value], warnings]).toEqual([[['up', [UP]]], []]);
  });
});

describe('exemplars', () => {
  const exemplar = (value: number, time: number) => ({
    labels: labels({ trace: `t${value}` }),
    value,
    time,
  });
  const of = (...exemplars: readonly ReturnType<typeof exemplar>[]) => ({
    exemplars: [{ labels: labels({ __name__: 'm_total' }), exemplars }],
  });
  const ask = { query: 'rate(m_total{host="a",job!="x"}[5m])', minTime: 0, maxTime: NOW };

  test('of replicas are joined, and each is there once', async () => {
    const a = await startAgent({ host: 'a', replica: '1' }, of(exemplar(1, 10), exemplar(2, 30)));
    const b = await startAgent({ host: 'a', replica: '2' }, of(exemplar(1, 10), exemplar(3, 20)));
    const { tier } = await startTier([a.address, b.address]);
    const request = { ...ask, partialResponse: true };
    const { value } = await tier.knowledgeFor(DEDUP).exemplars(request, signal);
    expect(value).toHaveLength(1);
    expect(value[0]!.labels.toObject()).toEqual({ __name__: 'm_total', host: 'a' });
    expect(value[0]!.exemplars.map(({ time, value: v }) => [time, v])).toEqual([
      [10, 1],
      [20, 3],
      [30, 2],
    ]);
    expect(value[0]!.exemplars[0]!.labels.toObject()).toEqual({ trace: 't1' });
    const raw = await tier.knowledgeFor(RAW).exemplars(request, signal);
    expect(raw.value.map(one => one.labels.get('replica'))).toEqual(['1', '2']);
  });

  test('are asked of endpoints whose external labels match, without matchers on these', async () => {
    const a = await startAgent({ host: 'a' }, of(exemplar(1, 10)));
    const b = await startAgent({ host: 'b' }, of(exemplar(2, 10)));
    const { tier } = await startTier([a.address, b.address]);
    asked.length = 0;
    const request = { ...ask, partialResponse: true };
    const { value } = await tier.knowledgeFor(DEDUP).exemplars(request, signal);
    expect(value.map(one => one.labels.get('host'))).toEqual(['a']);
    expect(asked).toEqual(['job!="x",__name__="m_total"']);
  });

  test.each<[sets: Record<string, string>[], query: string]>([
    [[], '{host="a",job!=""}'],
    [[{ host: 'a' }], '{job!=""}'],
    [[{ host: 'b' }], ''],
    [[{ host: 'b' }, { host: 'a', job: 'x' }], '{__name__!=""}'],
    [[{ other: 'b' }, { host: 'a' }], '{host="a",job!=""} + {job!=""}'],
  ])('of external labels %j ask %s', (sets, query) => {
    const matcher = (type: MatchType, name: string, value: string): Matcher =>
      new Matcher(type, name, value);
    const selector = [matcher('=', 'host', 'a'), matcher('!=', 'job', '')];
    expect(queryFor([selector], sets.map(labels))).toBe(query);
  });
});

test('targets carry external labels; of replicas the one collected from last is shown', async () => {
  const target = (lastScrape: number): KnownTarget => ({
    discoveredLabels: labels({ __address__: 'x:1' }),
    labels: labels({ job: 'j' }),
    pool: 'p',
    url: 'http://x:1/metrics',
    lastError: lastScrape === NOW ? '' : 'it was late',
    lastScrape,
    lastScrapeMs: 12,
    health: lastScrape === NOW ? 'up' : 'down',
  });
  const a = await startAgent({ host: 'a', replica: '1' }, { targets: [target(NOW - 1500)] });
  const b = await startAgent({ host: 'a', replica: '2' }, { targets: [target(NOW)] });
  const { tier } = await startTier([a.address, b.address]);
  const { value } = await tier.knowledgeFor(DEDUP).targets({ partialResponse: true }, signal);
  expect(value.active).toEqual([
    {
      ...target(NOW),
      discoveredLabels: labels({ __address__: 'x:1', host: 'a' }),
      labels: labels({ host: 'a', job: 'j' }),
    },
  ]);
  expect(value.dropped).toHaveLength(2);
  const raw = await tier.knowledgeFor(RAW).targets({ partialResponse: true }, signal);
  const collected = raw.value.active.map(({ lastScrape, health }) => [lastScrape, health]);
  expect(collected.sort()).toEqual([
    [NOW - 1500, 'down'],
    [NOW, 'up'],
  ]);
});
