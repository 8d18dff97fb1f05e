// One data directory, two databases: Prometheus and promtool read what we write, we read what Prometheus
// writes, and a log written by one goes on in the other.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { Slicer } from '../../src/lifecycle/slicer.ts';
import { readSegment } from '../../src/tsdb/wal/log-reader.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { contents, HOUR, openTestDb } from '../fakes/test-db.ts';

const MINUTE = 60_000;
const installed = ['prometheus', 'promtool'].every(onPath);
if (!installed) console.warn('skipped: prometheus and promtool are not installed');

function onPath(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// Debian's Prometheus takes no lock unless told to; others always do.
const LOCKING: readonly string[] =
  installed && helpOf('prometheus').includes('--storage.tsdb.use-lockfile')
    ? ['--storage.tsdb.use-lockfile']
    : [];

function helpOf(command: string): string {
  const { stdout, stderr } = spawnSync(command, ['--help'], { encoding: 'utf8' });
  return stdout + stderr;
}

function promtool(...args: string[]): string {
  return execFileSync('promtool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const MEMORY_SNAPSHOT = ['--enable-feature=memory-snapshot-on-shutdown'];

interface Server {
  readonly url: string;
  readonly stderr: () => string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until<T>(what: string, attempt: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const result = await attempt();
    if (result !== null) return result;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Debian's Prometheus over a data directory; it scrapes itself every second where told to. */
async function startPrometheus(
  dataDir: string,
  scrape = false,
  flags: readonly string[] = [],
): Promise<Server> {
  const port = await freePort();
  const config = join(temporaryDirectory(), 'prometheus.yml');
  const job = `scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:${port}']}]}]`;
  writeFileSync(
    config,
    `global: {scrape_interval: 1s, scrape_timeout: 1s}\n${scrape ? job : ''}\n`,
  );
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dataDir}`,
      '--storage.tsdb.retention.time=100000d',
      ...LOCKING,
      ...flags,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', chunk => (stderr += chunk));
  const exit = once(child, 'exit');
  const server: Server = {
    url: `http://127.0.0.1:${port}`,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await exit;
    },
  };
  servers.push(server);
  await until(`prometheus is ready: ${stderr}`, async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended: ${stderr}`);
    const answer = await fetch(`${server.url}/-/ready`).catch(() => null);
    return answer?.ok ? true : null;
  });
  return server;
}

/** Samples of a range selector, by series text. */
async function query(server: Server, text: string, time: number): Promise<Map<string, string[]>> {
  const url = `${server.url}/api/v1/query?query=${encodeURIComponent(text)}&time=${time / 1000}`;
  const answer = (await (await fetch(url)).json()) as {
    data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  return new Map(
    answer.data.result.map(({ metric, values }) => {
      const { __name__: name, ...rest } = metric;
      const labels = Object.entries(rest).map(([key, value]) => `${key}="${value}"`);
      const series = labels.length === 0 ? name! : `${name}{${labels.join(', ')}}`;
      return [series, values.map(([at, value]) => `${Math.round(at * 1000)}:${value}`)];
    }),
  );
}

const now = Math.floor(Date.now() / (2 * HOUR)) * 2 * HOUR;
const START = now - 6 * HOUR;

/** Four hours of samples a minute, of which two hours are in a block when `maintain` ran. */
async function fillFourHours(
  dir: string,
  cut: boolean,
  snapshotOnClose = false,
): Promise<Map<string, string[]>> {
  const db = await openTestDb(dir, { clock: systemClock, snapshotOnClose });
  const appender = db.appender();
  for (const job of ['a', 'b\u{1f600}']) {
    const ref = appender.series(Labels.fromObject({ __name__: 'temperature', job }));
    for (let t = START; t < START + 4 * HOUR; t += MINUTE) {
      appender.append(ref, t, (t - START) / MINUTE);
    }
  }
  await appender.commit();
  if (cut) await db.maintain();
  expect(db.blocks.length).toBe(cut ? 1 : 0);
  const expected = await contents(db);
  await db.close();
  return expected;
}

describe.skipIf(!installed)('a directory written here', () => {
  test.each([
    ['with the head alone', false],
    ['after a block was cut', true],
  ])('is read by Prometheus, %s', async (_, cut) => {
    const dir = temporaryDirectory();
    const expected = await fillFourHours(dir, cut);
    const server = await startPrometheus(dir);
    expect(await query(server, 'temperature[5h]', START + 4 * HOUR)).toEqual(expected);
    expect(server.stderr()).not.toMatch(/level=(warn|error)/);
  });

  // Prometheus does not know our snapshot of the head and replays the log; we go on behind the snapshot. Its
  // own snapshots and head chunks hold nothing that the log does not.
  test.each([
    ['and is killed', 'SIGKILL', false, []],
    ['and is killed, beside our snapshot of the head', 'SIGKILL', true, []],
    ['beside our snapshot of the head and its own', 'SIGTERM', true, MEMORY_SNAPSHOT],
    ['with its own snapshot of the head', 'SIGTERM', false, MEMORY_SNAPSHOT],
  ] as const)('goes on in Prometheus and comes back: %s', async (_, signal, withOurs, flags) => {
    const dir = temporaryDirectory();
    const expected = await fillFourHours(dir, true, withOurs);
    const server = await startPrometheus(dir, true, flags);
    await until('prometheus has scraped itself', async () => {
      const answer = await query(server, 'up[1m]', Date.now());
      return answer.size > 0 ? true : null;
    });
    expect(await query(server, 'temperature[5h]', START + 4 * HOUR)).toEqual(expected);
    await server.stop(signal);
    const ofHead = (name: string): boolean => /^(chunk_snapshot\.|chunks_head$|head\.)/.test(name);
    expect(readdirSync(dir).filter(ofHead).length).toBe(1 + (withOurs ? 1 : 0) + flags.length);
    const db = await openTestDb(dir, { clock: systemClock });
    expect(db.headSnapshot.kind).toBe(withOurs ? 'loaded' : 'none');
    expect(readdirSync(dir).filter(ofHead)).toEqual([]);
    expect(db.replay).toMatchObject({ damages: 0, samplesLost: 0 });
    const ours = await contents(db, [new Matcher('=', '__name__', 'temperature')]);
    expect(ours).toEqual(expected);
    expect((await contents(db, [new Matcher('=', '__name__', 'up')])).size).toBe(1);
    expect(db.seriesCount).toBeGreaterThan(200);
    await db.close();
  });

  test('is listed, analysed and dumped by promtool', async () => {
    const dir = temporaryDirectory();
    const expected = await fillFourHours(dir, true);
    const list = promtool('tsdb', 'list', dir).trim().split('\n');
    expect(list.length).toBe(2);
    expect(list[1]).toMatch(/ 240 +2 +2 /);
    expect(promtool('tsdb', 'analyze', dir)).toContain('\nSeries: 2\n');
    const dumped = new Map<string, string[]>();
    for (const line of promtool('tsdb', 'dump', dir).trim().split('\n')) {
      const [, labels, value, time] = /^(\{.*\}) (\S+) (\d+)$/.exec(line)!;
      const series = labels!.replace(/^\{__name__="temperature", /, 'temperature{');
      dumped.set(series, [...(dumped.get(series) ?? []), `${time}:${value}`]);
    }
    expect(dumped).toEqual(expected);
  });

  test('a snapshot of it opens in Prometheus', async () => {
    const dir = temporaryDirectory();
    const expected = await fillFourHours(dir, true);
    const db = await openTestDb(dir, { clock: systemClock });
    const snapshot = await db.snapshot('copy');
    await db.close();
    const server = await startPrometheus(snapshot);
    expect(await query(server, 'temperature[5h]', START + 4 * HOUR)).toEqual(expected);
  });
});

describe.skipIf(!installed)('a directory written by Prometheus', () => {
  test('opens here with every sample, and its log is read record for record', async () => {
    const dir = temporaryDirectory();
    const server = await startPrometheus(dir, true);
    await until('a few scrapes', async () => {
      const answer = await query(server, 'up[1m]', Date.now());
      return [...answer.values()].some(samples => samples.length >= 4) ? true : null;
    });
    const at = Date.now() - 1000;
    const expected = await query(server, '{job="self"}[1m]', at);
    await server.stop('SIGKILL');
    expect(readdirSync(dir)).toContain('chunks_head');
    const segment = join(dir, 'wal', '00000000');
    let records = 0;
    const reading = await readSegment(segment, () => records++, new Slicer(() => 0));
    expect(reading.damages).toEqual([]);
    expect(records).toBeGreaterThan(4);
    const copy = temporaryDirectory();
    mkdirSync(join(copy, 'wal'));
    cpSync(join(dir, 'wal'), join(copy, 'wal'), { recursive: true });
    for (const one of [dir, copy]) {
      const db = await openTestDb(one, { clock: systemClock });
      expect(db.replay).toMatchObject({ damages: 0, samplesLost: 0 });
      const read = await contents(db, [new Matcher('=', 'job', 'self')], [at - MINUTE, at]);
      const texts = (map: Map<string, string[]>): number =>
        [...map.values()].reduce((sum, samples) => sum + samples.length, 0);
      expect(read.size).toBe(expected.size);
      expect(texts(read)).toBe(texts(expected));
      await db.close();
    }
    expect(existsSync(join(dir, 'chunks_head'))).toBe(false);
  });

  test('is refused while Prometheus holds it', async () => {
    const dir = temporaryDirectory();
    await startPrometheus(dir);
    await expect(openTestDb(dir, { clock: systemClock })).rejects.toMatchObject({ code: 'locked' });
    expect(readFileSync(join(dir, 'lock'), 'utf8')).toBe('');
  });
});
