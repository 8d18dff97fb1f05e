// Plugins of a real agent: installed by being there, changed while it runs, gone with it.

import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { Processes, type Running, until } from './processes.ts';

const COUNTING = fileURLToPath(new URL('../plugins/host/plugins/counting.ts', import.meta.url));
const processes = new Processes();

afterEach(() => processes.cleanUp());

interface Shown {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
  readonly restarts: number;
  readonly collectors: readonly { readonly name: string; readonly outcome: string }[];
}

async function shown(agent: Running, name: string): Promise<Shown | undefined> {
  const answer = await fetch(`${agent.url}/api/v1/plugins`);
  const { data } = (await answer.json()) as { data: { plugins: Shown[] } };
  return data.plugins.find(plugin => plugin.name === name);
}

async function is(agent: Running, name: string, state: string): Promise<Shown> {
  await until(async () => (await shown(agent, name))?.state === state, `${name} is ${state}`);
  return (await shown(agent, name))!;
}

async function post(agent: Running, path: string): Promise<string> {
  return await (await fetch(`${agent.url}${path}`, { method: 'POST' })).text();
}

function install(folder: string, name: string, script: string, more = ''): void {
  mkdirSync(`${folder}/plugins/${name}`, { recursive: true });
  writeFileSync(`${folder}/plugins/${name}/run`, `#!/bin/sh\n${script}\n`);
  chmodSync(`${folder}/plugins/${name}/run`, 0o755);
  writeFileSync(`${folder}/plugins/${name}/plugin.yaml`, `name: ${name}\nexec: ./run\n${more}`);
}

function start(folder: string): Promise<Running> {
  return processes.start('agent', [
    ...['--data-dir', `${folder}/data`, '--plugins.dir', `${folder}/plugins`],
    ...['--config.file', `${folder}/agent.yml`, '--web.enable-lifecycle'],
  ]);
}

it('are installed, changed, mended and removed while the others go on', async () => {
  const folder = processes.folder();
  const config = (text: string): void => writeFileSync(`${folder}/agent.yml`, text);
  config('global:\n  collect_interval: 500ms\n');
  const plugin = `exec "${process.execPath}" "${COUNTING}"`;
  install(folder, 'first', plugin);
  const agent = await start(folder);
  const first = await is(agent, 'first', 'running');
  const builtIn = await is(agent, 'builtin', 'running');

  install(folder, 'second', 'echo nothing here >&2; exit 78');
  config(
    'global:\n  collect_interval: 500ms\nplugins:\n  first:\n    collectors:\n      failing: {enabled: true}\n',
  );
  expect(await post(agent, '/-/reload')).toMatch(
    /^applied: plugins\.first\.collectors\.failing\.enabled, plugins\.second\.command\n$/,
  );
  await is(agent, 'second', 'stopped');
  await until(async () => {
    const plugin = await shown(agent, 'first');
    return (plugin?.collectors ?? []).some(
      each => each.name === 'failing' && each.outcome === 'failed',
    );
  }, 'the collector that was switched on runs');

  config('plugins:\n  first:\n    collectors:\n      count: {enabled: true}\n');
  expect(await post(agent, '/-/reload')).toContain(
    `${folder}/agent.yml:4:7: plugins.first.collectors.count is not a collector of plugin counting`,
  );
  expect((await shown(agent, 'first'))!.pid).toBe(first.pid);

  config('global:\n  collect_interval: 500ms\n');
  rmSync(`${folder}/plugins/first`, { recursive: true });
  install(folder, 'second', plugin);
  expect(await post(agent, '/-/reload')).toContain('plugins.first');
  // The script is another now, but nothing that was written about it changed.
  await post(agent, '/api/v1/plugins/second/restart');
  await is(agent, 'second', 'running');
  expect(await shown(agent, 'first')).toBe(undefined);
  expect((await shown(agent, 'builtin'))!.pid).toBe(builtIn.pid);
});

it('leave nothing behind when their agent is killed: sockets go with the next start', async () => {
  const folder = processes.folder();
  writeFileSync(`${folder}/agent.yml`, '');
  install(folder, 'first', `exec "${process.execPath}" "${COUNTING}"`);
  const agent = await start(folder);
  await is(agent, 'first', 'running');
  const run = `${folder}/data/run`;
  const before = readdirSync(run);
  expect(before.length).toBeGreaterThanOrEqual(2);
  await agent.kill();
  const second = await start(folder);
  await is(second, 'first', 'running');
  await is(second, 'builtin', 'running');
  const after = readdirSync(run);
  expect(after.length).toBeGreaterThanOrEqual(2);
  expect(after.filter(name => before.includes(name))).toEqual([]);
  await second.stop();
  expect(existsSync(run)).toBe(false);
});
