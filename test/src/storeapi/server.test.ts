import { status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { type GrpcServer, newGrpcServer } from '../../../src/storeapi/grpc-server.ts';
import { type StoreServerOptions, serveStore } from '../../../src/storeapi/server.ts';
import { localSource } from '../../../src/storeapi/store-source.ts';
import { testStoreApi } from '../../acceptance/store-api.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { newStorePeer, type StorePeer } from '../../fakes/store-peer.ts';

const clock = new ManualClock();

async function serve(
  storage: MemoryStorage,
  options: Partial<StoreServerOptions> = {},
): Promise<{ server: GrpcServer; address: string }> {
  const server = newGrpcServer(clock);
  const external = options.externalLabels ?? (() => Labels.empty);
  serveStore(server, {
    source: localSource(storage),
    componentType: 'sidecar',
    streams: () => [{ labels: external(), minTime: 0, maxTime: 2 ** 63 }],
    notReady: () => null,
    monotonic: () => performance.now(),
    ...options,
  });
  const port = await server.bind('127.0.0.1:0');
  return { server, address: `127.0.0.1:${port}` };
}

testStoreApi('server over a store in memory', async (external, fill) => {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  fill(appender);
  await appender.commit();
  const { server, address } = await serve(storage, { externalLabels: () => external });
  return { address, stop: () => server.stop(0) };
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(
  fill: Record<string, string>[],
  options: Partial<StoreServerOptions> = {},
): Promise<{ peer: StorePeer; storage: MemoryStorage }> {
  const storage = new MemoryStorage();
  const appender = storage.appender();
  for (const labels of fill) appender.append(appender.series(Labels.fromObject(labels)), 1, 1);
  await appender.commit();
  const { server, address } = await serve(storage, options);
  const peer = newStorePeer(address);
  cleanups.push(
    () => peer.close(),
    () => server.stop(0),
  );
  return { peer, storage };
}

const everything = {
  minTime: 0,
  maxTime: 10,
  matchers: [{ type: 1, name: '__name__', value: '' }],
};

test('Info fails as long as the store is not ready', async () => {
  const { peer } = await start([], { notReady: () => 'the log is being replayed' });
  await expect(peer.info()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'the store is not ready: the log is being replayed',
  });
});

test('the extremes of int64 are announced exactly', async () => {
  const { peer } = await start([], {
    streams: () => [
      { labels: Labels.fromObject({ a: 'b' }), minTime: 2 ** 63, maxTime: -(2 ** 63) },
    ],
  });
  const bytes = await peer.unary('/thanos.info.Info/Info', new Uint8Array(0));
  const max = 'ffffffffffffffff7f';
  const min = '80808080808080808001';
  expect(bytes.toString('hex')).toContain(`08${max}10${min}`);
});

test('a store without streams announces a range that nothing falls into', async () => {
  const { peer } = await start([], { streams: () => [] });
  const { store } = await peer.info();
  expect(store).toMatchObject({ minTime: 2 ** 63, maxTime: -(2 ** 63) });
});

test('one stream without labels leaves the announced label sets empty', async () => {
  const { peer } = await start([], {
    streams: () => [
      { labels: Labels.fromObject({ a: 'b' }), minTime: 0, maxTime: 1 },
      { labels: Labels.empty, minTime: 0, maxTime: 1 },
    ],
  });
  expect((await peer.info()).labelSets).toEqual([]);
});

test('a request for more series than allowed is refused', async () => {
  const { peer } = await start([{ __name__: 'a' }, { __name__: 'b' }, { __name__: 'c' }], {
    limits: { seriesPerRequest: 2 },
  });
  await expect(peer.series(everything)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
});

test('a request for more samples than allowed is refused', async () => {
  const { peer } = await start([{ __name__: 'a' }, { __name__: 'b' }], {
    limits: { samplesPerRequest: 200 },
  });
  await expect(peer.series(everything)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
});

test('warnings are frames of their own', async () => {
  const { peer, storage } = await start([{ __name__: 'a' }]);
  storage.warnings.push('one block is damaged');
  const frames = await peer.series(everything);
  expect(frames.map(frame => frame.result)).toEqual(['series', 'warning']);
  expect(frames[1]!.warning).toBe('one block is damaged');
});

test('where a partial answer is not wanted a warning aborts the call', async () => {
  const { peer, storage } = await start([{ __name__: 'a' }]);
  storage.warnings.push('one block is damaged');
  const refused = { code: status.ABORTED, details: 'one block is damaged' };
  await expect(peer.series({ ...everything, partialResponseStrategy: 1 })).rejects.toMatchObject(
    refused,
  );
  await expect(peer.series({ ...everything, partialResponseDisabled: true })).rejects.toMatchObject(
    refused,
  );
});

test('bytes that are no request are refused', async () => {
  const { peer } = await start([]);
  await expect(
    peer.unary('/thanos.Store/LabelNames', Uint8Array.of(0x0a, 0x7f)),
  ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});

test('the shards of a query are a partition of its series by the hash Thanos uses', async () => {
  const names = Array.from({ length: 40 }, (_, i) => ({ __name__: 'm', i: String(i), j: 'x' }));
  const { peer } = await start(names);
  const shard = async (shardIndex: number, by: boolean, labels: string[]) => {
    const shardInfo = { shardIndex, totalShards: 3, by, labels };
    const frames = await peer.series({ ...everything, shardInfo, responseBatchSize: 64 });
    return frames.flatMap(f => f.batch?.series ?? []).map(s => s.labels?.[1]?.value ?? '');
  };
  const parts = await Promise.all([0, 1, 2].map(index => shard(index, true, ['i'])));
  expect(parts.flat().sort()).toEqual(names.map(({ i }) => i).sort());
  // Computed with Go's cespare/xxhash, which Thanos uses.
  const shardOf = (i: string) => parts.findIndex(part => part.includes(i));
  expect(names.slice(0, 12).map(({ i }) => shardOf(i))).toEqual([
    0, 0, 2, 2, 2, 1, 2, 1, 0, 1, 2, 1,
  ]);
  // Without `by`, all labels but the listed ones count; the two ways agree where that leaves `i`.
  expect(await shard(1, false, ['__name__', 'j'])).toEqual(parts[1]);
  expect((await peer.info()).store).toMatchObject({ supportsSharding: true });
});
