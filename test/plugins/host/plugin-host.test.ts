// The plugin host with real child processes: good ones, dying ones, hanging ones and liars.

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { PluginSpec } from '../../../plugins/host/plugin-spec.ts';
import type { RecordingSink } from '../../fakes/recording-sink.ts';
import { isAlive, RunningHost } from '../../fakes/running-host.ts';
import { until } from '../../fakes/until.ts';

const COUNTING = fileURLToPath(new URL('plugins/counting.ts', import.meta.url));
const RAW = fileURLToPath(new URL('plugins/raw.ts', import.meta.url));

let running: RunningHost[] = [];
afterEach(async () => {
  await Promise.all(running.map(host => host.stop()));
  running = [];
});

describe('a plugin host with a good plugin', () => {
  it('collects on the grid of the interval, the first time at once', async () => {
    const { sink } = startHost([counting()], { intervalMs: 200 });
    // A host under load comes late now and then; on the grid it is taken for punctual.
    await until('a collection on the grid after the first', () =>
      sink.collections.slice(1).some(({ time }) => time % 200 === 0),
    );
    const [first] = sink.collections;
    expect(first!.values.get('test_collections_total')).toBe(1);
    expect([...first!.values.keys()].sort()).toEqual([
      'node_scrape_collector_cpu_seconds_total{collector="counting"}',
      'node_scrape_collector_duration_seconds{collector="counting"}',
      'node_scrape_collector_success{collector="counting"}',
      'test_collections_total',
      'test_info{device="a b\\"c"}',
    ]);
    const times = sink.collections.map(({ time }) => time);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });

  it('describes the families and passes the plugin log on', async () => {
    const { sink, lines } = startHost([counting()]);
    await until('a collection', () => sink.collections.length > 0);
    expect(sink.sources[0]!.families.get('test_collections_total')).toEqual({
      name: 'test_collections_total',
      type: 'counter',
      help: 'Collections so far.',
      unit: '',
      collector: 'counting',
    });
    expect(lines.join('\n')).toMatch(/level=info msg="counting begins" plugin=good .*answer=42/);
  });

  it('collects beside the grid when it is asked to', async () => {
    const { host, sink } = startHost([counting()], { intervalMs: 60_000 });
    await until('the first collection', () => sink.collections.length === 1);
    await host.collect();
    await host.collect();
    const counts = sink.collections.map(({ values }) => values.get('test_collections_total'));
    expect(counts.slice(0, 3)).toEqual([1, 2, 3]);
  });

  it('ends the plugin and its series when it stops, and leaves no socket', async () => {
    const running = startHost([counting()]);
    await until('a collection', () => running.sink.collections.length > 0);
    const pid = pidOf(running.sink);
    await running.stop();
    expect(running.host.states().get('good')).toBe('stopped');
    expect(running.sink.sources[0]!.closedAt).not.toBe(null);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(running.socketDir)).toBe(false);
    expect(running.names()).toEqual(['plugin.started']);
  });

  it('passes a failing collector by and logs it once', async () => {
    const { sink, lines, host } = startHost([
      counting({ collectors: { failing: { enabled: true } } }),
    ]);
    await until('two collections', () => sink.collections.length >= 2);
    await host.collect();
    const values = sink.collections.at(-1)!.values;
    expect(values.get('node_scrape_collector_success{collector="failing"}')).toBe(0);
    expect(values.get('node_scrape_collector_success{collector="counting"}')).toBe(1);
    expect(lines.filter(line => line.includes('out of paper'))).toHaveLength(1);
  });

  it('shows states, restarts, durations and samples as metrics', async () => {
    const { sink, metric } = startHost([counting()]);
    await until('two collections', () => sink.collections.length >= 2);
    expect(metric('agent_plugin_state', { plugin: 'good', state: 'running' })).toBe(1);
    expect(metric('agent_plugin_state', { plugin: 'good', state: 'backoff' })).toBe(0);
    expect(metric('agent_plugin_series', { plugin: 'good' })).toBe(5);
    expect(metric('agent_plugin_samples_total', { plugin: 'good' })).toBeGreaterThanOrEqual(10);
  });
});

