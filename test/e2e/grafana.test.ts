// What Grafana and a Prometheus that scrapes ask of an agent, on the host's own data.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, Processes, type Running, until } from './processes.ts';

const PROMTOOL = '/usr/bin/promtool';

const processes = new Processes();
let agent: Running;
beforeAll(async () => {
  const args = ['--data-dir', processes.folder(), '--collect-interval', '1s'];
  agent = await processes.start('agent', args);
  await until(async () => {
    const query = { query: 'count_over_time(node_cpu_seconds_total{cpu="0",mode="idle"}[1m]) > 1' };
    return (await api(agent.url, 'query', query)).data.result.length > 0;
  }, 'two collections are stored');
});
afterAll(() => processes.cleanUp());

async function data(path: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(`${agent.url}/api/v1/${path}`, init);
  const body = (await answer.json()) as { status: string; data: unknown };
  expect([answer.status, body.status]).toEqual([200, 'success']);
  return body.data;
}

describe('a Grafana data source', () => {
  it('finds a Prometheus 3', async () => {
    expect(await data('status/buildinfo')).toMatchObject({ version: '3.0.0' });
  });

  it('lists labels, values and series, with and without a selector', async () => {
    expect(await data('labels')).toEqual(expect.arrayContaining(['__name__', 'cpu', 'mode']));
    expect(await data('labels?match[]=node_cpu_seconds_total')).toEqual([
      '__name__',
      'cpu',
      'instance',
      'job',
      'mode',
    ]);
    const values = 'label/mode/values?match[]=node_cpu_seconds_total{cpu="0"}';
    expect(await data(values)).toEqual(expect.arrayContaining(['idle', 'system', 'user']));
    expect(await data('label/nope/values')).toEqual([]);
    const now = Date.now() / 1000;
    const body = new URLSearchParams({
      'match[]': 'node_load1',
      start: `${now - 60}`,
      end: `${now}`,
    });
    expect(await data('series', { method: 'POST', body })).toMatchObject([
      { __name__: 'node_load1', job: 'node' },
    ]);
    expect(await data(`series?match[]=node_load1&start=0&end=1`)).toEqual([]);
  });

  it('draws a panel with a POST of query_range', async () => {
    const end = Math.floor(Date.now() / 15_000) * 15;
    const body = new URLSearchParams({
      query: 'sum by (mode) (rate(node_cpu_seconds_total{job="node"}[1m]))',
      ...{ start: `${end - 60}`, end: `${end + 15}`, step: '1' },
    });
    const { resultType, result } = (await data('query_range', { method: 'POST', body })) as {
      resultType: string;
      result: { metric: Record<string, string>; values: [number, string][] }[];
    };
    expect(resultType).toBe('matrix');
    expect(result.map(({ metric }) => metric['mode'])).toContain('idle');
  });

  it('knows types and help of collected metrics and of the agent’s own', async () => {
    expect(await data('metadata?metric=node_cpu_seconds_total')).toEqual({
      node_cpu_seconds_total: [
        { type: 'counter', help: 'Time the CPU spent in the mode.', unit: 'seconds' },
      ],
    });
    const all = (await data('metadata')) as Record<string, { type: string; help: string }[]>;
    for (const name of ['node_load1', 'node_memory_MemTotal_bytes', 'agent_plugin_state']) {
      expect(all[name]).toMatchObject([{ type: 'gauge', help: expect.stringMatching(/./) }]);
    }
  });

  it.each([
    ['rules', { groups: [] }],
    ['alerts', { alerts: [] }],
    ['alertmanagers', { activeAlertmanagers: [], droppedAlertmanagers: [] }],
    ['query_exemplars?query=up&start=0&end=1', []],
    ['format_query?query=sum(up)by(job)', 'sum by (job) (up)'],
  ])('gets Prometheus’ answer from %s', async (path, expected) => {
    expect(await data(path)).toEqual(expected);
  });

  it('is healthy by the query that the save button sends, in both methods', async () => {
    const query = new URLSearchParams({ query: '1+1', time: `${Date.now() / 1000}` });
    for (const init of [{}, { method: 'POST', body: query }]) {
      const path = 'method' in init ? 'query' : `query?${query}`;
      expect(await data(path, init)).toMatchObject({
        resultType: 'scalar',
        result: [expect.any(Number), '2'],
      });
    }
  });

  it('is no Mimir, Cortex or Thanos by its build information', async () => {
    const info = (await data('status/buildinfo')) as Record<string, unknown>;
    // Grafana takes `application` and `features` for one of those.
    expect([info['application'], info['features']]).toEqual([undefined, undefined]);
    expect(info['version']).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('fills the metric browser and the query builder with limits and selectors', async () => {
    const now = Math.floor(Date.now() / 1000);
    const range = `start=${now - 3600}&end=${now}`;
    const names = (await data(`label/__name__/values?${range}&limit=40000`)) as string[];
    expect(names).toContain('node_load1');
    expect(await data(`label/__name__/values?${range}&limit=2`)).toEqual(names.slice(0, 2));
    const match = encodeURIComponent('{__name__="node_cpu_seconds_total",cpu="0"}');
    expect(await data(`labels?${range}&match[]=${match}&limit=3`)).toEqual([
      '__name__',
      'cpu',
      'instance',
    ]);
    const form = new URLSearchParams({ 'match[]': 'node_load1', limit: '40000' });
    expect(await data('labels', { method: 'POST', body: form })).toEqual([
      '__name__',
      'instance',
      'job',
    ]);
    expect(await data(`label/mode/values?${range}&match[]=${match}&limit=1`)).toHaveLength(1);
    const found = await data('series', {
      method: 'POST',
      body: new URLSearchParams({ 'match[]': '{cpu="0"}', limit: '2' }),
    });
    expect(found).toHaveLength(2);
    const metadata = await data('metadata?limit=2&limit_per_metric=1');
    expect(Object.keys(metadata as object)).toHaveLength(2);
  });

  it('shows exemplars, annotations and variables', async () => {
    const now = Math.floor(Date.now() / 1000);
    const body = new URLSearchParams({
      query: 'rate(node_cpu_seconds_total[1m])',
      ...{ start: `${now - 60}`, end: `${now}` },
    });
    expect(await data('query_exemplars', { method: 'POST', body })).toEqual([]);
    body.set('step', '60');
    body.set('query', 'changes(node_boot_time_seconds[1m]) > 0');
    expect(await data('query_range', { method: 'POST', body })).toMatchObject({ result: [] });
    const variable = 'query?query=count%20by(mode)(node_cpu_seconds_total)';
    expect(((await data(variable)) as { result: unknown[] }).result.length).toBeGreaterThan(3);
  });

  it('lists rules and alerts as the alerting pages ask for them', async () => {
    expect(await data('rules?type=alert&group_limit=40&exclude_alerts=true')).toEqual({
      groups: [],
    });
    expect(await data('alerts?limit_alerts=10')).toEqual({ alerts: [] });
  });

  it('shows the plugin and the agent as targets that are up', async () => {
    const { activeTargets } = (await data('targets?state=active')) as {
      activeTargets: { scrapePool: string; health: string; lastError: string }[];
    };
    expect(
      activeTargets.map(({ scrapePool, health, lastError }) => [scrapePool, health, lastError]),
    ).toEqual([
      ['plugin/builtin', 'up', ''],
      ['agent', 'up', ''],
    ]);
    const metadata = await data('targets/metadata?metric=node_load1');
    expect(metadata).toMatchObject([{ target: { job: 'node' }, type: 'gauge' }]);
  });

  it('counts what the head has', async () => {
    const { headStats, seriesCountByMetricName } = (await data('status/tsdb?limit=3')) as {
      headStats: { numSeries: number };
      seriesCountByMetricName: { name: string; value: number }[];
    };
    expect(seriesCountByMetricName).toHaveLength(3);
    const counted = (await data('query?query=count({__name__!=""})')) as {
      result: { value: [number, string] }[];
    };
    expect(headStats.numSeries).toBeGreaterThanOrEqual(Number(counted.result[0]!.value[1]));
  });

  it('is a page for people too, whose links all work', async () => {
    const answer = await fetch(`${agent.url}/`);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const links = [...(await answer.text()).matchAll(/href="([^"]+)"/g)].map(match => match[1]!);
    expect(links).toContain('/metrics');
    expect(links.length).toBeGreaterThan(10);
    for (const link of links) {
      expect([link, (await fetch(agent.url + link.replaceAll('&amp;', '&'))).status]).toEqual([
        link,
        200,
      ]);
    }
  });
});

async function metrics(search = '', accept = 'text/plain'): Promise<[number, string]> {
  const answer = await fetch(`${agent.url}/metrics${search}`, { headers: { accept } });
  return [answer.status, await answer.text()];
}

describe('/metrics', () => {
  it('has the families of the collectors that are named, or all but those', async () => {
    const [, load] = await metrics('?collect[]=loadavg');
    expect(load.match(/^[^#\s]+/gm)).toEqual([
      'node_scrape_collector_duration_seconds{collector="loadavg"}',
      'node_scrape_collector_success{collector="loadavg"}',
      'node_scrape_collector_cpu_seconds_total{collector="loadavg"}',
      'node_load1',
      'node_load5',
      'node_load15',
    ]);
    const [, rest] = await metrics('?exclude[]=loadavg&exclude[]=cpu');
    expect(rest).not.toMatch(/^node_(load|cpu_seconds)/m);
    expect(rest).toMatch(/^node_memory_MemTotal_bytes /m);
  });

  it('refuses a collector that does not run, and both at once', async () => {
    for (const search of ['?collect[]=nope', '?exclude[]=nope']) {
      const [status, text] = await metrics(search);
      expect(status).toBe(400);
      expect(text).toContain('missing collector: nope; running are: arp, ');
    }
    expect((await metrics('?collect[]=cpu&exclude[]=cpu'))[0]).toBe(400);
  });

  it('describes every family, in the text format and in OpenMetrics', async () => {
    const [, text] = await metrics();
    const [, open] = await metrics('', 'application/openmetrics-text; version=1.0.0');
    expect(open.endsWith('\n# EOF\n')).toBe(true);
    expect(open.match(/^# EOF/gm)).toHaveLength(1);
    for (const exposition of [text, open]) {
      const named = (kind: string): Set<string> =>
        new Set([...exposition.matchAll(new RegExp(`^# ${kind} (\\S+)`, 'gm'))].map(m => m[1]!));
      const [help, type] = [named('HELP'), named('TYPE')];
      expect([...type].filter(name => !help.has(name))).toEqual([]);
      const samples = [...exposition.matchAll(/^([a-zA-Z_:][\w:]*)[ {]/gm)].map(m => m[1]!);
      const bare = samples.filter(
        name => !type.has(name) && !type.has(name.replace(/_(bucket|sum|count|total|info)$/, '')),
      );
      expect([...new Set(bare)]).toEqual([]);
      expect(samples).toContain('agent_ingest_samples_total');
    }
  });

  it.skipIf(!existsSync(PROMTOOL))(
    'passes promtool, but for names node_exporter has as well (skipped without promtool)',
    async () => {
      const [, input] = await metrics();
      let lint = '';
      try {
        execFileSync(PROMTOOL, ['check', 'metrics'], { input, stdio: 'pipe' });
      } catch (error) {
        const { status, stderr, stdout } = error as {
          status: number;
          stderr: Buffer;
          stdout: Buffer;
        };
        // 3 is lint; a text that cannot be read is 1.
        expect([status, String(stdout)]).toEqual([3, '']);
        lint = String(stderr);
      }
      const ours = lint.split('\n').filter(line => line !== '' && !line.startsWith('node_'));
      expect(ours).toEqual([]);
    },
  );
});
