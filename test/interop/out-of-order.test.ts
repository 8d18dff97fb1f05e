// Samples out of order in a data directory that Prometheus and we use in turn: each finds what the other
// one logged, and what went to blocks.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { contents, HOUR, openTestDb, put } from '../fakes/test-db.ts';
import { writeBody } from '../fakes/write-request.ts';

const MINUTE = 60_000;
const installed = onPath('prometheus');
if (!installed) console.warn('skipped: prometheus is not installed');

function onPath(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

interface Server {
  readonly url: string;
  readonly stderr: () => string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Prometheus over a data directory; it takes samples up to half an hour out of order. */
async function startPrometheus(dataDir: string): Promise<Server> {
  const port = await freePort();
  const config = join(temporaryDirectory(), 'prometheus.yml');
  writeFileSync(config, 'storage: {tsdb: {out_of_order_time_window: 30m}}\n');
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dataDir}`,
      '--storage.tsdb.retention.time=100000d',
      '--web.enable-remote-write-receiver',
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
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await fetch(`${server.url}/-/ready`).catch(() => null);
    if (answer?.ok) return server;
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`prometheus is not ready: ${stderr}`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Samples of `up`, as `contents` tells them. */
async function query(server: Server, range: string, time: number): Promise<string[]> {
  const url = `${server.url}/api/v1/query?query=up[${range}]&time=${time / 1000}`;
  const answer = (await (await fetch(url)).json()) as {
    data: { result: { values: [number, string][] }[] };
  };
  const [series] = answer.data.result;
  return (series?.values ?? []).map(([at, value]) => `${Math.round(at * 1000)}:${value}`);
}

async function write(server: Server, samples: readonly [number, number][]): Promise<void> {
  const body = writeBody([{ labels: [['__name__', 'up']], samples }]);
  const answer = await fetch(`${server.url}/api/v1/write`, {
    method: 'POST',
    body,
    headers: {
      'Content-Encoding': 'snappy',
      'Content-Type': 'application/x-protobuf',
      'X-Prometheus-Remote-Write-Version': '0.1.0',
    },
  });
  expect([answer.status, await answer.text()]).toEqual([204, '']);
}

function texts(rows: readonly (readonly [number, number])[]): string[] {
  return [...rows].sort(([a], [b]) => a - b).map(([time, value]) => `${time}:${value}`);
}

const START = Math.floor(Date.now() / (2 * HOUR)) * 2 * HOUR - 6 * HOUR;

describe.skipIf(!installed)('a directory written here', () => {
  test('is read by Prometheus with samples out of order, from the log and from blocks', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, { clock: systemClock });
    const rows: [number, number][] = [];
    // Three hours and more, of each eight minutes the odd ones late; a block is due in between.
    for (let minute = 0; minute < 208; minute += 8) {
      const at = (n: number): [number, number] => [START + (minute + n) * MINUTE, minute + n];
      const batches = [[0, 2, 4, 6, 7].map(at), [5, 1, 3].map(at)];
      for (const batch of batches) {
        expect((await put(db, { __name__: 'up' }, batch)).stored).toBe(batch.length);
        rows.push(...batch);
      }
      if (minute === 192) await db.maintain();
    }
    const kinds = db.blocks.map(({ meta }) => meta.compaction.hints.join());
    expect(kinds).toEqual(['', 'from-out-of-order']);
    await db.close();
    const server = await startPrometheus(dir);
    const end = START + 4 * HOUR;
    expect(await query(server, '5h', end)).toEqual(texts(rows));
    expect(server.stderr()).not.toMatch(/level=(warn|error)/);
    await server.stop();
    const again = await openTestDb(dir, { clock: systemClock });
    expect((await contents(again)).get('up')).toEqual(texts(rows));
    expect(again.outOfOrderReplay).toMatchObject({ damages: 0, samplesLost: 0 });
    await again.close();
  });
});

describe.skipIf(!installed)('a directory written by Prometheus', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'opens here with its samples out of order, after %s, and goes back',
    async signal => {
      const dir = temporaryDirectory();
      const newest = Math.floor(Date.now() / 1000) * 1000 - 1000;
      const server = await startPrometheus(dir);
      const inOrder = [20, 10, 0].map((minutes): [number, number] => [
        newest - minutes * MINUTE,
        minutes,
      ]);
      await write(server, inOrder);
      // More than its buffers hold, so that it maps chunks of them and says so in its log.
      const late = Array.from({ length: 100 }, (_, i): [number, number] => [
        newest - 5000 - ((i * 37) % 100) * 10_000,
        i,
      ]);
      for (const sample of late) await write(server, [sample]);
      const expected = texts([...inOrder, ...late]);
      expect(await query(server, '1h', newest)).toEqual(expected);
      await server.stop(signal);
      expect(readdirSync(join(dir, 'chunks_head')).length).toBeGreaterThan(0);

      const db = await openTestDb(dir, { clock: systemClock, outOfOrderMs: 30 * MINUTE });
      const { markers, samples, damages } = db.outOfOrderReplay;
      expect({ samples, damages, marked: markers > 0 }).toEqual({
        samples: 100,
        damages: 0,
        marked: true,
      });
      expect((await contents(db)).get('up')).toEqual(expected);
      const own: [number, number] = [newest - 15 * MINUTE - 1, 7];
      expect((await put(db, { __name__: 'up' }, [own])).stored).toBe(1);
      await db.close();

      const back = await startPrometheus(dir);
      const all = texts([...inOrder, ...late, own]);
      expect(await query(back, '1h', newest)).toEqual(all);
      const more: [number, number] = [newest - 16 * MINUTE - 1, 8];
      await write(back, [more]);
      await back.stop('SIGKILL');
      const last = await startPrometheus(dir);
      const whole = texts([...inOrder, ...late, own, more]);
      expect(await query(last, '1h', newest)).toEqual(whole);
      await last.stop();
      const end = await openTestDb(dir, { clock: systemClock });
      expect((await contents(end)).get('up')).toEqual(whole);
      await end.close();
    },
  );
});
