// A real Prometheus that reads an agent over remote read, and one that federates from it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, Processes, type Running, until } from '../e2e/processes.ts';

const PROMETHEUS = process.env['OUTPOST_TEST_PROMETHEUS'] ?? 'prometheus';
const installed = spawnSync(PROMETHEUS, ['--version']).status === 0;
const missing = installed ? '' : ' (skipped: prometheus is not installed)';
const DEADLINE_MS = 120_000;

async function freePort(): Promise<number> {
  return await new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
}

describe.skipIf(!installed)(`a Prometheus${missing}`, { timeout: DEADLINE_MS }, () => {
  const processes = new Processes();
  let agent: Running;
  let url = '';
  let child: ChildProcess | null = null;

  beforeAll(async () => {
    const args = ['--data-dir', processes.folder(), '--collect-interval', '1s'];
    agent = await processes.start('agent', [...args, '--label', 'host=h1']);
    await until(async () => {
      const query = { query: 'count_over_time(node_load1[1m]) > 2' };
      return (await api(agent.url, 'query', query)).data.result.length > 0;
    }, 'three collections are stored');
    const folder = processes.folder();
    const config = join(folder, 'prometheus.yml');
    const target = new URL(agent.url).host;
    writeFileSync(
      config,
      `remote_read: [{url: "${agent.url}/api/v1/read", read_recent: true}]
scrape_configs:
  - job_name: federate
    scrape_interval: 1s
    honor_labels: true
    metrics_path: /federate
    params: {"match[]": ['node_memory_MemTotal_bytes']}
    static_configs: [{targets: ["${target}"], labels: {by: federation}}]
`,
    );
    const port = await freePort();
    const server = spawn(
      PROMETHEUS,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    child = server;
    let log = '';
    server.stderr.on('data', chunk => (log += chunk));
    await until(
      async () => log.includes('Server is ready to receive web requests'),
      'Prometheus is ready',
    );
    url = `http://127.0.0.1:${port}`;
  }, DEADLINE_MS);

  afterAll(async () => {
    const ended = new Promise(resolve => child?.once('exit', resolve));
    if (child?.kill('SIGTERM')) await ended;
    await processes.cleanUp();
  });

  it('reads the same samples as the agent has, with its external label', async () => {
    const time = String(Date.now() / 1000 - 1);
    const of = async (at: string, query: string) =>
      (await api(at, 'query', { query, time })).data.result;
    const own = await of(agent.url, 'node_cpu_seconds_total[30s]');
    const read = await of(url, 'node_cpu_seconds_total[30s]');
    expect(own.length).toBeGreaterThan(4);
    expect(read.map(({ metric, values }) => ({ metric, values }))).toEqual(
      own.map(({ metric, values }) => ({ metric: { ...metric, host: 'h1' }, values })),
    );
  });

  it('finds series by the external label, and none by another', async () => {
    const count = async (query: string) =>
      (await api(url, 'query', { query: `count(${query})` })).data.result.map(r => r.value?.[1]);
    expect(await count('node_load1{host="h1"}')).toEqual(['1']);
    expect(await count('node_load1{host="h2"}')).toEqual([]);
  });

  it('federates the newest sample under the labels it had', async () => {
    const query = 'node_memory_MemTotal_bytes{by="federation"}';
    let found: { metric: Record<string, string> }[] = [];
    await until(async () => {
      found = (await api(url, 'query', { query })).data.result;
      return found.length > 0;
    }, 'a scrape is stored');
    const own = (await api(agent.url, 'query', { query: 'node_memory_MemTotal_bytes' })).data
      .result;
    expect(found.map(({ metric }) => metric)).toEqual([
      { ...own[0]!.metric, host: 'h1', by: 'federation' },
    ]);
  });
});