describe('a plugin host with a plugin that ends or hangs', () => {
  it('ends the series of a killed plugin, says why it ended, and starts it again', async () => {
    const { sink, events, metric, host, socketDir } = startHost([counting()]);
    await until('a collection', () => sink.collections.length > 0);
    const pid = pidOf(sink);
    process.kill(pid, 'SIGKILL');
    await until('the series ended', () => sink.sources[0]!.closedAt !== null);
    await until(
      'a collection of the next life',
      () => (sink.sources[1]?.collections.length ?? 0) > 0,
    );
    expect(pidOf(sink)).not.toBe(pid);
    const exited = events.find(({ name }) => name === 'plugin.exited')!;
    expect(exited.message).toBe('plugin good ended: signal SIGKILL');
    expect(exited.attributes).toMatchObject({ plugin: 'good', code: '', signal: 'SIGKILL' });
    expect(exited.attributes['stderr']).toContain('counting begins');
    expect(metric('agent_plugin_restarts_total', { plugin: 'good' })).toBe(1);
    expect(host.states().get('good')).toBe('running');
    expect(sink.sources[1]!.seriesById.size).toBe(5);
    expect(readdirSync(socketDir), 'the killed plugin left no socket').toHaveLength(1);
  });

  it('kills a hung plugin after three misses and starts it again', async () => {
    const { sink, names, metric } = startHost([counting()], { intervalMs: 100 });
    await until('a collection', () => sink.collections.length > 0);
    const pid = pidOf(sink);
    process.kill(pid, 'SIGSTOP');
    await until('the series ended', () => sink.sources[0]!.closedAt !== null);
    await until(
      'a collection of the next life',
      () => (sink.sources[1]?.collections.length ?? 0) > 0,
    );
    expect(isAlive(pid)).toBe(false);
    expect(names().slice(0, 4)).toEqual([
      'plugin.started',
      'plugin.hung',
      'plugin.exited',
      'plugin.started',
    ]);
    expect(
      metric('agent_plugin_collections_missed_total', { plugin: 'good' }),
    ).toBeGreaterThanOrEqual(3);
  });

  it('quarantines a plugin that ends five times, and says what it said', async () => {
    const { host, events, names } = startHost([raw('exits')]);
    await until('quarantine', () => host.states().get('raw') === 'quarantined');
    expect(names()).toEqual([...Array(5).fill('plugin.start_failed'), 'plugin.quarantined']);
    expect(events[0]!.message).toBe(
      'start plugin raw: it ended with exit code 3 before its handshake; it said: cannot find the moon',
    );
  });

  it('quarantines a plugin that refuses its configuration', async () => {
    const { host, events } = startHost([
      counting({ collectors: { counting: { options: { match: '(' } }, nonsense: {} } }),
    ]);
    await until('quarantine', () => host.states().get('good') === 'quarantined');
    const [rejected] = events;
    expect(rejected!.name).toBe('plugin.config_rejected');
    expect(rejected!.message).toContain(
      'collectors.nonsense is not a collector of plugin counting',
    );
    expect(rejected!.message).toContain(
      'collectors.counting.options.match is no regular expression',
    );
  });
});

describe('a plugin host that diagnoses what does not start', () => {
  const table: readonly (readonly [string, PluginSpec, string])[] = [
    [
      'a command that is not there',
      { name: 'raw', command: '/nonexistent/plugin' },
      'start plugin raw: there is no such command: /nonexistent/plugin',
    ],
    [
      'a file that may not be executed',
      { name: 'raw', command: COUNTING },
      `start plugin raw: it may not be executed (chmod +x?): ${COUNTING}`,
    ],
    [
      'a plugin that wants another cookie',
      raw('bad-cookie'),
      'start plugin raw: it ended with exit code 1 before its handshake; it said: This is a plugin and is not meant to be run directly.',
    ],
    [
      'a plugin of another protocol version',
      raw('wrong-version'),
      'start plugin raw: its handshake says plugin protocol version 9, this host speaks 1',
    ],
    [
      'a program that prints and prints',
      raw('only-garbage'),
      'start plugin raw: its handshake says nothing: there is none in what it printed (100 lines, 790 bytes)',
    ],
  ];
  for (const [name, spec, message] of table) {
    it(`names ${name}`, async () => {
      const { events } = startHost([spec]);
      await until('an event', () => events.length > 0);
      expect(events[0]).toEqual({
        name: 'plugin.start_failed',
        severity: 'warn',
        message,
        attributes: { plugin: 'raw' },
      });
    });
  }

  it('starts a plugin that prints other things before its handshake', async () => {
    const { sink, lines } = startHost([raw('garbage-first')]);
    await until('a collection', () => sink.collections.length > 0);
    expect(lines.join('\n')).toContain('level=warn msg="Welcome to the runtime!"');
  });
});

