// Debian's Prometheus against a running agent: it scrapes us, writes to us, and opens what we wrote.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { api, Processes, until } from '../e2e/processes.ts';
import { remoteWrite } from '../e2e/remote-write.ts';

const installed = onPath('prometheus') && onPath('promtool');
if (!installed) console.warn('skipped: prometheus and promtool are not installed');

const processes = new Processes();
const children: { kill: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await processes.cleanUp();
});

function onPath(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  return await new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
}

/** Starts Prometheus and waits until it is ready. */
async function startPrometheus(
  dataDir: string,
  config: string,
): Promise<{ url: string; stderr: () => string; kill: () => Promise<void> }> {
  const port = await freePort();
  const file = join(processes.folder(), 'prometheus.yml');
  writeFileSync(file, config);
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${dataDir}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=1000d',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', chunk => (stderr += chunk));
  const ended = new Promise(resolve => child.once('exit', resolve));
  const kill = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  children.push({ kill });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended: ${stderr}`);
    return (await fetch(`${url}/-/ready`).catch(() => null))?.ok ?? false;
  }, 'prometheus is ready');
  return { url, stderr: () => stderr, kill };
}

async function value(url: string, query: string): Promise<number> {
  const answer = await api(url, 'query', { query });
  return Number(answer.data.result[0]?.value?.[1] ?? Number.NaN);
}

describe.skipIf(!installed)('Prometheus', () => {
  it('scrapes an agent’s /metrics without a parse error', async () => {
    const agent = await processes.start('agent', [
      '--data-dir',
      processes.folder(),
      '--collect-interval',
      '1s',
    ]);
    const target = agent.url.slice('http://'.length);
    const prometheus = await startPrometheus(
      processes.folder(),
      `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: outpost
    static_configs: [{targets: ['${target}']}]
`,
    );
    await until(
      async () => (await value(prometheus.url, 'count(node_cpu_seconds_total)')) > 0,
      'node metrics are scraped',
    );
    expect(await value(prometheus.url, 'up{job="outpost"}')).toBe(1);
    expect(await value(prometheus.url, 'scrape_samples_scraped{job="outpost"}')).toBeGreaterThan(
      200,
    );
    const targets = (await (await fetch(`${prometheus.url}/api/v1/targets`)).json()) as {
      data: { activeTargets: { lastError: string }[] };
    };
    expect(targets.data.activeTargets.map(t => t.lastError)).toEqual(['']);
    // Both count the same seconds of the same host, a scrape apart.
    const theirs = await value(prometheus.url, 'sum(node_cpu_seconds_total)');
    const ours = await value(agent.url, 'sum(node_cpu_seconds_total)');
    expect(Math.abs(ours - theirs) / theirs).toBeLessThan(0.01);
  });

  it('remote-writes to an agent, which answers with the same values', async () => {
    const agent = await processes.start('agent', [
      '--data-dir',
      processes.folder(),
      '--no-plugins',
      '--no-self-metrics',
      '--web.enable-remote-write-receiver',
    ]);
    const prometheus = await startPrometheus(
      processes.folder(),
      `
global: {scrape_interval: 1s, scrape_timeout: 1s, external_labels: {origin: peer}}
scrape_configs:
  - job_name: self
    static_configs: [{targets: ['127.0.0.1:1']}]
remote_write:
  - url: ${agent.url}/api/v1/write
`,
    );
    await until(
      async () =>
        (await api(agent.url, 'query', { query: 'up{job="self",origin="peer"}' })).data.result
          .length === 1,
      'written samples arrive',
    );
    expect(await value(agent.url, 'up{job="self"}')).toBe(0);
    expect(await value(agent.url, 'scrape_samples_scraped{job="self"}')).toBe(0);
    await prometheus.kill();
    children.length = 0;
    expect(prometheus.stderr()).not.toMatch(/non-recoverable|Failed to send batch/);
  });

  it('opens an agent’s data directory, and promtool reads it', async () => {
    const folder = processes.folder();
    const agent = await processes.start('agent', [
      '--data-dir',
      folder,
      '--no-plugins',
      '--no-self-metrics',
      '--web.enable-remote-write-receiver',
    ]);
    // Two hours and more in the past and up to now: enough for a block and a head.
    const now = Math.floor(Date.now() / 15_000) * 15_000;
    const start = now - 4 * 3_600_000;
    const count = (now - start) / 15_000;
    const samples = Array.from({ length: count }, (_, i): [number, number] => [
      start + i * 15_000,
      i,
    ]);
    for (let at = 0; at < count; at += 120) {
      expect(
        await remoteWrite(agent.url, [
          { labels: { __name__: 'interop_total', job: 'x' }, samples: samples.slice(at, at + 120) },
        ]),
      ).toBe(204);
    }
    expect(await agent.stop()).toBe(0);

    const analysed = execFileSync('promtool', ['tsdb', 'dump', folder], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const dumped = analysed.split('\n').filter(line => line.includes('interop_total')).length;
    expect(dumped).toBe(count);
    execFileSync('promtool', ['tsdb', 'list', folder]);

    const copy = processes.folder();
    cpSync(folder, copy, { recursive: true });
    const prometheus = await startPrometheus(copy, 'scrape_configs: []\n');
    const answer = await api(prometheus.url, 'query', {
      query: 'count_over_time(interop_total[5h])',
      time: now / 1000,
    });
    expect(answer.data.result[0]?.value?.[1]).toBe(String(count));
    const last = await api(prometheus.url, 'query', { query: 'interop_total', time: now / 1000 });
    expect(last.data.result[0]?.value?.[1]).toBe(String(count - 1));
  });
});
