// What the agent offers to plugins, with a real host and real plugins: TLS, events, queries, state.

import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventLog } from '../../agent/events.ts';
import { Ingest } from '../../agent/ingest.ts';
import { newPluginOffers } from '../../agent/plugin-offers.ts';
import { PluginHost } from '../../plugins/host/plugin-host.ts';
import type { PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { FileStorage } from '../../plugins/host/plugin-storage.ts';
import { negotiateExposition } from '../../src/exposition/negotiate.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { isStaleAt } from '../../src/storage/stale.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../fakes/memory-storage.ts';
import { until } from '../fakes/until.ts';

const plugin = (file: string): string =>
  fileURLToPath(new URL(`../plugins/host/plugins/${file}`, import.meta.url));

let dir = '';
let stop = new AbortController();
let done: Promise<void> = Promise.resolve();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpost-offers-'));
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await done;
  rmSync(dir, { recursive: true, force: true });
});

function start(plugins: readonly PluginSpec[]) {
  const storage = new MemoryStorage();
  const registry = new Registry();
  const events = new EventLog(systemClock, silentLogger, registry);
  const ingest = new Ingest({ storage, registry, events, targetLabels: Labels.empty });
  const offers = newPluginOffers({
    engine: new Engine({ clock: systemClock }),
    queryable: storage,
    events,
    storage: new FileStorage(join(dir, 'plugins')),
    clock: systemClock,
    fillRandom: bytes => void randomFillSync(bytes),
  });
  const host = new PluginHost({
    plugins,
    offers,
    sink: ingest,
    onEvent: event => events.add(event),
    clock: systemClock,
    random: () => 0.5,
    logger: silentLogger,
    registry,
    socketDir: join(dir, 's'),
    intervalMs: 200,
  });
  done = host.run(stop.signal);
  const named = (name: string) => events.recent().filter(event => event.name === name);
  return { host, ingest, storage, offers, named };
}

const featured: PluginSpec = {
  name: 'all',
  command: process.execPath,
  args: [plugin('featured.ts')],
  verify: 'warn',
};
const limits = () => ({ bytesMax: 100_000, deadlineMs: 5_000, signal: stop.signal });

describe('an agent and its plugins', () => {
  it('know each other by certificates, and share events, state and answers', async () => {
    const { host, named, ingest } = start([featured]);
    await until('three events', () => named('featured.tick').length === 2);
    expect(named('featured.tick')[0]).toMatchObject({
      severity: 'warn',
      message: 'tick 1',
      attributes: {
        plugin: 'all',
        collector: 'featured',
        number: '1',
        subject: 'clock/c1',
        condition: 'Ticking=true',
        time: '2023-11-14T22:13:20.001Z',
      },
    });
    const session = host.session('all');
    expect(session.functions.map(({ name }) => name)).toEqual(['echo', 'remember']);
    const { rows } = await session.call('remember', { word: 'x' }, limits());
    expect(rows).toEqual([null]);
    await expect(session.call('nothing', {}, limits())).rejects.toThrow(
      'call nothing of plugin all: its functions are: echo, remember',
    );
    expect((await session.capture('test', limits())).blobs[0]!.name).toBe('trigger.txt');
    const state = JSON.parse(readFileSync(join(dir, 'plugins/state/all.json'), 'utf8'));
    expect(state).toEqual({ word: Buffer.from('x').toString('base64') });
    const shown = () =>
      ingest.sources.get('all')!.latest.render(negotiateExposition(undefined), () => true);
    // The host answers, with nothing, for nothing is called "up" here.
    await until('an answer to a query', () => /^featured_answer -1$/m.test(shown()));
    expect(() => host.session('other')).toThrow('ask plugin other: there are: all');
  });

  it('are strangers where the plugin answers without a certificate, unless that is allowed', async () => {
    const raw = { command: process.execPath, args: [plugin('raw.ts'), 'honest'] };
    const verify = 'warn' as const;
    const { named, ingest } = start([
      { name: 'refused', ...raw, verify },
      { name: 'taken', ...raw, verify, autoMtls: false },
    ]);
    await until('a failed start', () => named('plugin.start_failed').length > 0);
    const [failure] = named('plugin.start_failed');
    expect(failure!.attributes['plugin']).toBe('refused');
    expect(failure!.message).toContain('set auto_mtls: false');
    await until('a collection', () => (ingest.sources.get('taken')?.lastCollected ?? 0) > 0);
  });
});

describe('queries of plugins', () => {
  it('are answered with numbers', async () => {
    const { offers, storage } = start([]);
    const appender = storage.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'x', a: '1' }));
    appender.appendColumns(Uint32Array.of(ref), Float64Array.of(1000), Float64Array.of(7), 1);
    await appender.commit();
    const { samples } = await offers.query('x * 2', 1000);
    expect(samples.map(s => [[...s.labels], s.value, s.time])).toEqual([[[['a', '1']], 14, 1000]]);
    expect((await offers.query('1 + 1', 1000)).samples).toEqual([
      { labels: [], value: 2, time: 1000 },
    ]);
    expect((await offers.query('x[5m]', 1000)).samples[0]!.value).toBe(7);
    await expect(offers.query('x +', 1000)).rejects.toMatchObject({ code: 'bad-data' });
  });
});

describe('samples beside collections', () => {
  it('leave the others alone, and end when they are said to end', async () => {
    const { ingest, storage } = start([]);
    const source = ingest.source('p/stream');
    source.family({ name: 'x', type: 'gauge', help: '', unit: '', collector: 'c' });
    for (const [id, l] of ['a', 'b'].entries()) source.series(id, 'x', Labels.fromObject({ l }));
    const add = (time: number, ids: number[], values: number[], ended: number[] = []) =>
      source.added(
        time,
        { ids: Uint32Array.from(ids), values: Float64Array.from(values), count: ids.length },
        ended,
      );
    await add(1, [0, 1], [1, 2]);
    await add(2, [0], [3]);
    const shown = () =>
      ingest.sources.get('p/stream')!.latest.render(negotiateExposition(undefined), () => true);
    expect(shown()).toContain('x{l="a"} 3\nx{l="b"} 2\n');
    await add(3, [0], [4], [1]);
    expect(shown()).not.toContain('l="b"');
    await source.close(9);
    const stored = async (l: string) => {
      const matchers = [new Matcher('=', '__name__', 'x'), new Matcher('=', 'l', l)];
      const set = await storage.querier(0, 1e15).select(matchers);
      const [series] = (await set.next()) ?? [];
      const out = new SampleColumns();
      series!.samples(out);
      return Array.from({ length: out.length }, (_, i) =>
        isStaleAt(out.values, i) ? `stale at ${out.times[i]}` : out.values[i],
      );
    };
    expect(await stored('a')).toEqual([1, 3, 4, 'stale at 9']);
    expect(await stored('b')).toEqual([2, 'stale at 3']);
  });
});
