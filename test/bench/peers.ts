// Our agent and the installed peers as processes with one face: start, write to, query, account, stop.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A running server under test. */
export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  stop(): Promise<void>;
}

interface Recipe {
  readonly name: string;
  readonly command: (port: number, dataDir: string) => string[];
  readonly ready: string;
  readonly installed: () => boolean;
}

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const READY_DEADLINE_MS = 20_000;

const RECIPES: readonly Recipe[] = [
  {
    name: 'outpost',
    command: (port, dir) => [
      process.execPath,
      MAIN,
      'agent',
      '--http-address',
      `127.0.0.1:${port}`,
      '--grpc-address',
      '127.0.0.1:0',
      '--data-dir',
      dir,
      '--web.enable-remote-write-receiver',
      '--no-plugins',
      '--no-self-metrics',
      '--log.level',
      'warn',
    ],
    ready: '/-/ready',
    installed: () => existsSync(MAIN),
  },
  {
    name: 'prometheus',
    command: (port, dir) => [
      'prometheus',
      `--web.listen-address=127.0.0.1:${port}`,
      `--storage.tsdb.path=${dir}`,
      '--config.file=/dev/null',
      '--web.enable-remote-write-receiver',
      '--log.level=warn',
    ],
    ready: '/-/ready',
    installed: () => onPath('prometheus'),
  },
  {
    name: 'victoria-metrics',
    command: (port, dir) => [
      'victoria-metrics',
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${dir}`,
      '-search.latencyOffset=0s',
      '-search.disableCache',
      '-retentionPeriod=1y',
      '-loggerLevel=ERROR',
    ],
    ready: '/health',
    installed: () => onPath('victoria-metrics'),
  },
];

/** Starts ours and every installed peer on free loopback ports; says which are missing. `flags` by name. */
export async function startPeers(
  only: readonly string[],
  flags: Readonly<Record<string, readonly string[]>> = {},
): Promise<Peer[]> {
  const peers: Peer[] = [];
  let port = 19_290 + (process.pid % 500) * 4;
  for (const recipe of RECIPES) {
    if (only.length > 0 && !only.includes(recipe.name)) continue;
    if (!recipe.installed()) {
      console.log(`${recipe.name} is not installed; left out`);
      continue;
    }
    peers.push(await start(recipe, port++, flags[recipe.name] ?? []));
  }
  return peers;
}

async function start(recipe: Recipe, port: number, flags: readonly string[]): Promise<Peer> {
  const dataDir = mkdtempSync(join(tmpdir(), `bench-${recipe.name}-`));
  const [command, ...args] = recipe.command(port, dataDir);
  const child = spawn(command!, [...args, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`${recipe.name} ended with code ${child.exitCode}`);
    const answer = await fetch(url + recipe.ready).catch(() => null);
    if (answer?.ok) break;
    if (Date.now() > deadline) throw new Error(`${recipe.name} is not ready after 20 s`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return { name: recipe.name, url, pid: child.pid!, dataDir, stop: () => stop(child, dataDir) };
}

async function stop(child: ChildProcess, dataDir: string): Promise<void> {
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
}

function onPath(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** CPU seconds a process has used, its ended children left out. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The same in milliseconds and to the microsecond, threads that have ended left out. */
export function threadCpuMs(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${thread}/schedstat`;
    // A thread may end between the listing and the reading.
    if (existsSync(path)) ns += Number(readFileSync(path, 'latin1').split(' ', 1)[0]);
  }
  return ns / 1e6;
}

/** Proportional memory of a process in bytes. */
export function pssBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
}

/** Resident memory of a process, now and at the most since it started or `resetPeakBytes`, in bytes. */
export function residentBytes(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return { now: kib('VmRSS') * 1024, peak: kib('VmHWM') * 1024 };
}

/** Lets the peak of a process begin anew; what it has now, in bytes. */
export function resetPeakBytes(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return residentBytes(pid).now;
}

/** Bytes of all files below a folder. */
export function folderBytes(folder: string): number {
  return (
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }))
      // A server that is at work may have removed it since.
      .reduce((sum, found) => sum + (found?.size ?? 0), 0)
  );
}
