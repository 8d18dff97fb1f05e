// From a plugin's columns to stored series: staleness, resolution, pauses.

import { beforeEach, describe, expect, it } from 'vitest';
import { EventLog } from '../../agent/events.ts';
import { Ingest } from '../../agent/ingest.ts';
import { negotiateExposition } from '../../src/exposition/negotiate.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { isStaleAt } from '../../src/storage/stale.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../fakes/memory-storage.ts';

let storage: MemoryStorage;
let registry: Registry;
let events: EventLog;
let ingest: Ingest;

beforeEach(() => {
  storage = new MemoryStorage();
  registry = new Registry();
  events = new EventLog(new ManualClock(), silentLogger, registry);
  const targetLabels = Labels.fromObject({ job: 'node', instance: 'h1' });
  ingest = new Ingest({ storage, registry, events, targetLabels });
});

const load = {
  name: 'node_load1',
  type: 'gauge',
  help: 'h',
  unit: '',
  collector: 'loadavg',
} as const;
const net = { name: 'node_up', type: 'gauge', help: 'h', unit: '', collector: 'netdev' } as const;

/** Every sample of one series, stale markers as the text 'stale'. */
async function stored(name: string, device = ''): Promise<[number, number | 'stale'][]> {
  const matchers = [new Matcher('=', '__name__', name), new Matcher('=', 'device', device)];
  const set = await storage.querier(0, 1e15).select(matchers);
  const [series] = (await set.next()) ?? [];
  const out = new SampleColumns();
  series?.samples(out);
  return Array.from({ length: out.length }, (_, i) => [
    out.times[i]!,
    isStaleAt(out.values, i) ? 'stale' : out.values[i]!,
  ]);
}

/** What the source exposes of the collectors that are wanted. */
function exposed(wanted: (collector: string) => boolean): string {
  return ingest.sources.get('os')!.latest.render(negotiateExposition(undefined), wanted);
}

function counter(name: string, labels: Record<string, string> = {}): number {
  const samples = registry.gather().find(family => family.name === name)!.samples;
  return samples.find(s => s.labels.equals(Labels.fromObject(labels)))?.value ?? 0;
}

