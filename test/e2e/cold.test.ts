// An agent told to keep old blocks densely: it does so in its first round of maintenance, seconds after
// its start, and answers as before.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { isUlid } from '../../src/tsdb/block/ulid.ts';
import { blocksDirectory } from '../fakes/cold-directory.ts';
import { BLOCK_START, HOUR } from '../fakes/test-db.ts';
import { tsdbTool } from '../fakes/tool-process.ts';
import { api, Processes, until } from './processes.ts';

const MAINTAINED_MS = 60_000;

const processes = new Processes();
afterEach(() => processes.cleanUp());

it('--storage.cold-after freezes old blocks, and queries answer the same', {
  timeout: 2 * MAINTAINED_MS,
}, async () => {
  const dir = await blocksDirectory(8, processes.folder());
  const cold = (): string[] =>
    existsSync(join(dir, 'cold')) ? readdirSync(join(dir, 'cold')).filter(isUlid) : [];
  const flags = ['--data-dir', dir, '--no-plugins', '--storage.cold-after', '6h'];
  const agent = await processes.start('agent', flags);
  const ask = async (): Promise<unknown> => {
    const time = String((BLOCK_START + 8 * HOUR) / 1000);
    const query = '{__name__=~"gauge|counter"}[8h]';
    return (await api(agent.url, 'query', { query, time })).data.result;
  };
  const before = await ask();
  expect(before).toHaveLength(3);
  const end = Date.now() + MAINTAINED_MS;
  while (cold().length < 2 && Date.now() < end) await new Promise(wait => setTimeout(wait, 500));
  const line = 'prometheus_tsdb_freezes_total 2\n';
  const metrics = async (): Promise<string> => await (await fetch(`${agent.url}/metrics`)).text();
  await until(async () => (await metrics()).includes(line), 'two blocks are frozen');
  expect(await metrics()).toContain('prometheus_tsdb_cold_blocks 2\n');
  expect(await metrics()).toContain('prometheus_tsdb_freezes_failed_total 0\n');
  expect(await ask()).toEqual(before);
  expect(agent.stderr()).toContain('msg="block frozen"');
  expect(await agent.stop()).toBe(0);
  expect(cold()).toHaveLength(2);
  const listed = tsdbTool(['list', dir]).stdout;
  for (const ulid of cold()) expect(listed).toContain(`${ulid} (cold)`);
  expect(tsdbTool(['verify', dir]).stdout).toContain(' 0 errors');
});
