// Real outpost processes on free loopback ports, for end-to-end tests. Everything started here is ended
// here, by its process id.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
/** Addresses that ask the system for free ports. */
export const FREE_PORTS = ['--http-address', '127.0.0.1:0', '--grpc-address', '127.0.0.1:0'];
const DEADLINE_MS = 20_000;
const POLL_MS = 50;

/** A process of ours that is ready. */
export interface Running {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** `127.0.0.1:port` of the gRPC server. */
  readonly grpc: string;
  /** Everything written to standard output so far. */
  stdout(): string;
  /** Everything written to standard error so far. */
  stderr(): string;
  /** Process ids of the plugins that run now. */
  plugins(): number[];
  /** A signal that asks it to end, SIGTERM by default; resolves with the exit code. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<number | null>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Processes and folders of one test; `cleanUp` belongs into afterEach. */
export class Processes {
  readonly #running: Running[] = [];
  readonly #folders: string[] = [];

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'outpost-e2e-'));
    this.#folders.push(folder);
    return folder;
  }

  /** Starts a mode on free ports and waits until it is ready. A later address among `args` wins. */
  async start(mode: string, args: readonly string[]): Promise<Running> {
    if (!existsSync(MAIN)) throw new Error('dist is missing: run npm run build');
    const child = spawn(process.execPath, [MAIN, mode, ...FREE_PORTS, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => (stdout += chunk));
    child.stderr.on('data', chunk => (stderr += chunk));
    const listening = (protocol: string): string | undefined =>
      new RegExp(`msg=listening protocol=${protocol} address=(\\S+)`).exec(stderr)?.[1];
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
    const running = (): Running => ({
      child,
      url: `http://${listening('http')}`,
      grpc: listening('grpc')!,
      stdout: () => stdout,
      stderr: () => stderr,
      plugins: () => childrenOf(child.pid!),
      async stop(signal = 'SIGTERM') {
        child.kill(signal);
        return await ended;
      },
      async kill() {
        child.kill('SIGKILL');
        await ended;
      },
    });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`outpost ${mode} ended: ${stderr}`);
      if (!listening('http') || !listening('grpc')) return false;
      return (await fetch(`http://${listening('http')}/-/ready`).catch(() => null))?.ok ?? false;
    }, `outpost ${mode} is ready`).catch(error => {
      child.kill('SIGKILL');
      throw new Error(`${error.message}\n${stderr}`);
    });
    this.#running.push(running());
    return this.#running.at(-1)!;
  }

  /** Ends what still runs, and leaves the folders. */
  async stopAll(): Promise<void> {
    for (const one of this.#running.splice(0)) if (one.child.exitCode === null) await one.kill();
  }

  async cleanUp(): Promise<void> {
    await this.stopAll();
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}

/** How a command that ends by itself has ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command that is expected to end by itself; one that does not is killed after 15 s. */
export function outpost(...args: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    const options = { timeout: 15_000, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** Processes whose parent is `pid`, oldest first. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it has ended
  }
}

/** True while a process exists that is more than a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Polls until `condition` holds; throws naming `what` when it does not within 20 s. */
export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
}

/** Body of a Prometheus API answer. */
export interface ApiAnswer {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: string[];
  readonly data: {
    readonly resultType: string;
    readonly result: {
      readonly metric: Record<string, string>;
      readonly value?: [number, string];
      readonly values?: [number, string][];
    }[];
  };
}

/** GET of an API path with parameters, parsed. */
export async function api(
  url: string,
  path: string,
  parameters: Readonly<Record<string, string | number>>,
): Promise<ApiAnswer> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) search.set(name, String(value));
  const answer = await fetch(`${url}/api/v1/${path}?${search}`);
  return (await answer.json()) as ApiAnswer;
}
