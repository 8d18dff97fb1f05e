import { expect, test } from 'vitest';
import {
  type EndpointClient,
  EndpointSet,
  type EndpointSetOptions,
} from '../../../federation/query/endpoint-set.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import type { StoreInfo } from '../../../src/storeapi/info.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';

const info: StoreInfo = {
  componentType: 'sidecar',
  labelSets: [Labels.fromObject({ host: 'a' })],
  store: null,
  apis: [],
};

/** Peers by address: what their Info answers, and whether their connection is closed. */
class FakePeers {
  readonly answers = new Map<string, StoreInfo | string>();
  readonly closed: string[] = [];
  asked = 0;

  connect = (address: string): EndpointClient => ({
    info: async () => {
      this.asked++;
      const answer = this.answers.get(address);
      if (typeof answer === 'object') return answer;
      throw new OutpostError('unavailable', answer ?? 'connection refused');
    },
    reading: () => {
      throw new Error('nobody reads here');
    },
    frames: () => {
      throw new Error('nobody asks here');
    },
    close: () => this.closed.push(address),
  });
}

function newSet(peers: FakePeers, options: Partial<EndpointSetOptions> = {}) {
  const clock = new ManualClock(1_000_000);
  const registry = new Registry();
  const set = new EndpointSet({
    endpoints: ['a:1', 'b:1'],
    connect: peers.connect,
    resolve: async () => [],
    clock,
    logger: silentLogger,
    registry,
    ...options,
  });
  return { set, clock, registry };
}

const view = (set: EndpointSet) =>
  set.all().map(({ address, healthy, since, error }) => ({ address, healthy, since, error }));

test('an endpoint is healthy once its Info has answered', async () => {
  const peers = new FakePeers();
  peers.answers.set('a:1', info);
  const { set, clock } = newSet(peers);
  expect(view(set)[0]).toMatchObject({ healthy: false, error: 'it has not answered yet' });
  clock.advance(10);
  await set.update();
  expect(view(set)).toEqual([
    { address: 'a:1', healthy: true, since: 1_000_010, error: null },
    { address: 'b:1', healthy: false, since: 1_000_000, error: 'connection refused' },
  ]);
});

test('an endpoint that fails keeps its announcement and is healthy again when it recovers', async () => {
  const peers = new FakePeers();
  peers.answers.set('a:1', info);
  const { set, clock } = newSet(peers, { endpoints: ['a:1'] });
  await set.update();
  peers.answers.set('a:1', 'the store is not ready');
  clock.advance(5000);
  await set.update();
  expect(set.all()[0]).toMatchObject({
    healthy: false,
    since: 1_005_000,
    lastCheck: 1_005_000,
    error: 'the store is not ready',
    info,
  });
  clock.advance(5000);
  await set.update();
  expect(set.all()[0]).toMatchObject({ since: 1_005_000, lastCheck: 1_010_000 });
  peers.answers.set('a:1', info);
  await set.update();
  expect(set.all()[0]).toMatchObject({ healthy: true, since: 1_010_000, error: null });
});

test('a name stands for all its addresses, and follows them', async () => {
  const peers = new FakePeers();
  let ips: readonly string[] | null = ['10.0.0.1', '::1'];
  const { set, clock } = newSet(peers, {
    endpoints: ['dns+agents:9191'],
    resolve: async () => {
      if (!ips) throw new Error('no such name');
      return ips;
    },
  });
  await set.update();
  const addresses = () => set.all().map(endpoint => endpoint.address);
  expect(addresses()).toEqual(['10.0.0.1:9191', '[::1]:9191']);
  ips = ['10.0.0.2', '::1'];
  clock.advance(5000);
  await set.update();
  expect(addresses()).toEqual(['10.0.0.1:9191', '[::1]:9191']);
  clock.advance(30_000);
  await set.update();
  expect(addresses()).toEqual(['10.0.0.2:9191', '[::1]:9191']);
  expect(peers.closed).toEqual(['10.0.0.1:9191']);
  ips = null;
  clock.advance(30_000);
  await set.update();
  expect(addresses()).toEqual(['10.0.0.2:9191', '[::1]:9191']);
});

test('the actor polls every five seconds and closes the connections at the end', async () => {
  const peers = new FakePeers();
  const { set, clock } = newSet(peers);
  const stop = new AbortController();
  const running = set.actor().run(stop.signal);
  const settle = () => new Promise(resolve => setImmediate(resolve));
  await settle();
  expect(peers.asked).toBe(2);
  clock.advance(4999);
  await settle();
  expect(peers.asked).toBe(2);
  clock.advance(1);
  await settle();
  expect(peers.asked).toBe(4);
  stop.abort(new DOMException('stopping', 'AbortError'));
  await running;
  expect(peers.closed).toEqual(['a:1', 'b:1']);
});

test('healthy endpoints are counted by labels and kind', async () => {
  const peers = new FakePeers();
  peers.answers.set('a:1', info);
  peers.answers.set('b:1', info);
  const { set, registry } = newSet(peers, { endpoints: ['a:1', 'b:1', 'c:1'] });
  await set.update();
  const [connections, up] = registry.gather();
  expect(connections!.samples.map(({ labels, value }) => [labels.toObject(), value])).toEqual([
    [{ external_labels: '{host="a"}', store_type: 'sidecar' }, 2],
  ]);
  expect(up!.samples.map(({ value }) => value)).toEqual([1, 1, 0]);
});

test('an endpoint that cannot be read is refused at once', () => {
  expect(() => newSet(new FakePeers(), { endpoints: ['http://a'] })).toThrow('read endpoint');
});
