// Native histograms and a real Prometheus: it answers from our directory as we do, takes our log up, and what
// it sends us over remote write is what it holds. OUTPOST_PROMETHEUS names another binary than that on the
// path; one of version 3 is also asked for custom buckets, and sends remote write 2.0.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { ManualClock, sleep, systemClock } from '../../src/lifecycle/clock.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { newTestApi } from '../fakes/api.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { HOUR, openTestDb } from '../fakes/test-db.ts';
import { type WrittenSeries, writeBody } from '../fakes/write-request.ts';

const MINUTE = 60_000;
const DEADLINE_MS = 30_000;
const BINARY = process.env['OUTPOST_PROMETHEUS'] ?? 'prometheus';
// A build without a version is one of the newest source.
const VERSION = Number(/version (\d*)/.exec(versionOf(BINARY))?.[1] || (onPath(BINARY) ? 3 : 0));
const installed = VERSION > 0;

function versionOf(binary: string): string {
  const { stdout, stderr } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

function onPath(binary: string): boolean {
  return versionOf(binary).includes('prometheus');
}

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const children: ChildProcess[] = [];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const close of closing.splice(0)) await close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until<T>(what: string, attempt: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const result = await attempt();
    if (result !== null) return result;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(systemClock, 50);
  }
}

