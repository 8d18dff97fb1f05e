// Scrapes of a server on loopback: what is asked, what is stored about it, when.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { staticDiscoverer } from '../../../src/discovery/static-discovery.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock, systemClock } from '../../../src/lifecycle/clock.ts';
import type { ScrapeConfig } from '../../../src/scrape/config.ts';
import { acceptHeader } from '../../../src/scrape/negotiation.ts';
import { ScrapeManager } from '../../../src/scrape/scrape-manager.ts';
import { ScrapeMetrics } from '../../../src/scrape/scrape-metrics.ts';
import { offsetOf } from '../../../src/scrape/target.ts';
import { isStaleAt } from '../../../src/storage/stale.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { protoFamily } from '../../fakes/exposition-bodies.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { NO_LIMITS, scrapeJob } from '../../fakes/scrape-config.ts';
import { TargetServer } from '../../fakes/target-server.ts';
import { until } from '../../fakes/until.ts';

let server: TargetServer;
let storage: MemoryStorage;
let clock: ManualClock;
let stop: AbortController;
let running: Promise<void>;
let manager: ScrapeManager;

beforeEach(async () => {
  server = await TargetServer.listen();
  storage = new MemoryStorage();
  clock = new ManualClock(1_700_000_000_000);
  stop = new AbortController();
  running = Promise.resolve();
});

afterEach(async () => {
  stop.abort();
  await running;
  await server.close();
});

const job = (changes: Partial<ScrapeConfig> = {}): ScrapeConfig => {
  const group = { source: '0', targets: [{ __address__: server.address }], labels: {} };
  return scrapeJob({ discovery: [{ kind: 'static', groups: [group] }], ...changes });
};

function run(...configs: ScrapeConfig[]): void {
  manager = new ScrapeManager(configs, {
    storage,
    clock,
    seed: 1,
    logger: silentLogger,
    metrics: new ScrapeMetrics(new Registry()),
    userAgent: 'outpost/test',
    newDiscoverer: config => {
      if (config.kind !== 'static') throw new Error('only static targets here');
      return staticDiscoverer(config);
    },
  });
  running = manager.run(stop.signal);
}

const loops = () => manager.pools.flatMap(pool => pool.loops);

/** Moves time until the one target has been scraped again. */
async function nextScrape(): Promise<number> {
  await until('a target is known', () => loops().length > 0);
  const [loop] = loops();
  const before = loop!.lastScrape;
  let waited = 0;
  await until('another scrape', () => {
    if (waited < 70) clock.advance(250);
    waited++;
    return loop!.lastScrape !== before;
  });
  // What a scrape tells of itself is stored right after it.
  await until('its report', () => series('up').at(-2) === loop!.lastScrape);
  return loop!.lastScrape;
}

function series(name: string): (string | number)[] {
  const labels = { __name__: name, instance: server.address, job: 'j' };
  const { times, values } = storage.samplesOf(Labels.fromObject(labels));
  return times.flatMap((time, i) => [time, isStaleAt(values, i) ? 'stale' : values[i]!]);
}

