// Blocks from rules beside a real Prometheus: it evaluates, promtool makes the same series, and promtool reads
// what we wrote.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { backfilled } from '../fakes/directory-tools.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, openTestDb } from '../fakes/test-db.ts';
import { tsdbTool } from '../fakes/tool-process.ts';
import { until } from '../fakes/until.ts';

const installed = ['prometheus', 'promtool'].every(
  name => spawnSync(name, ['--version']).status === 0,
);
const missing = installed ? '' : ' (skipped: prometheus and promtool are not installed)';
const DEADLINE_MS = 120_000;
const SECOND = BLOCK_START / 1000;
const RULES = `groups:
  - name: g
    interval: 1m
    rules:
      - record: k:m:count
        expr: count by (k) (m)
        labels: { team: a }
      - record: k:m:positive
        expr: count by (k) (m > 0)
      - alert: Never
        expr: m < 0
`;

async function freePort(): Promise<number> {
  return await new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
}

/** The lines promtool dumps; it wants a log directory beside blocks. */
function dumpedLines(dir: string): string[] {
  mkdirSync(join(dir, 'wal'), { recursive: true });
  const run = spawnSync('promtool', ['tsdb', 'dump', dir], { encoding: 'utf8' });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  return run.stdout.trim().split('\n');
}

/** Dumped `labels value` texts with how often each occurs. */
function counted(dir: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const line of dumpedLines(dir)) {
    const key = line.slice(0, line.lastIndexOf(' '));
    out.set(key, (out.get(key) ?? 0) + 1);
  }
  return out;
}

const children: ChildProcess[] = [];

afterAll(async () => {
  for (const child of children) {
    const ended = once(child, 'exit');
    if (child.kill('SIGTERM')) await ended;
  }
});

/** Starts Prometheus over a directory and resolves to its URL. */
async function startPrometheus(dir: string): Promise<string> {
  const config = join(temporaryDirectory(), 'prometheus.yml');
  writeFileSync(config, '');
  const port = await freePort();
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${dir}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--storage.tsdb.retention.time=20000d',
    '--enable-feature=native-histograms',
  ];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let log = '';
  child.stderr.on('data', chunk => (log += chunk));
  const ready = (): boolean => log.includes('Server is ready to receive web requests');
  await until('Prometheus is ready', ready, 60_000);
  return `http://127.0.0.1:${port}`;
}

describe.skipIf(!installed)(`rules and Prometheus${missing}`, { timeout: DEADLINE_MS }, () => {
  const data = temporaryDirectory();
  const rules = join(temporaryDirectory(), 'rules.yaml');
  const times = [`--start=${SECOND + 600}`, `--end=${SECOND + 9600}`];
  let url = '';

  beforeAll(async () => {
    const lines: string[] = [];
    for (let series = 0; series < 6; series++) {
      for (let i = 0; i < 700; i++) {
        lines.push(`m{s="${series}",k="${series % 2}"} ${series * i * 30} ${SECOND + i * 15}`);
      }
    }
    await backfilled(data, `${lines.join('\n')}\n# EOF\n`);
    writeFileSync(rules, RULES);
    url = await startPrometheus(data);
  }, DEADLINE_MS);

  it('make the series that promtool makes', async () => {
    const theirs = temporaryDirectory();
    const made = spawnSync(
      'promtool',
      ['tsdb', 'create-blocks-from', 'rules', `--url=${url}`, ...times].concat([
        `--output-dir=${theirs}`,
        rules,
      ]),
      { encoding: 'utf8' },
    );
    expect(made).toMatchObject({ status: 0 });
    const ours = temporaryDirectory();
    const run = tsdbTool(
      ['create-blocks-from', 'rules', '--url', url, ...times].concat(['--output-dir', ours, rules]),
    );
    expect(run).toMatchObject({ status: 0 });
    expect(run.stderr).toContain('2 recording rules evaluated\n1 alerting rules passed over');
    const [mine, other] = [counted(ours), counted(theirs)];
    expect([...mine.keys()].sort()).toEqual([...other.keys()].sort());
    expect(mine.size).toBe(4);
    expect(mine.get('{__name__="k:m:count", k="0", team="a"} 3')).toBe(151);
    // The evaluation times of promtool are shifted within the interval, by a hash of the file's name.
    for (const [key, count] of other) expect(Math.abs(mine.get(key)! - count)).toBeLessThan(3);
  });

  it('make the same over the directory without a server', () => {
    const [served, local] = [temporaryDirectory(), temporaryDirectory()];
    const command = ['create-blocks-from', 'rules', ...times];
    tsdbTool([...command, '--url', url, '--output-dir', served, rules]);
    tsdbTool([...command, '--data-dir', data, '--output-dir', local, rules]);
    expect(counted(local)).toEqual(counted(served));
    expect(counted(local).size).toBe(4);
  });
});

describe.skipIf(!installed)(`native histograms of rules and Prometheus${missing}`, () => {
  it('are read', { timeout: DEADLINE_MS }, async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'h' }));
    for (let i = 0; i < 10; i++) {
      const counts = Float64Array.of(i, 2 * i);
      const sample = { schema: 2, count: 3 * i, sum: i, positiveSpans: [{ offset: 1, length: 2 }] };
      const one = histogram({ ...sample, positiveBuckets: counts, integer: true });
      appender.appendHistogram(ref, BLOCK_START + i * 60_000, one);
    }
    await appender.commit();
    await db.close();
    const rules = join(temporaryDirectory(), 'rules.yaml');
    writeFileSync(rules, 'groups: [{ name: g, rules: [{ record: r, expr: h }] }]\n');
    const from = ['create-blocks-from', 'rules', `--start=${SECOND}`, `--end=${SECOND + 540}`];
    const [local, served] = [temporaryDirectory(), temporaryDirectory()];
    const source = await startPrometheus(dir);
    for (const [out, place] of [
      [local, ['--data-dir', dir]],
      [served, ['--url', source]],
    ] as const) {
      const run = tsdbTool([...from, ...place, '--output-dir', out, rules]);
      expect(run).toMatchObject({ status: 0 });
      expect(tsdbTool(['verify', out])).toMatchObject({ status: 0 });
      const url = await startPrometheus(out);
      for (const call of ['', 'histogram_count', 'histogram_sum']) {
        expect(await answer(url, `${call}(r)`)).toEqual(await answer(source, `${call}(h)`));
      }
      expect(await answer(url, 'histogram_count(r)')).toContain('"27"');
    }
  });
});

async function answer(url: string, query: string): Promise<string> {
  const time = String(SECOND + 540);
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query, time })}`);
  return (await response.text()).replaceAll('"__name__":"r"', '').replaceAll('"__name__":"h"', '');
}
