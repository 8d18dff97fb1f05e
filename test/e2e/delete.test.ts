// Deleting over the API of a running agent, and read-only disks.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { api, FREE_PORTS, outpost, Processes, type Running } from './processes.ts';
import { remoteWrite } from './remote-write.ts';

const processes = new Processes();
const mounts: string[] = [];
afterEach(async () => {
  await processes.stopAll();
  for (const folder of mounts.splice(0)) execFileSync('umount', [folder]);
  await processes.cleanUp();
});

const start = Math.floor(Date.now() / 1000) * 1000 - 600_000;

async function write(agent: Running): Promise<void> {
  const samples = Array.from({ length: 100 }, (_, i) => [start + i * 1000, i] as const);
  const series = ['a', 'b'].map(name => ({ labels: { __name__: name }, samples }));
  expect(await remoteWrite(agent.url, series)).toBe(204);
}

async function count(agent: Running, name: string): Promise<number> {
  const time = start / 1000 + 100;
  const query = `count_over_time(${name}[200s])`;
  const answer = await api(agent.url, 'query', { query, time });
  return Number(answer.data.result[0]?.value?.[1] ?? 0);
}

async function admin(agent: Running, path: string): Promise<number> {
  const url = `${agent.url}/api/v1/admin/tsdb/${path}`;
  const answer = await fetch(url, { method: 'POST' });
  expect(await answer.text()).toBe('');
  return answer.status;
}

describe('an agent whose admin API is enabled', () => {
  it('deletes samples for good, also where it is killed right after the answer', async () => {
    const args = [
      ...['--data-dir', join(processes.folder(), 'data'), '--no-plugins', '--no-self-metrics'],
      ...['--web.enable-remote-write-receiver', '--web.enable-admin-api'],
    ];
    const agent = await processes.start('agent', args);
    await write(agent);
    const range = `&start=${start / 1000 + 10}&end=${start / 1000 + 19}`;
    expect(await admin(agent, `delete_series?match[]=a${range}`)).toBe(204);
    await agent.kill();
    const again = await processes.start('agent', args);
    expect([await count(again, 'a'), await count(again, 'b')]).toEqual([90, 100]);
    expect(await admin(again, 'clean_tombstones')).toBe(204);
    expect(await admin(again, 'delete_series?match[]=b')).toBe(204);
    expect([await count(again, 'a'), await count(again, 'b')]).toEqual([90, 0]);
    expect(await again.stop()).toBe(0);
    const third = await processes.start('agent', args);
    expect([await count(third, 'a'), await count(third, 'b')]).toEqual([90, 0]);
  });
});

describe('retention', () => {
  it('has its policies in the file, and a wrong selector is told with its place', async () => {
    const folder = processes.folder();
    const file = join(folder, 'agent.yml');
    execFileSync('sh', [
      '-c',
      `printf 'storage:\\n  retention:\\n    policies:\\n      - {match: up, time: 1d}\\n      - {match: "up{", time: 1d}\\n' > ${file}`,
    ]);
    const { code, stderr } = await outpost('agent', '--config.file', file, '--data-dir', folder);
    expect(code).toBe(2);
    expect(stderr).toContain('storage.retention.policies[1].match is "up{": ');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a read-only file system', () => {
  it('is refused in a sentence', async context => {
    const folder = processes.folder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'pipe' });
    } catch {
      return context.skip('this user may not mount a tmpfs');
    }
    mounts.push(folder);
    const data = ['--data-dir', join(folder, 'data'), '--no-plugins'];
    const agent = await processes.start('agent', data);
    expect(await agent.stop()).toBe(0);
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const { code, stderr } = await outpost('agent', ...FREE_PORTS, ...data);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `open data directory ${join(folder, 'data')}: the file system is read-only; mend it or choose another directory`,
    );
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