describe('a loop', () => {
  test('stores what the target says and what became of asking it', async () => {
    run(job({ extraMetrics: true }));
    const time = await nextScrape();
    expect(series('a')).toEqual([time, 1]);
    expect(
      storage
        .allLabels()
        .map(labels => labels.get('__name__'))
        .sort(),
    ).toEqual([
      'a',
      'scrape_body_size_bytes',
      'scrape_duration_seconds',
      'scrape_sample_limit',
      'scrape_samples_post_metric_relabeling',
      'scrape_samples_scraped',
      'scrape_series_added',
      'scrape_timeout_seconds',
      'up',
    ]);
    expect([series('up')[1], series('scrape_samples_scraped')[1]]).toEqual([1, 1]);
    expect([series('scrape_timeout_seconds')[1], series('scrape_body_size_bytes')[1]]).toEqual([
      5, 4,
    ]);
  });

  test('asks as Prometheus does', async () => {
    run(job({ params: { x: ['1'] } }));
    await nextScrape();
    const [{ url, headers }] = server.asked as [(typeof server.asked)[0]];
    expect(url).toBe('/metrics?x=1');
    expect(headers.accept).toBe(
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    );
    expect(headers['accept-encoding']).toBe('gzip');
    expect(headers['user-agent']).toBe('outpost/test');
    expect(headers['x-prometheus-scrape-timeout-seconds']).toBe('5');
  });

  test('asks for protobuf first where that is wanted', () => {
    expect(acceptHeader(['PrometheusProto', 'PrometheusText0.0.4'], 'underscores')).toBe(
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4',
    );
  });

  test('scrapes at the same place of each interval, and stores that time', async () => {
    run(job());
    const times = [await nextScrape(), await nextScrape(), await nextScrape()];
    const offset = offsetOf(loops()[0]!.target, 1);
    // The test's steps of 250 ms are coarser than what counts as punctual.
    expect(times.map(time => Math.floor((time - offset) / 250) % 40)).toEqual([0, 0, 0]);
    expect(times[1]! - times[0]!).toBeGreaterThan(9700);
  });

  test('that fails ends the target’s series and says so', async () => {
    run(job());
    const first = await nextScrape();
    server.answer = () => ({ status: 503 });
    const second = await nextScrape();
    expect(series('a')).toEqual([first, 1, second, 'stale']);
    expect(series('up')).toEqual([first, 1, second, 0]);
    expect([loops()[0]!.health, loops()[0]!.lastError]).toEqual([
      'down',
      'server returned HTTP status 503 Service Unavailable',
    ]);
    server.answer = () => ({ body: 'a 2\n' });
    const third = await nextScrape();
    expect(series('a').slice(-2)).toEqual([third, 2]);
    expect(loops()[0]!.lastError).toBe('');
  });

  test.each<[string, Partial<ScrapeConfig>, () => void, string]>([
    [
      'a hanging target',
      {},
      () => (server.answer = () => ({ hangs: true })),
      'no answer within the scrape timeout of 5 s',
    ],
    [
      'a body beyond the limit',
      { limits: { ...NO_LIMITS, bodyBytes: 3 } },
      () => {},
      'body size limit of 3 bytes exceeded',
    ],
    [
      'too many targets',
      { limits: { ...NO_LIMITS, targets: 1 }, discovery: [] },
      () => {},
      'target_limit exceeded: 2 targets, the limit is 1',
    ],
    [
      'an answer of no known type',
      {},
      () => (server.answer = () => ({ headers: { 'Content-Type': 'text/html' }, body: 'a 1\n' })),
      'the answer\'s Content-Type "text/html" is no format of metrics; fallback_scrape_protocol says what to take it for',
    ],
  ])('fails for %s', async (_name, changes, prepare, reason) => {
    prepare();
    const targets = [{ __address__: server.address }, { __address__: '127.0.0.1:1' }];
    const groups = [{ source: '0', targets, labels: {} }];
    const isMany = changes.discovery !== undefined;
    run(job({ ...changes, ...(isMany && { discovery: [{ kind: 'static', groups }] }) }));
    await nextScrape();
    expect(loops()[0]!.lastError).toBe(reason);
    expect(series('up').at(-1)).toBe(0);
  });

  test('takes what it is told to for an answer of no known type', async () => {
    server.answer = () => ({ headers: { 'Content-Type': 'text/html' }, body: 'a 1\n' });
    run(job({ fallbackProtocol: 'PrometheusText0.0.4' }));
    const time = await nextScrape();
    expect(series('a')).toEqual([time, 1]);
  });

  test('stores native histograms', async () => {
    const body = protoFamily('h', 4, [
      writer =>
        writer.messageField(7, () => {
          writer.varintField(1, 3);
          writer.doubleField(2, 4.5);
          writer.varintField(5, 0);
          writer.messageField(12, () => {
            writer.varintField(1, 0);
            writer.varintField(2, 2);
          });
          writer.varintField(13, 4);
          writer.varintField(13, 1);
        }),
    ]);
    const type =
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
    server.answer = () => ({ headers: { 'Content-Type': type }, body });
    run(job({ nativeHistograms: true }));
    await nextScrape();
    const labels = Labels.fromObject({ __name__: 'h', instance: server.address, job: 'j' });
    expect(storage.histogramsOf(labels)[0]).toMatchObject({ count: 3, sum: 4.5, integer: true });
  });
});

describe('a manager', () => {
  test('leaves jobs alone that stay the same, and starts the others anew', async () => {
    run(job(), job({ jobName: 'other' }));
    await nextScrape();
    const before = loops();
    manager.apply([job(), job({ jobName: 'other', metricsPath: '/x' })]);
    await until('the new loop', () => loops().length === 2);
    expect(loops()[0]).toBe(before[0]);
    expect(loops()[1]!.target.url).toBe(`${server.url}/x`);
    expect(loops()[1]).not.toBe(before[1]);
  });

  test('ends the series of a target that is gone, from the first scrape it missed', async () => {
    run(job());
    const last = await nextScrape();
    manager.apply([]);
    expect(manager.pools).toEqual([]);
    let steps = 0;
    await until('the end', () => {
      if (steps++ < 40) clock.advance(1000);
      return series('up').at(-1) === 'stale';
    });
    expect(series('a')).toEqual([last, 1, last + 10_000, 'stale']);
    expect(clock.now() - last).toBeGreaterThanOrEqual(21_000);
  });

  test('leaves series as they are when the process ends', async () => {
    run(job());
    const last = await nextScrape();
    stop.abort();
    await running;
    expect(series('a')).toEqual([last, 1]);
  });
});

test('scraping 500 series costs little', { timeout: 20_000 }, async () => {
  const lines = Array.from(
    { length: 500 },
    (_, i) => `node_cpu_seconds_total{cpu="${i % 8}",mode="m${i}"} ${i * 1.5}\n`,
  );
  server.answer = () => ({ body: `# TYPE node_cpu_seconds_total counter\n${lines.join('')}` });
  const live = new ScrapeManager(
    [job({ intervalMs: 20, timeoutMs: 20, enableCompression: false })],
    {
      storage,
      clock: systemClock,
      seed: 1,
      logger: silentLogger,
      metrics: new ScrapeMetrics(new Registry()),
      userAgent: 'outpost/test',
      newDiscoverer: config => staticDiscoverer(config as Parameters<typeof staticDiscoverer>[0]),
    },
  );
  const end = new AbortController();
  const ended = live.run(end.signal);
  await until('warm', () => server.asked.length > 30);
  const asked = server.asked.length;
  const start = process.cpuUsage();
  await until('scrapes', () => server.asked.length >= asked + 100);
  const { user, system } = process.cpuUsage(start);
  end.abort();
  await ended;
  // Both sides of the connection and the store in memory are in it.
  expect((user + system) / 100 / 500).toBeLessThan(20);
});
