// A real Prometheus scrapes itself and sends what it scraped to our receiver.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { sleep, systemClock } from '../../src/lifecycle/clock.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import { isStaleAt } from '../../src/storage/stale.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { newTestApi } from '../fakes/api.ts';
import { MemoryStorage } from '../fakes/memory-storage.ts';

const DEADLINE_MS = 30_000;
const installed = spawnSync('prometheus', ['--version']).status === 0;

let folder: string | undefined;
let child: ChildProcess | undefined;

afterEach(async () => {
  if (child && child.exitCode === null) {
    const ended = new Promise(resolve => child!.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Polls until `read` gives something, and says what was missing when time is up. */
async function eventually<T>(what: string, read: () => T | null): Promise<T> {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = read();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
    await sleep(systemClock, 50);
  }
}

test.skipIf(!installed)(
  installed ? 'everything that Prometheus sends is stored' : 'prometheus is not installed',
  async () => {
    const storage = new MemoryStorage();
    const registry = new Registry();
    const receiver = new RemoteWriteReceiver({
      appendable: storage,
      clock: systemClock,
      registry,
      seed: 1,
    });
    const statuses: number[] = [];
    const { api } = newTestApi(0, {
      write: async (body, headers) => {
        const answer = await receiver.receive(body, headers);
        statuses.push(answer.status);
        return answer;
      },
    });
    const url = await api.listen({ host: '127.0.0.1', port: 0 });
    const port = await freePort();
    folder = mkdtempSync(join(tmpdir(), 'outpost-remote-write-'));
    const config = {
      global: { scrape_interval: '1s', external_labels: { site: 'here' } },
      scrape_configs: [
        { job_name: 'self', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
        { job_name: 'gone', static_configs: [{ targets: ['127.0.0.1:1'] }] },
      ],
      remote_write: [
        {
          url: `${url}/api/v1/write`,
          queue_config: { batch_send_deadline: '200ms' },
          metadata_config: { send_interval: '1s' },
        },
      ],
    };
    // JSON is YAML.
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const up = await eventually('three samples of up', () => {
      const held = [...storage.allLabels()].find(
        labels => labels.get('__name__') === 'up' && labels.get('job') === 'self',
      );
      return held && storage.samplesOf(held).times.length >= 3 ? held : null;
    });
    expect(up.toObject()).toEqual({
      __name__: 'up',
      instance: `127.0.0.1:${port}`,
      job: 'self',
      site: 'here',
    });
    const { values } = storage.samplesOf(up);
    expect([values[values.length - 1], isStaleAt(values, 0)]).toEqual([1, false]);
    expect(storage.seriesCount).toBeGreaterThan(300);
    expect(new Set(statuses)).toEqual(new Set([204]));
    // Known series are found by their bytes: their labels were decoded once.
    expect(storage.seriesCalls).toBe(storage.seriesCount);
    await eventually('metadata', () => storage.metadata().get('go_goroutines') ?? null);
    expect(storage.metadata().get('go_goroutines')).toMatchObject({ type: 'gauge' });
    await api.close();
  },
  60_000,
);
