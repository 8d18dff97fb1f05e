// `outpost up` as the README promises it: one screen, curl lines that work as they are printed, Ctrl-C.

import { execFile } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { type ApiAnswer, isRunning, Processes, type Running, until } from './processes.ts';

const processes = new Processes();
afterEach(() => processes.cleanUp());

const QUERY_PORTS = [
  '--query-http-address',
  '127.0.0.1:0',
  '--query-grpc-address',
  '127.0.0.1:0',
  '--log.level',
  'info',
];

async function startUp(folder: string): Promise<Running> {
  const args = [...QUERY_PORTS, '--data-dir', folder, '--collect-interval', '1s'];
  const up = await processes.start('up', args);
  await until(async () => up.stdout().includes('Every metric there is'), 'the summary is printed');
  return up;
}

/** Runs a printed line as a shell does. */
function shell(line: string): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', line], { maxBuffer: 2 ** 24 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout) as ApiAnswer);
    });
  });
}

describe('outpost up', () => {
  it('shows an aligned screen whose lines work as printed, with data within seconds', async () => {
    const folder = processes.folder();
    const up = await startUp(folder);
    const screen = up.stdout().split('\n');
    const column = screen.find(line => line.startsWith('  agent '))!.indexOf('metrics at');
    for (const text of ['StoreAPI, for', 'PromQL over', 'StoreAPI, so', ' series, every 1s']) {
      const line = screen.find(one => one.includes(text))!;
      expect(line.slice(0, column).trimEnd().length).toBeLessThanOrEqual(column - 2);
      expect(line.slice(column)).not.toMatch(/^\s/);
    }
    expect(up.stdout()).toContain('  plugins  builtin (running)\n');
    expect(up.stdout()).toMatch(new RegExp(`  data     ${folder} +\\d+ series, every 1s\n`));

    const lines = screen.filter(line => line.startsWith('  curl ')).map(line => line.trim());
    expect(lines).toHaveLength(3);
    const memory = await shell(lines[0]!);
    expect(Number(memory.data.result[0]!.value![1])).toBeGreaterThan(0);
    expect(Number(memory.data.result[0]!.value![1])).toBeLessThan(1);
    await until(
      async () => (await shell(lines[1]!)).data.result.length > 0,
      'the querier has rates',
    );
    const modes = (await shell(lines[1]!)).data.result.map(one => one.metric['mode']);
    expect(modes).toContain('idle');
    const names = (await shell(lines[2]!)).data as unknown as string[];
    expect(names).toContain('node_load1');
  });

  it('ends on Ctrl-C with exit code 0 and no plugin left, and starts again on its directory', async () => {
    const folder = processes.folder();
    const first = await startUp(folder);
    const plugins = first.plugins();
    expect(plugins).toHaveLength(1);
    expect(await first.stop('SIGINT')).toBe(0);
    expect(plugins.filter(isRunning)).toEqual([]);
    expect(first.stderr()).not.toMatch(/level=(warn|error)/);

    const second = await startUp(folder);
    const answer = await shell(
      `curl -s ${second.url}/api/v1/query --data-urlencode 'query=count_over_time(node_load1[1m])'`,
    );
    expect(Number(answer.data.result[0]!.value![1])).toBeGreaterThanOrEqual(2);
  });
});
