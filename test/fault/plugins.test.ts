// What a plugin does wrong costs the others nothing: each misbehaviour beside a neighbour that goes on.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { PluginHostOptions } from '../../plugins/host/plugin-host.ts';
import type { PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { FileStorage } from '../../plugins/host/plugin-storage.ts';
import { type ProcessTools, systemTools } from '../../plugins/host/process-tools.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { isAlive, RunningHost } from '../fakes/running-host.ts';
import { until } from '../fakes/until.ts';

const entry = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const COUNTING = entry('../plugins/host/plugins/counting.ts');
const RAW = entry('../plugins/host/plugins/raw.ts');
const STORM = entry('../plugins/host/plugins/storm.ts');
const HOST = entry('plugin-host-process.ts');
const INTERVAL_MS = 300;
/** Collections of the neighbour that a test waits for after the fault. */
const GOES_ON = 4;

let hosts: RunningHost[] = [];
let folders: string[] = [];

afterEach(async () => {
  await Promise.all(hosts.map(host => host.stop()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  hosts = [];
  folders = [];
});

const good: PluginSpec = { name: 'good', command: process.execPath, args: [COUNTING] };

function raw(behaviour: string, more: Partial<PluginSpec> = {}): PluginSpec {
  return { name: 'bad', command: process.execPath, args: [RAW, behaviour], ...more };
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outpost-fault-'));
  folders.push(folder);
  return folder;
}

/** Starts the neighbour and a plugin that misbehaves; the neighbour has delivered when this resolves. */
async function beside(
  bad: PluginSpec,
  options: Partial<PluginHostOptions> = {},
): Promise<RunningHost> {
  const host = new RunningHost([good, bad], { intervalMs: INTERVAL_MS, ...options });
  hosts.push(host);
  await until('the neighbour delivers', () => host.sink('good').collections.length > 0);
  return host;
}

/** The neighbour goes on: each interval, in the same life, all its series, no sample of it refused. */
async function goesOn(host: RunningHost): Promise<void> {
  const [source] = host.sink('good').sources;
  const before = source!.collections.length;
  await until('the neighbour goes on', () => source!.collections.length >= before + GOES_ON);
  expect(host.sink('good').sources).toHaveLength(1);
  expect(host.names('good')).toEqual(['plugin.started']);
  const counts = source!.collections.map(({ values }) => values.get('test_collections_total'));
  expect(counts).toEqual(counts.map((_, i) => i + 1));
  expect(source!.collections.at(-1)!.values.size).toBe(5);
}

describe('a plugin that ends', () => {
  it('costs its neighbour nothing when it is killed, and is started again', async () => {
    const host = await beside({ ...good, name: 'bad' });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const pid = host.pid('bad');
    process.kill(pid, 'SIGKILL');
    await until('its series ended', () => host.sink('bad').sources[0]!.closedAt !== null);
    await until('its next life', () => (host.sink('bad').sources[1]?.collections.length ?? 0) > 0);
    expect(host.pid('bad')).not.toBe(pid);
    expect(host.names('bad')).toEqual(['plugin.started', 'plugin.exited', 'plugin.started']);
    await goesOn(host);
  });

  it('costs its neighbour nothing when it ends again and again, and is quarantined', async () => {
    const host = await beside(raw('exits'));
    await until('quarantine', () => host.state('bad') === 'quarantined');
    await goesOn(host);
    expect(host.host.list()[1]).toMatchObject({ state: 'quarantined', restarts: 4, pid: null });
    expect(host.host.list()[1]!.lastError).toContain('cannot find the moon');
  });

  it('leaves quarantine when its operator says so, and when its specification changes', async () => {
    const host = await beside(raw('exits'));
    await until('quarantine', () => host.state('bad') === 'quarantined');
    host.host.restart('bad');
    await until('another try', () => host.names('bad').length > 6);
    await until('quarantine', () => host.state('bad') === 'quarantined');
    await host.host.reconfigure([good, raw('honest')]);
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    expect(() => host.host.restart('ugly')).toThrow('restart plugin ugly: there are: good, bad');
    await goesOn(host);
  });

  it('stops quietly when it has nothing to do here, until it is asked again', async () => {
    const host = await beside(raw('declines'));
    await until('it stopped', () => host.state('bad') === 'stopped');
    expect(host.events.filter(({ attributes }) => attributes['plugin'] === 'bad')).toEqual([
      {
        name: 'plugin.not_applicable',
        severity: 'info',
        message: 'plugin bad has nothing to do on this host: no such hardware',
        attributes: { plugin: 'bad' },
      },
    ]);
    host.host.restart('bad');
    await until('it was asked', () => host.names('bad').length === 2);
    await goesOn(host);
  });
});

describe('a plugin that hangs', () => {
  it('costs its neighbour nothing when it is stopped, and is killed after three misses', async () => {
    const host = await beside({ ...good, name: 'bad' });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const pid = host.pid('bad');
    process.kill(pid, 'SIGSTOP');
    await until('it is degraded', () => host.state('bad') === 'degraded');
    await goesOn(host);
    await until('its next life', () => (host.sink('bad').sources[1]?.collections.length ?? 0) > 0);
    expect(isAlive(pid)).toBe(false);
    expect(host.names('bad').slice(0, 3)).toEqual([
      'plugin.started',
      'plugin.hung',
      'plugin.exited',
    ]);
  });

  it('is stuck when nothing ends it: no second one is started until it is gone', async () => {
    const system = { ...systemTools(), makeModest: () => {} };
    let protectedPid = 0;
    const processTools: ProcessTools = {
      ...system,
      kill(child, signal) {
        if (child.pid !== protectedPid) system.kill(child, signal);
      },
    };
    const host = await beside({ ...good, name: 'bad' }, { processTools });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    protectedPid = host.pid('bad');
    process.kill(protectedPid, 'SIGSTOP');
    await until('it is stuck', () => host.state('bad') === 'stuck', 20_000);
    expect(host.names('bad')).toEqual(['plugin.started', 'plugin.hung', 'plugin.stuck']);
    expect(host.pid('bad')).toBe(protectedPid);
    host.host.restart('bad');
    await goesOn(host);
    expect([host.state('bad'), host.pid('bad')]).toEqual(['stuck', protectedPid]);
    expect(host.metric('agent_plugin_state', { plugin: 'bad', state: 'stuck' })).toBe(1);
    process.kill(protectedPid, 'SIGKILL');
    await until('its next life', () => (host.sink('bad').sources[1]?.collections.length ?? 0) > 0);
    expect(host.names('bad')).toContain('plugin.unstuck');
    await goesOn(host);
  }, 40_000);

  it('holds up neither the end of the agent nor its own removal when it is stuck', async () => {
    const system = { ...systemTools(), makeModest: () => {} };
    const processTools: ProcessTools = { ...system, kill: () => {} };
    const host = new RunningHost([raw('deaf')], { intervalMs: INTERVAL_MS, processTools });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const pid = host.pid('bad');
    await host.stop();
    expect(host.state('bad')).toBe('stopped');
    expect(host.names('bad')).toEqual(['plugin.started', 'plugin.stuck']);
    process.kill(pid, 'SIGKILL');
    await until('it is gone', () => !isAlive(pid));
  }, 30_000);

  it('may take its time to start', async () => {
    const host = await beside(raw('slow-start'));
    await goesOn(host);
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    expect(host.names('bad')).toEqual(['plugin.started']);
  });

  it('is ended when it never says where it listens, or never says what it is', async () => {
    const host = await beside(raw('silent'), { handshakeMs: 3000 });
    const pid = host.pid('bad');
    await until('the first try failed', () => host.names('bad').length > 0);
    expect(host.events.find(({ attributes }) => attributes['plugin'] === 'bad')!.message).toBe(
      'start plugin bad: it printed no handshake within 3 s; is it an Outpost plugin?',
    );
    await until('it was ended', () => !isAlive(pid));
    await goesOn(host);
    await host.host.reconfigure([good, raw('never-describes')]);
    await until('it failed', () => host.host.list()[1]!.lastError.includes('/Describe'), 20_000);
    await goesOn(host);
  }, 40_000);

  it('takes what it started with it when it is killed', async () => {
    const host = await beside(raw('has-children'));
    await until('it told of its child', () => host.lines.some(line => line.includes('child is')));
    const line = host.lines.find(each => each.includes('child is'))!;
    const child = Number(/child is (\d+)/.exec(line)![1]);
    expect(isAlive(child)).toBe(true);
    process.kill(host.pid('bad'), 'SIGKILL');
    await until('the child is gone', () => !isAlive(child) || isZombie(child));
    await goesOn(host);
  });

  it('is killed when asking does not help', async () => {
    const host = await beside(raw('deaf'));
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const pid = host.pid('bad');
    await host.host.reconfigure([good]);
    expect(isAlive(pid)).toBe(false);
    expect([...host.host.states().keys()]).toEqual(['good']);
    expect(host.metric('agent_plugin_state', { plugin: 'bad', state: 'running' })).toBeNaN();
    await goesOn(host);
  });
});

describe('a plugin that cannot be started', () => {
  it('is told by its CPU when it was made for another', async () => {
    const path = join(temporary(), 'plugin');
    const bytes = readFileSync('/bin/true');
    // IA-64, which nobody runs this on.
    bytes.writeUInt16LE(50, 18);
    writeFileSync(path, bytes);
    chmodSync(path, 0o755);
    const host = await beside({ name: 'bad', command: path });
    await until('quarantine', () => host.state('bad') === 'quarantined');
    expect(host.host.list()[1]!.lastError).toContain(
      'start plugin bad: it is a program for another CPU (ELF machine 50',
    );
    await goesOn(host);
  });

  it('is not started when its digest is another, and is once it is mended', async () => {
    const path = join(temporary(), 'plugin');
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${RAW}" honest\n`);
    chmodSync(path, 0o755);
    const sha256 = 'ab'.repeat(32);
    const host = await beside({ name: 'bad', command: path, sha256 });
    await until('quarantine', () => host.state('bad') === 'quarantined');
    expect(host.names('bad')).toEqual(['plugin.refused', 'plugin.quarantined']);
    const digest = /sha256 is (\w{64})/.exec(host.host.list()[1]!.lastError)![1]!;
    await host.host.reconfigure([good, { name: 'bad', command: path, sha256: digest }]);
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    await goesOn(host);
  });

  it('is refused by root when others could change it, and started with a warning if that is wished', async () => {
    const path = join(temporary(), 'plugin');
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${RAW}" honest\n`);
    chmodSync(path, 0o777);
    const spec: PluginSpec = { name: 'bad', command: path, verify: 'refuse' };
    const host = await beside(spec);
    await until('quarantine', () => host.state('bad') === 'quarantined');
    expect(host.host.list()[1]!.lastError).toContain('can be written by everybody (chmod o-w');
    await host.host.reconfigure([good, { ...spec, verify: 'warn' }]);
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    expect(host.names('bad').slice(2)).toEqual(['plugin.unsafe', 'plugin.started']);
    await goesOn(host);
  });
});

describe('a plugin that lies', () => {
  for (const behaviour of ['lies', 'travels-in-time', 'wrong-types', 'failures', 'garbage']) {
    it(`costs its neighbour nothing when it ${behaviour}`, async () => {
      const host = await beside(raw(behaviour));
      const asked = () =>
        host.sink('bad').collections.length +
        (host.metric('agent_plugin_collections_missed_total', { plugin: 'bad' }) || 0);
      await until('it was asked', () => asked() >= 2);
      await goesOn(host);
      for (const { time } of host.sink('bad').collections) {
        expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
      }
      expect(host.lines.length).toBeLessThan(2_000);
    });
  }
});

describe('a plugin that floods', () => {
  const floods: readonly (readonly [string, PluginSpec, string, number])[] = [
    ['series', raw('floods', { seriesMax: 100 }), 'series-limit', 100],
    [
      'new series',
      raw('series-churn', { seriesMax: 150, limits: { newSeriesPerMinute: 60 } }),
      'series-rate',
      100,
    ],
    ['samples', raw('floods', { limits: { samplesPerSecond: 5 } }), 'sample-rate', 300],
    ['long labels', raw('long-labels', { limits: { labelValueLength: 1000 } }), 'label-length', 1],
  ];
  for (const [what, spec, reason, taken] of floods) {
    it(`with ${what} costs its neighbour nothing: what is known stays, the rest is refused`, async () => {
      const host = await beside(spec);
      await until('it was limited', () => {
        return host.metric('agent_plugin_dropped_total', { plugin: 'bad', reason }) > 0;
      });
      await goesOn(host);
      expect(host.names('bad')).toContain('plugin.cardinality_limited');
      expect(host.state('bad')).toBe('running');
      expect(host.sink('bad').collections[0]!.values.size).toBe(taken);
    });
  }

  it('with bytes costs its neighbour nothing: an answer that is too large is missed', async () => {
    const host = await beside(raw('large-answers', { limits: { answerBytes: 1_000_000 } }));
    await until('it is ended', () => host.names('bad').includes('plugin.exited'));
    expect(host.sink('bad').collections).toEqual([]);
    const dropped = { plugin: 'bad', reason: 'answer-bytes' };
    expect(host.metric('agent_plugin_dropped_total', dropped)).toBeGreaterThan(0);
    await goesOn(host);
  });

  it('with events costs its neighbour nothing: so many a minute are kept, the rest is counted', async () => {
    let kept = 0;
    const offers: PluginHostOptions['offers'] = {
      events: {
        async append(plugin, events) {
          expect(plugin).toBe('bad');
          kept += events.length;
        },
      },
      storage: new FileStorage(temporary()),
      query: async () => ({ samples: [], warnings: [] }),
      fillRandom: randomFillSync,
    };
    const limits = { eventsPerMinute: 50 };
    const storm = { name: 'bad', command: process.execPath, args: [STORM], limits };
    const host = await beside(storm, { offers });
    const dropped = { plugin: 'bad', reason: 'event-rate' };
    await until('events were dropped', () => {
      return host.metric('agent_plugin_dropped_total', dropped) > 500;
    });
    await goesOn(host);
    expect(kept).toBeGreaterThanOrEqual(50);
    expect(kept).toBeLessThan(150);
    expect(host.names('bad')).toEqual(['plugin.started', 'plugin.cardinality_limited']);
    expect(host.state('bad')).toBe('running');
  });

  it('with lines costs its neighbour nothing: some are logged, all are read', async () => {
    const host = await beside(raw('chatters'));
    await until('lines were dropped', () => {
      return host.metric('agent_plugin_log_lines_dropped_total', { plugin: 'bad' }) > 100;
    });
    await goesOn(host);
    expect(host.lines.length).toBeLessThan(2_000);
  });
});

describe('a plugin that takes too much', () => {
  it('is ended for its memory, and its neighbour goes on', async () => {
    const limits = { memoryBytes: 300 * 1024 * 1024 };
    const host = await beside(raw('eats-memory', { limits }), { watchMs: 100 });
    await until('it is ended', () => host.names('bad').includes('plugin.overused'), 20_000);
    const told = host.events.find(({ name }) => name === 'plugin.overused')!;
    expect(told.message).toMatch(/^plugin bad is ended: it has \d+ MiB .* may have 300 MiB$/);
    await goesOn(host);
  }, 40_000);

  it('is collected from less often for its CPU time, then ended, and its neighbour goes on', async () => {
    let later = 0;
    let bad = 0;
    // Beyond the time in which a plugin that has started may use what it likes.
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + later };
    const system = { ...systemTools(), makeModest: () => {} };
    const used = (): number => (clock.monotonic() / 1000) * 2;
    const processTools: ProcessTools = {
      ...system,
      usage: pid => ({ cpuSeconds: pid === bad ? used() : 0, memoryBytes: 1, processes: 1 }),
    };
    const host = await beside(raw('honest'), { clock, processTools, watchMs: 100 });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    later = 60_000;
    bad = host.pid('bad');
    await until('it is throttled', () => host.names('bad').includes('plugin.throttled'));
    await until('it is degraded', () => host.state('bad') === 'degraded');
    expect(host.metric('agent_plugin_interval_stretch', { plugin: 'bad' })).toBeGreaterThan(1);
    await until('it is ended', () => host.names('bad').includes('plugin.exited'));
    expect(host.names('bad').slice(0, 6)).toEqual([
      ...['plugin.started', 'plugin.throttled', 'plugin.throttled', 'plugin.throttled'],
      ...['plugin.overused', 'plugin.exited'],
    ]);
    await goesOn(host);
  });

  it('shows what it uses', async () => {
    const host = await beside(raw('burns'), { watchMs: 100 });
    const cpu = (): number => host.metric('agent_plugin_cpu_seconds_total', { plugin: 'bad' });
    await until('CPU time is counted', () => cpu() > 0.3);
    expect(host.metric('agent_plugin_memory_bytes', { plugin: 'bad' })).toBeGreaterThan(10_000_000);
    await goesOn(host);
  });
});

describe('a change of plugins', () => {
  const collectors = { failing: { enabled: true } };

  it('goes to the process that runs, and leaves its other collectors and its neighbour alone', async () => {
    const host = await beside({ ...good, name: 'bad' });
    await until('it delivers', () => host.sink('bad').collections.length > 2);
    const pid = host.pid('bad');
    await host.host.reconfigure([good, { ...good, name: 'bad', collectors }]);
    const success = 'node_scrape_collector_success{collector="failing"}';
    await until('the collector runs', () => {
      return host.sink('bad').collections.at(-1)!.values.get(success) === 0;
    });
    expect(host.pid('bad')).toBe(pid);
    expect(host.sink('bad').sources).toHaveLength(1);
    const counts = host
      .sink('bad')
      .collections.map(({ values }) => values.get('test_collections_total'));
    expect(counts).toEqual(counts.map((_, i) => i + 1));
    expect(host.names('bad')).toEqual(['plugin.started', 'plugin.configured']);
    expect(
      host.host
        .list()[1]!
        .collectors()
        .map(each => [each.name, each.outcome]),
    ).toEqual([
      ['counting', 'ok'],
      ['failing', 'failed'],
    ]);
    await goesOn(host);
  });

  it('that one plugin refuses changes none of them', async () => {
    const host = await beside({ ...good, name: 'bad' });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const wrong = { nonsense: { enabled: true } };
    const change = host.host.reconfigure([
      { ...good, collectors },
      { ...good, name: 'bad', collectors: wrong },
      { ...good, name: 'new' },
    ]);
    await expect(change).rejects.toThrow('plugins.bad.collectors.nonsense is not a collector');
    await change.catch(error => {
      expect(error.cause.keys).toEqual(['plugins', 'bad', 'collectors', 'nonsense']);
    });
    expect(host.host.list().map(({ name }) => name)).toEqual(['good', 'bad']);
    const before = host.sink('good').collections.length;
    await until('collections', () => host.sink('good').collections.length > before + 2);
    expect([...host.sink('good').collections.at(-1)!.values.keys()].join()).not.toContain(
      'failing',
    );
  });

  it('starts, ends and restarts only what it names', async () => {
    const host = await beside({ ...good, name: 'bad' });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const pid = host.pid('bad');
    const env = { TZ: 'UTC' };
    await host.host.reconfigure([good, { ...good, name: 'bad', env }, { ...good, name: 'new' }]);
    await until('the new one delivers', () => host.sink('new').collections.length > 0);
    await until('the other lives again', () => host.sink('bad').sources.length === 2);
    expect(isAlive(pid)).toBe(false);
    await host.host.reconfigure([good]);
    expect(host.host.list().map(({ name }) => name)).toEqual(['good']);
    await goesOn(host);
  });
});

const isRoot = process.getuid?.() === 0;
const setpriv = systemTools().setpriv;

describe('a plugin and the rest of the host', () => {
  it('gives way to others and dies before them', async () => {
    const host = await beside(raw('honest'), { processTools: systemTools() });
    await until('it delivers', () => host.sink('bad').collections.length > 0);
    const stat = readFileSync(`/proc/${host.pid('bad')}/stat`, 'utf8')
      .split(') ')[1]!
      .split(' ');
    expect(Number(stat[16])).toBeGreaterThanOrEqual(10);
    const score = (pid: string | number) =>
      Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
    expect(score(host.pid('bad'))).toBe(Math.min(1000, score('self') + 500));
  });

  it('dies with an agent that is killed, even when it listens to nothing', async ({ skip }) => {
    if (setpriv === null) skip('needs setpriv of util-linux');
    const folder = temporary();
    const agent: ChildProcess = spawn(process.execPath, [HOST, folder, RAW, 'deaf'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    agent.stdout!.on('data', chunk => {
      said += chunk;
    });
    await until('the plugin runs', () => /^\d+\n/.test(said));
    const pid = Number.parseInt(said, 10);
    expect(isAlive(pid)).toBe(true);
    agent.kill('SIGKILL');
    await until('the plugin is gone', () => !isAlive(pid) || isZombie(pid));
  });

  it('runs as another user without capabilities', async ({ skip }) => {
    if (!isRoot || setpriv === null) skip('needs root and setpriv of util-linux');
    const folder = temporary();
    chmodSync(folder, 0o755);
    // The user must be able to read what it runs: a copy of the interpreter does without the project.
    const script = join(folder, 'plugin');
    copyFileSync(entry('../plugins/host/plugins/probe.sh'), script);
    chmodSync(script, 0o755);
    const spec = { name: 'bad', command: script, user: 'nobody' } as const;
    const host = await beside(spec, { sharedSocketDir: join(folder, 'sockets') });
    await until('it said who it is', () => host.names('bad').length > 0);
    const { lastError } = host.host.list()[1]!;
    expect(lastError).toMatch(/uid=65534 groups=65534 /);
    expect(lastError).toMatch(/CapEff:\s*0000000000000000/);
    expect(lastError).toMatch(/CapBnd:\s*0000000000000000/);
    expect(lastError).toMatch(/NoNewPrivs:\s*1/);
    expect(lastError).toContain('sockets writable');
  });
});

function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.startsWith('Z');
  } catch {
    return true;
  }
}
