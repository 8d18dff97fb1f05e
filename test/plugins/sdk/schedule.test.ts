// When collectors run: intervals of their own, slow promises, instances, and what a new configuration
// disturbs.

import { describe, expect, it } from 'vitest';
import { SampleBatch } from '../../../plugins/host/sample-batch-reader.ts';
import { type CollectorSpec, defineCollector } from '../../../plugins/sdk/collector.ts';
import type { PluginConfig } from '../../../plugins/sdk/configuration.ts';
import { SYSTEM_ROOTS } from '../../../plugins/sdk/files.ts';
import { flag } from '../../../plugins/sdk/options.ts';
import { phaseOf } from '../../../plugins/sdk/running-collector.ts';
import { definePlugin, PluginRuntime } from '../../../plugins/sdk/runtime.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const OPTIONS = { loud: flag('Shout.', false) };

class Subject {
  readonly clock = new ManualClock();
  readonly #runtime: PluginRuntime;
  readonly #names = new Map<number, string>();
  failures: unknown = [];

  constructor(specs: readonly Partial<CollectorSpec<typeof OPTIONS>>[], config = {}) {
    const collectors = specs.map(spec =>
      defineCollector({
        name: 'c',
        help: 'C.',
        defaultEnabled: true,
        options: OPTIONS,
        open: () => () => {},
        ...spec,
      }),
    );
    const plugin = definePlugin({ name: 'p', version: '1', collectors });
    this.#runtime = new PluginRuntime(plugin, { clock: this.clock, logger: silentLogger });
    expect(this.configure(config)).toEqual([]);
  }

  configure(config: Partial<PluginConfig>) {
    return this.#runtime.configure({ roots: SYSTEM_ROOTS, collectors: {}, ...config });
  }

