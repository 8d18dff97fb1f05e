// Blocks from what a real Prometheus has, over its remote read.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Matcher } from '../../src/labels/matcher.ts';
import { Backfill } from '../../src/tools/tsdb/backfill/backfill.ts';
import {
  type RemoteReadOptions,
  type RemoteReadReport,
  readRemote,
} from '../../src/tools/tsdb/backfill/remote-read-input.ts';
import { jsonFormat } from '../../src/tools/tsdb/series-lines.ts';
import { backfilled, dumped } from '../fakes/directory-tools.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, HOUR } from '../fakes/test-db.ts';
import { toolContext } from '../fakes/tool-context.ts';
import { until } from '../fakes/until.ts';

const installed = spawnSync('prometheus', ['--version']).status === 0;
const missing = installed ? '' : ' (skipped: prometheus is not installed)';
const DEADLINE_MS = 120_000;
const SECOND = BLOCK_START / 1000;

async function freePort(): Promise<number> {
  return await new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
}

describe.skipIf(!installed)(`remote read${missing}`, { timeout: DEADLINE_MS }, () => {
  const data = temporaryDirectory();
  let url = '';
  let child: ChildProcess | null = null;

  beforeAll(async () => {
    const lines: string[] = [];
    for (let series = 0; series < 40; series++) {
      for (let i = 0; i < 700; i++) {
        lines.push(`m{s="${series}",k="${series % 2}"} ${series * i} ${SECOND + i * 30}`);
      }
    }
    lines.push(`m{s="gone"} 1 ${SECOND}`, `m{s="gone"} NaN ${SECOND + 30}`);
    await backfilled(data, `${lines.join('\n')}\n# EOF\n`, { staleNan: true });
    const config = join(temporaryDirectory(), 'prometheus.yml');
    writeFileSync(config, '');
    const port = await freePort();
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=20000d',
    ];
    const server = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child = server;
    let log = '';
    server.stderr.on('data', chunk => (log += chunk));
    await until(
      'Prometheus is ready',
      () => log.includes('Server is ready to receive web requests'),
      60_000,
    );
    url = `http://127.0.0.1:${port}/api/v1/read`;
  }, DEADLINE_MS);

  afterAll(async () => {
    const ended = new Promise(resolve => child?.once('exit', resolve));
    if (child?.kill('SIGTERM')) await ended;
  });

  async function read(
    dir: string,
    options: Partial<RemoteReadOptions> = {},
  ): Promise<RemoteReadReport> {
    const context = toolContext();
    const backfill = await Backfill.open(dir, { ...context, blockRangeMaxMs: 2 * HOUR });
    try {
      const report = await readRemote(backfill, {
        ...context,
        url,
        headers: {},
        selectors: [[new Matcher('=', '__name__', 'm')]],
        minTime: BLOCK_START,
        maxTime: BLOCK_START + 8 * HOUR,
        stretchMs: 2 * HOUR,
        ...options,
      });
      await backfill.finish();
      return report;
    } finally {
      await backfill.discard();
    }
  }

  it('copies everything, staleness markers included', async () => {
    const dir = temporaryDirectory();
    expect(await read(dir)).toEqual({
      histogramsLeftOut: 0,
      samplesRefused: 0,
      seriesRefused: 0,
      reason: '',
    });
    const { text, report } = await dumped(dir, { format: jsonFormat });
    expect(report.samples).toBe(28_002);
    expect(text).toContain('"stale"');
    expect(text).toBe((await dumped(data, { format: jsonFormat })).text);
  });

  it('copies exactly the range and the series asked for', async () => {
    const dir = temporaryDirectory();
    const range = { minTime: BLOCK_START + 60_001, maxTime: BLOCK_START + 3 * HOUR };
    const matchers = [new Matcher('=~', 'k', '1')];
    await read(dir, { ...range, selectors: [matchers] });
    expect((await dumped(dir)).text).toBe(
      (await dumped(data, { ...range, selectors: [matchers] })).text,
    );
  });

  it('passes on what the server says', async () => {
    const wrong = read(temporaryDirectory(), { url: url.replace('/read', '/nothing') });
    await expect(wrong).rejects.toThrow(/status 404/);
  });
});
