// A remote store and the querier keep what every store promises.

import { EndpointSet } from '../../../federation/query/endpoint-set.ts';
import { QueryTier } from '../../../federation/query/query-tier.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { StoreClient } from '../../../src/storeapi/client.ts';
import { newGrpcServer } from '../../../src/storeapi/grpc-server.ts';
import { serveStore } from '../../../src/storeapi/server.ts';
import { localSource } from '../../../src/storeapi/store-source.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { type StoredSeries, testQuerier } from '../../acceptance/querier.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';

const clock = new ManualClock();

async function serve(series: readonly StoredSeries[]) {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  for (const { labels, times, values } of series) {
    const ref = appender.series(Labels.fromObject(labels));
    const refs = new Uint32Array(values.length).fill(ref);
    appender.appendColumns(refs, Float64Array.from(times), values, values.length);
  }
  await appender.commit();
  const server = newGrpcServer(clock);
  serveStore(server, {
    source: localSource(storage),
    componentType: 'sidecar',
    streams: () => [{ labels: Labels.empty, minTime: -(2 ** 63), maxTime: 2 ** 63 }],
    notReady: () => null,
    monotonic: () => performance.now(),
  });
  const port = await server.bind('127.0.0.1:0');
  return { server, address: `127.0.0.1:${port}` };
}

testQuerier('a remote store', async series => {
  const { server, address } = await serve(series);
  const client = new StoreClient({ address, clock, frameTimeoutMs: 30_000 });
  return {
    queryable: client,
    async close() {
      client.close();
      await server.stop(0);
    },
  };
});

for (const dedup of [false, true]) {
  testQuerier(`a querier over three stores, dedup ${dedup}`, async series => {
    const parts = [0, 1, 2].map(part => series.filter((_, i) => i % 3 === part));
    const servers = await Promise.all(parts.map(serve));
    const registry = new Registry();
    const endpoints = new EndpointSet({
      endpoints: servers.map(({ address }) => address),
      connect: address => new StoreClient({ address, clock, frameTimeoutMs: 30_000 }),
      resolve: async () => [],
      clock,
      logger: silentLogger,
      registry,
    });
    await endpoints.update();
    const tier = new QueryTier({ endpoints, registry, replicaLabels: ['replica'] });
    return {
      queryable: tier.queryableFor({ dedup, partialResponse: true }),
      async close() {
        endpoints.close();
        await Promise.all(servers.map(({ server }) => server.stop(0)));
      },
    };
  });
}