  /** Values by series, without those about the collectors themselves. */
  async collect(time: number): Promise<Record<string, number>> {
    const batch = new SampleBatch();
    batch.decode(await this.#runtime.collect(time, 0));
    for (const { id, family, pairs } of batch.series)
      this.#names.set(id, [family, ...pairs].join());
    this.failures = batch.failures;
    const values = [...batch.ids.subarray(0, batch.idCount)].map(
      (id, i) => [this.#names.get(id)!, batch.values[i]!] as const,
    );
    return Object.fromEntries(values.filter(([name]) => !name.startsWith('node_scrape')));
  }
}

const INTERVAL = 60_000;
const PHASE = phaseOf('c', INTERVAL);

describe('a collector with an interval of its own', () => {
  it('runs at once, then once in each of its intervals, and repeats its values in between', async () => {
    let runs = 0;
    const subject = new Subject([
      {
        intervalMs: INTERVAL,
        open({ metrics }) {
          const gauge = metrics.gauge({ name: 'runs', help: 'R.' }).with();
          return () => gauge.set(++runs);
        },
      },
    ]);
    const begin = 10 * INTERVAL + PHASE;
    expect(await subject.collect(begin + 100)).toEqual({ runs: 1 });
    expect(await subject.collect(begin + 30_000)).toEqual({ runs: 1 });
    expect(await subject.collect(begin + INTERVAL - 1)).toEqual({ runs: 1 });
    expect(await subject.collect(begin + INTERVAL)).toEqual({ runs: 2 });
    for (let i = 0; i < 400; i++) await subject.collect(begin + INTERVAL + i);
    expect(await subject.collect(begin + INTERVAL + 500)).toEqual({ runs: 2 });
  });

  it('runs as often as the operator says', async () => {
    let runs = 0;
    const subject = new Subject([{ intervalMs: INTERVAL, open: () => () => void runs++ }], {
      collectors: { c: { intervalMs: 1000 } },
    });
    for (let time = 0; time < 10_000; time += 500) await subject.collect(time);
    expect(runs).toBeGreaterThanOrEqual(10);
    expect(runs).toBeLessThanOrEqual(11);
  });

  it('ends the series that a later run does not set', async () => {
    let devices = ['a', 'b'];
    const subject = new Subject([
      {
        intervalMs: INTERVAL,
        open({ metrics }) {
          const gauge = metrics.gauge({ name: 'd', help: 'D.', labels: ['n'] });
          return () => devices.forEach(name => void gauge.with(name).set(1));
        },
      },
    ]);
    expect(await subject.collect(PHASE)).toEqual({ 'd,n,a': 1, 'd,n,b': 1 });
    devices = ['b'];
    expect(await subject.collect(PHASE + 1)).toEqual({ 'd,n,a': 1, 'd,n,b': 1 });
    expect(await subject.collect(PHASE + INTERVAL)).toEqual({ 'd,n,b': 1 });
  });

  it('holds up no collection while it reads, and repeats what it had', async () => {
    let answer = (_: number): void => {};
    const subject = new Subject(
      [
        {
          intervalMs: INTERVAL,
          open({ metrics }) {
            const gauge = metrics.gauge({ name: 'slow', help: 'S.' }).with();
            return () =>
              new Promise<void>(resolve => {
                answer = value => {
                  gauge.set(value);
                  resolve();
                };
              });
          },
        },
      ],
      { intervalMs: 1000 },
    );
    const first = subject.collect(PHASE);
    await Promise.resolve();
    answer(1);
    expect(await first).toEqual({ slow: 1 });
    const late = subject.collect(PHASE + INTERVAL);
    await Promise.resolve();
    subject.clock.advance(250);
    expect(await late).toEqual({ slow: 1 });
    expect(await subject.collect(PHASE + INTERVAL + 1000)).toEqual({ slow: 1 });
    answer(2);
    await Promise.resolve();
    expect(await subject.collect(PHASE + INTERVAL + 2000)).toEqual({ slow: 2 });
  });

  it('has its turn at another time than others of the same interval', () => {
    const names = Array.from({ length: 20 }, (_, i) => `collector${i}`);
    const phases = names.map(name => phaseOf(name, 60_000));
    expect(new Set(phases.map(phase => Math.floor(phase / 1000))).size).toBeGreaterThan(12);
    expect(names.map(name => phaseOf(name, 60_000))).toEqual(phases);
  });
});

describe('a collector that does not answer', () => {
  it('is reported and asked no further, and the others deliver', async () => {
    let asked = 0;
    const subject = new Subject(
      [
        {
          name: 'stuck',
          open: () => () => {
            asked++;
            return new Promise<void>(() => {});
          },
        },
        {
          name: 'fine',
          open({ metrics }) {
            const gauge = metrics.gauge({ name: 'fine', help: 'F.' }).with();
            return () => gauge.set(1);
          },
        },
      ],
      { intervalMs: 1000 },
    );
    const first = subject.collect(0);
    await Promise.resolve();
    subject.clock.advance(800);
    expect(await first).toEqual({ fine: 1 });
    expect(subject.failures).toEqual([
      { collector: 'stuck', message: 'still running after 800 ms' },
    ]);
    expect(await subject.collect(1000)).toEqual({ fine: 1 });
    expect(asked).toBe(1);
  });
});

describe('instances', () => {
  const closed: string[] = [];
  const spec = {
    instances: true,
    open({ metrics, instance, options }) {
      const gauge = metrics.gauge({ name: 'g', help: 'G.', labels: ['loud'] });
      let runs = 0;
      return {
        collect: () => gauge.with(String(options.loud)).set(++runs),
        close: () => void closed.push(instance),
      };
    },
  } satisfies Partial<CollectorSpec<typeof OPTIONS>>;

  it('run side by side under labels of their own, and only what changed begins anew', async () => {
    const subject = new Subject([spec], {
      collectors: {
        c: { instances: { a: { labels: { site: 'a' } }, b: { labels: { site: 'b' } } } },
      },
    });
    expect(await subject.collect(1)).toEqual({
      'g,loud,false,site,a': 1,
      'g,loud,false,site,b': 1,
    });
    subject.configure({
      collectors: {
        c: {
          instances: {
            a: { labels: { site: 'a' } },
            b: { labels: { site: 'b' }, options: { loud: true } },
          },
        },
      },
    });
    expect(closed).toEqual(['b']);
    expect(await subject.collect(2)).toEqual({ 'g,loud,false,site,a': 2, 'g,loud,true,site,b': 1 });
    subject.configure({ collectors: { c: { instances: { a: { labels: { site: 'a' } } } } } });
    expect(closed).toEqual(['b', 'b']);
    expect(await subject.collect(3)).toEqual({ 'g,loud,false,site,a': 3 });
  });

  it('are refused where the collector is there once, and say where their mistakes are', () => {
    const config = { collectors: { c: { instances: { a: { options: { loud: 1 } } } } } };
    expect(new Subject([{}]).configure(config).map(({ path }) => path)).toEqual([
      'collectors.c.instances.a.options.loud',
      'collectors.c.instances',
    ]);
  });
});
