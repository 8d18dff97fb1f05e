// One node_exporter, scraped by an agent and by Debian's Prometheus: the same series come of it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { api, Processes, until } from '../e2e/processes.ts';

const installed = ['prometheus', 'prometheus-node-exporter'].every(onPath);
if (!installed) console.warn('skipped: prometheus or prometheus-node-exporter is not installed');

const processes = new Processes();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
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

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
}

function start(command: string, args: readonly string[]): void {
  children.push(spawn(command, args, { stdio: 'ignore' }));
}

/** What a scrape left: series as texts, and the values of those that do not move. */
async function scraped(url: string): Promise<{ series: string[]; fixed: Map<string, string> }> {
  const { data } = await api(url, 'query', { query: '{job="node"}' });
  const fixed = new Map<string, string>();
  const series = data.result.map(({ metric, value }) => {
    // Prometheus 2 stores quantiles as they are written; version 3 and we store "1.0" for "1".
    const quantile = metric['quantile'];
    const spelled =
      quantile === undefined ? metric : { ...metric, quantile: String(Number(quantile)) };
    const text = JSON.stringify(Object.entries(spelled).sort());
    if (/_info$|^node_boot_time|_max_|_bytes_total_size|memory_MemTotal/.test(metric['__name__']!))
      fixed.set(text, value![1]);
    return text;
  });
  return { series: series.sort(), fixed };
}

describe.skipIf(!installed)('an agent and Prometheus', () => {
  it('make the same series of one node_exporter', { timeout: 60_000 }, async () => {
    const [exporterPort, prometheusPort] = [await freePort(), await freePort()];
    start('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${exporterPort}`]);
    const config = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['127.0.0.1:${exporterPort}'], labels: {zone: a}}]
    metric_relabel_configs:
      - {source_labels: [__name__], regex: 'go_memstats_.*', action: drop}
`;
    const folder = processes.folder();
    const file = join(folder, 'scrape.yml');
    writeFileSync(file, config);
    start('prometheus', [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ]);
    const data = join(folder, 'agent');
    const agent = await processes.start('agent', [
      ...['--no-plugins', '--config.file', file, '--data-dir', data],
    ]);
    const prometheus = `http://127.0.0.1:${prometheusPort}`;
    const isUp = async (url: string): Promise<boolean> => {
      const query = 'scrape_samples_scraped{job="node"} > 200 and scrape_series_added < 5';
      const answer = await api(url, 'query', { query }).catch(() => null);
      return (answer?.data?.result?.length ?? 0) > 0;
    };
    await until(
      async () => (await isUp(agent.url)) && (await isUp(prometheus)),
      'both have scraped',
    );
    // A device may come or go between two scrapes, so a few looks are allowed.
    let ours = await scraped(agent.url);
    let theirs = await scraped(prometheus);
    await until(async () => {
      [ours, theirs] = [await scraped(agent.url), await scraped(prometheus)];
      return ours.series.join() === theirs.series.join();
    }, 'both have the same series').catch(() => {});
    expect(ours.series).toEqual(theirs.series);
    expect(ours.series.length).toBeGreaterThan(200);
    expect(ours.fixed).toEqual(theirs.fixed);
    expect(ours.fixed.size).toBeGreaterThan(3);

    const metadata = async (url: string) =>
      (await (await fetch(`${url}/api/v1/metadata?metric=node_load1`)).json()) as object;
    expect(await metadata(agent.url)).toEqual(await metadata(prometheus));
  });
});