describe('Ingest', () => {
  it('stores samples under the metric name with the target labels', async () => {
    const source = ingest.source('os');
    source.family(load);
    source.series(3, 'node_load1', Labels.empty);
    await source.collected(1000, Uint32Array.of(3), Float64Array.of(0.5), 1);
    expect(await stored('node_load1')).toEqual([[1000, 0.5]]);
    const names = await storage.querier(0, 1e15).labelNames([]);
    expect(names.values).toEqual(['__name__', 'instance', 'job']);
  });

  it('asks the store for a series once', async () => {
    const source = ingest.source('os');
    source.family(load);
    source.series(0, 'node_load1', Labels.empty);
    for (let t = 1; t <= 5; t++) {
      await source.collected(t * 1000, Uint32Array.of(0), Float64Array.of(t), 1);
    }
    expect(storage.seriesCalls).toBe(1);
  });

  it('marks a series stale that is missing from the next collection, and takes it up again', async () => {
    const source = ingest.source('os');
    source.family(net);
    source.series(0, 'node_up', Labels.fromObject({ device: 'eth0' }));
    source.series(1, 'node_up', Labels.fromObject({ device: 'eth1' }));
    await source.collected(1000, Uint32Array.of(0, 1), Float64Array.of(1, 1), 2);
    await source.collected(2000, Uint32Array.of(0), Float64Array.of(1), 1);
    await source.collected(3000, Uint32Array.of(0, 1), Float64Array.of(1, 0), 2);
    expect(await stored('node_up', 'eth1')).toEqual([
      [1000, 1],
      [2000, 'stale'],
      [3000, 0],
    ]);
    expect(await stored('node_up', 'eth0')).toEqual([
      [1000, 1],
      [2000, 1],
      [3000, 1],
    ]);
  });

  it('marks everything stale when the plugin is gone', async () => {
    const source = ingest.source('os');
    source.family(load);
    source.series(0, 'node_load1', Labels.empty);
    await source.collected(1000, Uint32Array.of(0), Float64Array.of(1), 1);
    await source.close(1500);
    expect(await stored('node_load1')).toEqual([
      [1000, 1],
      [1500, 'stale'],
    ]);
    expect(exposed(() => true)).toBe('');
  });

  it('exposes the samples of the last collection only, by collector', async () => {
    const source = ingest.source('os');
    source.family(load);
    source.family(net);
    source.series(0, 'node_load1', Labels.empty);
    source.series(1, 'node_up', Labels.fromObject({ device: 'eth0' }));
    await source.collected(1000, Uint32Array.of(0, 1), Float64Array.of(2, 1), 2);
    await source.collected(2000, Uint32Array.of(0), Float64Array.of(3), 1);
    expect(exposed(() => true)).toBe(
      '# HELP node_load1 h\n# TYPE node_load1 gauge\nnode_load1 3\n',
    );
    expect(exposed(collector => collector === 'netdev')).toBe('');
  });

  it('exposes how a collector fares with that collector alone, one without data included', async () => {
    const source = ingest.source('os');
    const fares = { name: 'node_scrape_collector_success', collector: 'loadavg' };
    source.family({ ...load, ...fares });
    for (const [id, collector] of ['loadavg', 'zfs', 'probe/a'].entries()) {
      source.series(id, fares.name, Labels.fromObject({ collector }));
    }
    await source.collected(1000, Uint32Array.of(0, 1, 2), Float64Array.of(1, 0, 1), 3);
    const samples = (wanted: string): string[] =>
      exposed(collector => collector === wanted)
        .split('\n')
        .filter(line => line !== '' && line[0] !== '#');
    expect(samples('zfs')).toEqual(['node_scrape_collector_success{collector="zfs"} 0']);
    expect(samples('probe')).toEqual(['node_scrape_collector_success{collector="probe/a"} 1']);
    expect(ingest.sources.get('os')!.latest.collectors()).toEqual(['loadavg', 'zfs', 'probe']);
  });

  it('counts what cannot be written, says so once, and goes on when it can', async () => {
    const source = ingest.source('os');
    source.family(load);
    source.series(0, 'node_load1', Labels.empty);
    const write = (time: number) =>
      source.collected(time, Uint32Array.of(0), Float64Array.of(1), 1);
    await write(1000);
    storage.failCommits(new OutpostError('unavailable', 'write log: no space left on device'));
    await write(2000);
    await write(3000);
    storage.failCommits(undefined);
    await write(4000);
    expect((await stored('node_load1')).map(([t]) => t)).toEqual([1000, 4000]);
    expect(counter('agent_ingest_lost_samples_total')).toBe(2);
    expect(events.recent().map(e => e.name)).toEqual(['ingest.paused', 'ingest.resumed']);
  });

  it('says once that everything is refused, as after a step of the clock, and when that ends', async () => {
    const source = ingest.source('os');
    source.family(load);
    source.series(0, 'node_load1', Labels.empty);
    for (const time of [5000, 1000, 2000, 6000]) {
      await source.collected(time, Uint32Array.of(0), Float64Array.of(1), 1);
    }
    expect((await stored('node_load1')).map(([t]) => t)).toEqual([5000, 6000]);
    expect(events.recent().map(e => [e.name, e.message])).toEqual([
      ['ingest.refused', expect.stringContaining('1970-01-01T00:00:01.000Z as out-of-order')],
      ['ingest.resumed', 'the database takes samples again'],
    ]);
  });

  it('counts a sample of a series that was never announced', async () => {
    const source = ingest.source('os');
    await source.collected(1000, Uint32Array.of(9), Float64Array.of(1), 1);
    expect(counter('agent_ingest_refused_samples_total', { reason: 'unknown-series' })).toBe(1);
  });
});
