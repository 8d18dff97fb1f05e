// Native histograms out of order in a data directory that Prometheus and we use in turn. OUTPOST_PROMETHEUS
// names another binary than that on the path: one of version 3 takes histograms out of order itself; those
// before pass over them in the log and read what is in order.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { sleep, systemClock } from '../../src/lifecycle/clock.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { contents, openTestDb } from '../fakes/test-db.ts';
import { writeBody } from '../fakes/write-request.ts';

const BINARY = process.env['OUTPOST_PROMETHEUS'] ?? 'prometheus';
const told = spawnSync(BINARY, ['--version'], { encoding: 'utf8' });
const text = `${told.stdout ?? ''}${told.stderr ?? ''}`;
// A build without a version is one of the newest source.
const VERSION = text.includes('prometheus') ? Number(/version (\d+)/.exec(text)?.[1] ?? 3) : 0;
if (VERSION === 0) console.warn('skipped: prometheus is not installed');
else if (VERSION < 3) console.warn('skipped in part: OUTPOST_PROMETHEUS is not of version 3');

const WINDOW_MS = 50 * 60_000;

interface Server {
  readonly url: string;
  stop(signal: NodeJS.Signals): Promise<void>;
}

const running: Server[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop('SIGKILL');
});

async function startPrometheus(dataDir: string): Promise<Server> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const config = join(temporaryDirectory(), 'prometheus.yml');
  writeFileSync(config, 'storage: {tsdb: {out_of_order_time_window: 50m}}\n');
  const child = spawn(
    BINARY,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dataDir}`,
      '--storage.tsdb.retention.time=36500d',
      '--web.enable-remote-write-receiver',
      ...(VERSION < 3 ? ['--enable-feature=native-histograms'] : []),
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const exit = once(child, 'exit');
  const server: Server = {
    url: `http://127.0.0.1:${port}`,
    async stop(signal) {
      child.kill(signal);
      await exit;
    },
  };
  running.push(server);
  const deadline = performance.now() + 30_000;
  for (;;) {
    const answer = await fetch(`${server.url}/-/ready`).catch(() => null);
    if (answer?.ok) return server;
    if (child.exitCode !== null || performance.now() > deadline) throw new Error('not ready');
    await sleep(systemClock, 50);
  }
}

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly values?: readonly [number, string][];
      readonly histograms?: readonly [number, { readonly count: string }][];
    }[];
  };
}

/** Samples of `up`, as `contents` tells them. */
async function query(server: Server, time: number): Promise<string[]> {
  const url = `${server.url}/api/v1/query?query=up[2h]&time=${time / 1000}`;
  const [series] = ((await (await fetch(url)).json()) as Answer).data.result;
  const rows: [number, string][] = [
    ...(series?.values ?? []),
    ...(series?.histograms ?? []).map(([at, { count }]): [number, string] => [at, `h${count}`]),
  ];
  return rows.sort(([a], [b]) => a - b).map(([at, one]) => `${Math.round(at * 1000)}:${one}`);
}

function counted(count: number, changes: Partial<FloatHistogram>): FloatHistogram {
  return histogram({
    schema: 1,
    count,
    sum: count,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    ...changes,
  });
}

const BOUNDS = { schema: -53, customValues: Float64Array.of(1) };
// A version before 3 does not know custom bounds, and mixes up answers of both kinds of counts.
const KINDS: readonly Partial<FloatHistogram>[] =
  VERSION < 3 ? [{ integer: true }] : [{ integer: true }, {}, { ...BOUNDS, integer: true }, BOUNDS];

/** Sample `i` of a hundred: every ninth is a float, the others are histograms of all kinds in runs. */
function sampleOf(i: number): number | FloatHistogram {
  return i % 9 === 0 ? i : counted(100 + i, KINDS[Math.floor(i / 4) % KINDS.length]!);
}

const END = Math.floor(Date.now() / 1000) * 1000 - 1000;
const timeOf = (i: number): number => END - (99 - i) * 20_000;

function expected(taken: (i: number) => boolean): string[] {
  const all = Array.from({ length: 100 }, (_, i) => i).filter(taken);
  return all.map(i => `${timeOf(i)}:${i % 9 === 0 ? i : `h${100 + i}`}`);
}

async function put(db: Db, i: number): Promise<void> {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject({ __name__: 'up' }));
  const sample = sampleOf(i);
  if (typeof sample === 'number') appender.append(ref, timeOf(i), sample);
  else appender.appendHistogram(ref, timeOf(i), sample);
  expect((await appender.commit()).stored).toBe(1);
}

async function send(server: Server, i: number): Promise<void> {
  const sample = sampleOf(i);
  const samples =
    typeof sample === 'number'
      ? { samples: [[timeOf(i), sample] as const] }
      : { sentHistograms: [[timeOf(i), sample] as const] };
  const answer = await fetch(`${server.url}/api/v1/write`, {
    method: 'POST',
    body: writeBody([{ labels: [['__name__', 'up']], ...samples }]),
    headers: {
      'Content-Encoding': 'snappy',
      'Content-Type': 'application/x-protobuf',
      'X-Prometheus-Remote-Write-Version': '0.1.0',
    },
  });
  expect([answer.status, await answer.text()]).toEqual([204, '']);
}

/** What `fill` appends. */
const ours = (i: number): boolean => i % 4 !== 3 && i < 97;

/** Every fourth sample in order, half of the others late and scattered: 0, 4, 8 …, then 1, 2, 5, 6 … */
async function fill(db: Db): Promise<void> {
  for (let i = 0; i < 100; i += 4) await put(db, i);
  for (let n = 0; n < 100; n++) {
    const i = (n * 37) % 100;
    if (ours(i) && i % 4 !== 0) await put(db, i);
  }
}

const open = (dir: string): Promise<Db> =>
  openTestDb(dir, { clock: systemClock, outOfOrderMs: WINDOW_MS });

test.skipIf(VERSION < 3)(
  'what either has logged late is read by the other, and goes on',
  { timeout: 120_000 },
  async () => {
    const dir = temporaryDirectory();
    const db = await open(dir);
    await fill(db);
    await db.close();
    const server = await startPrometheus(dir);
    expect(await query(server, END)).toEqual(expected(ours));
    for (let i = 3; i < 97; i += 4) await send(server, i);
    const all = expected(i => i < 97);
    expect(await query(server, END)).toEqual(all);
    await server.stop('SIGKILL');
    const again = await open(dir);
    const { samplesLost, damages, skipped } = again.outOfOrderReplay;
    expect([samplesLost, damages, [...skipped]]).toEqual([0, 0, []]);
    expect((await contents(again)).get('up')).toEqual(all);
    await put(again, 99);
    await again.close();
    const back = await startPrometheus(dir);
    expect(await query(back, END)).toEqual(expected(i => i < 97 || i === 99));
    await back.stop('SIGTERM');
    const last = await open(dir);
    expect((await contents(last)).get('up')).toEqual(expected(i => i < 97 || i === 99));
    await last.close();
  },
);

test.skipIf(VERSION === 0 || VERSION >= 3)(
  'a version before 3 reads all but the late histograms, and leaves them to us',
  { timeout: 60_000 },
  async () => {
    const dir = temporaryDirectory();
    const db = await open(dir);
    await fill(db);
    await db.close();
    const server = await startPrometheus(dir);
    const known = (i: number): boolean => ours(i) && (i % 4 === 0 || i % 9 === 0);
    expect(await query(server, END)).toEqual(expected(known));
    await server.stop('SIGTERM');
    const again = await open(dir);
    expect((await contents(again)).get('up')).toEqual(expected(ours));
    await again.close();
  },
);