async function startPrometheus(dataDir: string, config: object = {}): Promise<Server> {
  const port = await freePort();
  const file = join(temporaryDirectory(), 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(
    BINARY,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${dataDir}`,
      '--storage.tsdb.retention.time=36500d',
      '--web.enable-remote-write-receiver',
      ...(VERSION < 3 ? ['--enable-feature=native-histograms'] : []),
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  children.push(child);
  let stderr = '';
  child.stderr!.on('data', chunk => (stderr += chunk));
  const url = `http://127.0.0.1:${port}`;
  await until('prometheus is ready', async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended: ${stderr}`);
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    return answer?.ok ? true : null;
  });
  return {
    url,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** `count` observations more each step, in buckets that come and go. */
function grown(step: number, properties: Partial<FloatHistogram> = {}): FloatHistogram {
  const factor = properties.integer ? 1 : 0.25;
  const length = 2 + (Math.floor(step / 7) % 3);
  const positiveBuckets = Float64Array.from({ length }, (_, i) => (step + 1) * (i + 1) * factor);
  const negativeBuckets = Float64Array.of((step + 2) * factor);
  const zeroCount = step * factor;
  const inBuckets = positiveBuckets.reduce((a, b) => a + b) + negativeBuckets[0]! + zeroCount;
  return histogram({
    schema: 3,
    zeroThreshold: 2 ** -128,
    zeroCount,
    count: inBuckets,
    sum: step * 2.5,
    positiveSpans: [
      { offset: -2, length: 1 },
      { offset: 4, length: length - 1 },
    ],
    positiveBuckets,
    negativeSpans: [{ offset: 1, length: 1 }],
    negativeBuckets,
    ...properties,
  });
}

function custom(step: number): FloatHistogram {
  return histogram({
    schema: -53,
    count: 3 * (step + 1),
    sum: step,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveBuckets: Float64Array.of(step + 1, 2 * (step + 1)),
    customValues: Float64Array.of(0.1, 2.5),
    integer: true,
  });
}

/** What series `name` is at a step: a float, a histogram or a marker. */
function sampleOf(name: string, step: number): number | FloatHistogram | null {
  if (step % 23 === 22) return null;
  if (name === 'h_integer') return grown(step % 40, { integer: true });
  if (name === 'h_float') return grown(step % 40);
  if (name === 'h_gauge') return grown((step * 5) % 11, { counterResetHint: 'gauge' });
  if (name === 'h_custom') return custom(step % 40);
  return step % 5 < 2 ? step : grown(step, step % 5 === 4 ? {} : { integer: true });
}

const NAMES = ['h_integer', 'h_float', 'h_gauge', 'h_mixed', ...(VERSION < 3 ? [] : ['h_custom'])];

async function fill(db: Db, start: number, steps: readonly [number, number]): Promise<void> {
  for (let step = steps[0]; step < steps[1]; step++) {
    const appender = db.appender();
    for (const name of NAMES) {
      const ref = appender.series(Labels.fromObject({ __name__: name, job: 'x' }));
      const time = start + step * MINUTE;
      const sample = sampleOf(name, step);
      if (sample === null) appender.appendStale(ref, time);
      else if (typeof sample === 'number') appender.append(ref, time, sample);
      else appender.appendHistogram(ref, time, sample);
    }
    expect((await appender.commit()).stored).toBe(NAMES.length);
  }
}

// Older versions compute other things in another way.
const QUERIES = [
  ...NAMES,
  '{job="x"}',
  'histogram_count(h_integer)',
  'histogram_sum(h_float)',
  'sum(h_float)',
  ...(VERSION < 3
    ? []
    : [
        'rate(h_integer[30m])',
        'increase(h_float[20m])',
        'histogram_quantile(0.7, rate(h_custom[10m]))',
        'resets(h_float[1h])',
        'count_over_time(h_mixed[1h])',
        'histogram_avg(h_gauge)',
        'delta(h_gauge[20m])',
      ]),
];

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly metric: Record<string, string> }[] };
}

/** Result of a range query, series in one order. */
async function range(url: string, query: string, [from, to]: readonly number[]): Promise<unknown> {
  const fields = { query, start: `${from! / 1000}`, end: `${to! / 1000}`, step: '120' };
  const response = await fetch(`${url}/api/v1/query_range?${new URLSearchParams(fields)}`);
  const { status, data, error } = (await response.json()) as Answer;
  if (!data) throw new Error(`${query}: ${error}`);
  const result = [...data.result].sort((a, b) =>
    JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1,
  );
  return { status, result };
}

async function ours(db: Db, now: number): Promise<string> {
  const { api } = newTestApi(now, { queryableFor: () => db });
  closing.push(() => api.close());
  return await api.listen({ host: '127.0.0.1', port: 0 });
}

const name = (what: string): string => (installed ? what : `${BINARY} is not installed`);

test.skipIf(!installed)(
  name('Prometheus answers from our blocks and our log as we do'),
  async () => {
    const start = Math.floor(Date.now() / (2 * HOUR)) * 2 * HOUR - 6 * HOUR;
    const clock = new ManualClock(start + 6 * HOUR);
    const dir = temporaryDirectory();
    let db = await openTestDb(dir, { clock, retentionMs: 0 });
    await fill(db, start, [0, 300]);
    await db.maintain();
    await fill(db, start, [300, 330]);
    expect(db.blocks.length).toBe(1);
    await db.close();
    const theirDir = temporaryDirectory();
    cpSync(dir, theirDir, { recursive: true });
    const theirs = await startPrometheus(theirDir);
    db = await openTestDb(dir, { clock, retentionMs: 0 });
    closing.push(() => db.close());
    const url = await ours(db, clock.now());
    // Not on a sample: older versions take in both ends of a range.
    const times = [start + 30_000, start + 335 * MINUTE];
    for (const query of QUERIES) {
      const answer = await range(theirs.url, query, times);
      expect(JSON.stringify(answer).length, query).toBeGreaterThan(200);
      expect(await range(url, query, times), query).toEqual(answer);
    }
  },
  60_000,
);

test.skipIf(!installed)(
  name('what Prometheus sends us is what it holds'),
  async () => {
    const registry = new Registry();
    const db = await openTestDb(temporaryDirectory(), {
      clock: systemClock,
      retentionMs: 0,
      outOfOrderMs: 0,
    });
    closing.push(() => db.close());
    const receiver = new RemoteWriteReceiver({
      appendable: db,
      clock: systemClock,
      registry,
      seed: 1,
    });
    const types = new Set<string | undefined>();
    const answers: string[] = [];
    const { api } = newTestApi(Date.now(), {
      queryableFor: () => db,
      write: async (body, headers) => {
        types.add(headers.contentType);
        const answer = await receiver.receive(body, headers);
        answers.push(`${answer.status} ${answer.message}`);
        return answer;
      },
    });
    closing.push(() => api.close());
    const url = await api.listen({ host: '127.0.0.1', port: 0 });
    const theirs = await startPrometheus(temporaryDirectory(), {
      remote_write: [
        {
          url: `${url}/api/v1/write`,
          send_native_histograms: true,
          queue_config: { batch_send_deadline: '100ms' },
          ...(VERSION < 3 ? {} : { protobuf_message: 'io.prometheus.write.v2.Request' }),
        },
      ],
    });
    // What is older than its start is not sent on.
    const start = Date.now() + 1000;
    for (let step = 0; step < 40; step++) {
      const time = start + step * 14_000;
      const body = writeBody(NAMES.map(one => written(one, time, sampleOf(one, step))));
      const headers = { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' };
      const response = await fetch(`${theirs.url}/api/v1/write`, { method: 'POST', body, headers });
      expect(await response.text()).toBe('');
    }
    const times = [start + 1000, start + 600_000];
    const expected = await range(theirs.url, '{job="x"}', times);
    await until('everything has arrived', async () => {
      const found = await range(url, '{job="x"}', times);
      return JSON.stringify(found) === JSON.stringify(expected) ? true : null;
    }).catch(() => {});
    expect(await range(url, '{job="x"}', times)).toEqual(expected);
    expect(new Set(answers)).toEqual(new Set(['204 ']));
    expect([...types].every(type => type?.includes('v2') === VERSION >= 3)).toBe(true);
  },
  90_000,
);

function written(
  name: string,
  time: number,
  sample: number | FloatHistogram | null,
): WrittenSeries {
  const labels = [
    ['__name__', name],
    ['job', 'x'],
  ] as const;
  if (typeof sample === 'number') return { labels, samples: [[time, sample]] };
  return { labels, sentHistograms: [[time, sample]] };
}