describe('a plugin host with a plugin that lies', () => {
  it('takes what is true, and drops, counts and tells the rest', async () => {
    const { sink, events, metric, host } = startHost([raw('lies')]);
    await until('a collection', () => sink.collections.length > 0);
    const [first] = sink.collections;
    expect([...first!.values]).toEqual([['raw_gauge{kind="honest"}', 1]]);
    expect(Math.abs(first!.time - Date.now())).toBeLessThan(60_000);
    const reasons = {
      'wrong-time': 1,
      'bad-family': 3,
      'duplicate-id': 1,
      'unknown-family': 1,
      'bad-labels': 2,
      'bad-id': 1,
      'unknown-id': 2,
      ragged: 1,
    };
    for (const [reason, count] of Object.entries(reasons)) {
      const dropped = metric('agent_plugin_dropped_total', { plugin: 'raw', reason });
      expect(dropped, reason).toBeGreaterThanOrEqual(count);
    }
    expect(host.states().get('raw')).toBe('running');
    const refused = events.filter(({ name }) => name === 'plugin.data_refused');
    await host.collect();
    await host.collect();
    expect(events.filter(({ name }) => name === 'plugin.data_refused')).toEqual(refused);
  });

  it('keeps the series limit: known series stay, new ones are refused', async () => {
    const { sink, events, metric } = startHost([{ ...raw('floods'), seriesMax: 100 }]);
    await until('a collection', () => sink.collections.length > 0);
    expect(sink.collections[0]!.values.size).toBe(100);
    expect(metric('agent_plugin_series', { plugin: 'raw' })).toBe(100);
    expect(
      metric('agent_plugin_dropped_total', { plugin: 'raw', reason: 'series-limit' }),
    ).toBeGreaterThanOrEqual(400);
    expect(events.map(({ name }) => name)).toContain('plugin.cardinality_limited');
  });

  it('outlives answers that are no protobuf', async () => {
    const { names, sink } = startHost([raw('garbage')], { intervalMs: 50 });
    await until('the plugin was ended', () => names().includes('plugin.hung'));
    expect(sink.collections).toEqual([]);
  });

  it('drains a log that floods, passes some of it on and counts the rest', async () => {
    const { sink, lines, metric } = startHost([raw('chatters')], { intervalMs: 100 });
    await until('five collections', () => sink.collections.length >= 5);
    expect(metric('agent_plugin_log_lines_dropped_total', { plugin: 'raw' })).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(500);
  });
});

function startHost(plugins: readonly PluginSpec[], options: { readonly intervalMs?: number } = {}) {
  const started = new RunningHost(plugins, options);
  running.push(started);
  const { host, events, lines } = started;
  return {
    ...{ host, events, lines, socketDir: started.socketDir },
    sink: started.sink(plugins[0]!.name),
    names: () => started.names(),
    metric: (name: string, labels: Record<string, string>) => started.metric(name, labels),
    stop: () => started.stop(),
  };
}

function counting(more: Partial<PluginSpec> = {}): PluginSpec {
  return { name: 'good', command: process.execPath, args: [COUNTING], ...more };
}

function raw(behaviour: string): PluginSpec {
  return { name: 'raw', command: process.execPath, args: [RAW, behaviour] };
}

function pidOf(sink: RecordingSink): number {
  return sink.collections.at(-1)!.values.get('test_info{device="a b\\"c"}')!;
}
