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
  });
  const port = await server.bind('127.0.0.1:0');
  cleanups.push(() => server.stop(0));
  return `127.0.0.1:${port}`;
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
