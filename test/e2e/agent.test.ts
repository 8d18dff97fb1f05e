// What happens to an agent when it, or its plugin, is killed or hangs: nothing is left behind, nothing that
// was stored is lost, series go stale and come back, and the metrics tell it.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { api, isRunning, Processes, type Running, until } from './processes.ts';

const processes = new Processes();
afterEach(() => processes.cleanUp());

const startAgent = (folder: string): Promise<Running> =>
  processes.start('agent', ['--data-dir', folder, '--collect-interval', '1s']);

async function count(agent: Running, query: string): Promise<number> {
  const { data } = await api(agent.url, 'query', { query });
  return Number(data.result[0]?.value?.[1] ?? 0);
}

const collects = (agent: Running): Promise<void> =>
  until(async () => (await count(agent, 'node_load1 * 0 + 1')) === 1, 'the host is collected');

async function metric(agent: Running, line: string): Promise<string | undefined> {
  const text = await (await fetch(`${agent.url}/metrics`)).text();
  return text
    .split('\n')
    .find(one => one.startsWith(`${line} `))
    ?.slice(line.length + 1);
}

const OS_MAIN = fileURLToPath(new URL('../../plugins/os/main.ts', import.meta.url));
const RUNNING = 'agent_plugin_state{plugin="builtin",state="running"}';

describe('an agent that is killed', () => {
  it('leaves no plugin behind, and has its data when it is started again', async () => {
    const folder = processes.folder();
    const first = await startAgent(folder);
    await collects(first);
    await until(async () => (await count(first, 'count_over_time(node_load1[1m])')) >= 2, 'two');
    const stored = await count(first, 'count_over_time(node_load1[1m])');
    const [plugin] = first.plugins();
    await first.kill();
    await until(async () => !isRunning(plugin!), 'the plugin has followed its agent');

    const began = Date.now();
    const second = await startAgent(folder);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(await count(second, 'count_over_time(node_load1[1m])')).toBeGreaterThanOrEqual(stored);
    await until(
      async () => (await count(second, 'count_over_time(node_load1[1m])')) > stored,
      'it goes on collecting into the same series',
    );
    expect(await count(second, 'count(node_load1)')).toBe(1);
  });
});

describe('a plugin', () => {
  it('that is killed leaves stale series, comes back, and is counted', async () => {
    const agent = await startAgent(processes.folder());
    await collects(agent);
    const [plugin] = agent.plugins();
    const start = Date.now() / 1000;
    process.kill(plugin!, 'SIGKILL');
    await until(async () => !agent.plugins().includes(plugin!), 'the plugin is gone');
    await until(async () => agent.plugins().length === 1, 'another is started');
    await until(async () => Number(await metric(agent, RUNNING)) === 1, 'it runs');
    await collects(agent);
    const end = Date.now() / 1000;
    const query = { query: 'node_load1', start, end, step: 0.02 };
    const steps = (await api(agent.url, 'query_range', query)).data.result[0]!.values!;
    const gaps = steps.slice(1).map(([time], i) => time - steps[i]![0]);
    expect(Math.max(...gaps)).toBeGreaterThan(0.03);
    expect(await metric(agent, 'agent_plugin_restarts_total{plugin="builtin"}')).toBe('1');
    expect(await metric(agent, 'agent_events_total{name="plugin.exited",severity="warn"}')).toBe(
      '1',
    );
    expect(agent.stderr()).toContain('msg="plugin builtin ended: signal SIGKILL"');
  });

  it('that hangs is told by up, ended and replaced', async () => {
    const agent = await startAgent(processes.folder());
    await collects(agent);
    const [plugin] = agent.plugins();
    process.kill(plugin!, 'SIGSTOP');
    await until(
      async () => (await count(agent, 'up{job="node"} or vector(2)')) === 0,
      'up of the host is 0',
    );
    expect(await count(agent, 'up{job="outpost"}')).toBe(1);
    await until(async () => !isRunning(plugin!), 'the plugin is ended');
    await until(async () => agent.stderr().includes('event=plugin.hung'), 'the log says why');
    await collects(agent);
    await until(async () => (await count(agent, 'up{job="node"}')) === 1, 'up of the host is 1');
    expect(
      Number(await metric(agent, 'agent_plugin_collections_missed_total{plugin="builtin"}')),
    ).toBeGreaterThanOrEqual(1);
  });

  it('whose configuration is wrong is quarantined with a sentence, and the agent serves', async () => {
    const folder = processes.folder();
    const path = `${folder}/agent.yml`;
    const command = JSON.stringify([process.execPath, OS_MAIN]);
    writeFileSync(
      path,
      `plugins:\n  mine:\n    command: ${command}\n    collectors:\n      cpux: {enabled: false}\n`,
    );
    const agent = await processes.start('agent', [
      '--data-dir',
      `${folder}/data`,
      '--config.file',
      path,
    ]);
    await until(
      async () => agent.stderr().includes('collectors.cpux is not a collector of plugin os'),
      'the log names the key and what there is',
    );
    expect(agent.stderr()).toMatch(/it has: .*\bcpu, /);
    await until(
      async () =>
        (await metric(agent, 'agent_plugin_state{plugin="mine",state="quarantined"}')) === '1',
      'the metric says so',
    );
    expect((await fetch(`${agent.url}/-/ready`)).status).toBe(200);
  });
});
