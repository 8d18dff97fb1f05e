// A full disk: ingest stops loudly, queries go on, and once there is space ingest goes on by itself. What
// was acknowledged is there after a crash.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { api, outpost, Processes, type Running, until } from './processes.ts';
import { type WriteSeries, writeBody } from './remote-write.ts';

const processes = new Processes();
const mounts: string[] = [];
afterEach(async () => {
  await processes.stopAll();
  for (const folder of mounts.splice(0)) execFileSync('umount', [folder]);
  await processes.cleanUp();
});

/** A file system of its own, null where this user may not mount one. */
function smallDisk(megabytes: number): string | null {
  const folder = processes.folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'pipe',
    });
  } catch {
    return null;
  }
  mounts.push(folder);
  return folder;
}

/** Writes into a file until the disk is full. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(file);
  }
}

const start = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const SERIES = 200;

/** One sample of many series, so that a request does not fit into what is left of a page. */
function batch(index: number): WriteSeries[] {
  return Array.from({ length: SERIES }, (_, i) => ({
    labels: { __name__: 'kept', i: `${i}`, pad: 'x'.repeat(100) },
    samples: [[start + index * 1000, index]] as const,
  }));
}

async function write(agent: Running, index: number): Promise<Response> {
  const answer = await fetch(`${agent.url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body: writeBody(batch(index)),
  });
  return answer;
}

/** Values of one series by time, and how many series there are. */
async function kept(agent: Running): Promise<{ values: string[]; series: number }> {
  const time = start / 1000 + 599;
  const one = await api(agent.url, 'query', { query: 'kept{i="7"}[10m]', time });
  const all = await api(agent.url, 'query', { query: 'count(last_over_time(kept[10m]))', time });
  return {
    values: one.data.result.flatMap(({ values }) => values!.map(([, value]) => value)),
    series: Number(all.data.result[0]?.value?.[1]),
  };
}

async function isPaused(agent: Running): Promise<boolean> {
  const text = await (await fetch(`${agent.url}/metrics`)).text();
  return /^prometheus_tsdb_ingest_paused 1$/m.test(text);
}

describe('an agent on a full disk', () => {
  it('pauses, answers queries, resumes by itself, and keeps what it acknowledged', async context => {
    const folder = smallDisk(24);
    if (folder === null) return context.skip('this user may not mount a tmpfs');
    const args = [
      ...['--data-dir', join(folder, 'data'), '--no-plugins', '--no-self-metrics'],
      '--web.enable-remote-write-receiver',
    ];
    const agent = await processes.start('agent', args);
    const acknowledged: number[] = [];
    let index = 0;
    const attempt = async (): Promise<Response> => {
      const answer = await write(agent, index);
      if (answer.status === 204) acknowledged.push(index);
      index++;
      return answer;
    };
    for (let i = 0; i < 20; i++) expect((await attempt()).status).toBe(204);

    fill(join(folder, 'filler'));
    let refused: Response | null = null;
    // What was reserved on the disk before it was full may still be written.
    await until(async () => {
      const answer = await attempt();
      if (answer.status !== 204) refused = answer;
      return refused !== null;
    }, 'a write is refused');
    const answer = refused as unknown as Response;
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.text()).toMatch(/space|disk/);
    for (let i = 0; i < 5; i++) expect((await attempt()).status).toBe(503);

    expect(await isPaused(agent)).toBe(true);
    const loud = agent.stderr().match(/^.*level=(error|warn).*$/gm) ?? [];
    expect(loud.filter(line => /ENOSPC|space/.test(line))).toHaveLength(1);
    expect(await kept(agent)).toEqual({ values: acknowledged.map(String), series: SERIES });
    expect((await fetch(`${agent.url}/-/ready`)).status).toBe(200);

    rmSync(join(folder, 'filler'));
    await until(async () => (await attempt()).status === 204, 'writes are taken again');
    expect(await isPaused(agent)).toBe(false);
    for (let i = 0; i < 5; i++) expect((await attempt()).status).toBe(204);
    await agent.kill();

    const again = await processes.start('agent', args);
    expect(await kept(again)).toEqual({ values: acknowledged.map(String), series: SERIES });
  });

  it('that cannot even begin is told so in a sentence', async context => {
    const folder = smallDisk(1);
    if (folder === null) return context.skip('this user may not mount a tmpfs');
    fill(join(folder, 'filler'));
    const data = ['--data-dir', join(folder, 'data'), '--no-plugins'];
    const addresses = ['--http-address', '127.0.0.1:0', '--grpc-address', '127.0.0.1:0'];
    const { code, stderr } = await outpost('agent', ...addresses, ...data);
    expect(code).toBe(1);
    expect(stderr).toContain('no space left on the device');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
