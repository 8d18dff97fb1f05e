// Starts a plugin's process, finds its handshake on stdout, and keeps both streams drained until it ends.
// Errors say what is wrong with the plugin and what would mend it.

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import {
  COOKIE_KEY,
  COOKIE_VALUE,
  type Handshake,
  LIFELINE_KEY,
  PROTOCOL_VERSIONS,
} from '../sdk/handshake.ts';
import { DEFAULT_PATH, formatProblem } from './command-file.ts';
import { HandshakeScan } from './handshake-scan.ts';
import type { LaunchLine } from './launch-line.ts';
import { LineReader } from './line-reader.ts';
import type { PluginCgroup } from './plugin-cgroup.ts';
import type { PluginLog } from './plugin-log.ts';
import type { PluginSpec } from './plugin-spec.ts';
import type { ProcessTools } from './process-tools.ts';

/** How long a plugin may take to say where it listens. */
export const HANDSHAKE_MS = 10_000;
/** How long a plugin has to end after it was asked to. */
export const GRACE_MS = 2_000;
/** The exit code of a plugin that says there is nothing for it on this host (EX_CONFIG of sysexits.h). */
export const NOT_APPLICABLE = 78;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface LaunchOptions {
  readonly clock: Clock;
  readonly log: PluginLog;
  readonly tools: ProcessTools;
  /** The plugin's executable, and the whole line that starts it. */
  readonly path: string;
  readonly line: LaunchLine;
  /** Where the plugin makes its socket; only the agent may enter it. */
  readonly socketDir: string;
  /** Null where the agent watches over memory and CPU itself. */
  readonly cgroup: PluginCgroup | null;
  /** Added to the environment for this start alone. */
  readonly env?: Readonly<Record<string, string>>;
  readonly handshakeMs?: number;
}

/** A plugin's process, from its start on. */
export class PluginProcess {
  /** 0 where there is none. */
  readonly pid: number;
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  /** True once it is. */
  hasExited = false;
  readonly #spec: PluginSpec;
  readonly #child: ChildProcess;
  readonly #options: LaunchOptions;
  readonly #scan: HandshakeScan;
  readonly #failed: Promise<never>;

  constructor(spec: PluginSpec, options: LaunchOptions) {
    const { log, line, tools, cgroup } = options;
    this.#spec = spec;
    this.#options = options;
    const child = spawn(line.command, line.args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environment(spec, options),
      // A group of its own, so that what the plugin starts can be ended with it.
      detached: true,
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    // A plugin that closes its end of stdin makes writing fail; nothing is written.
    child.stdin.on('error', () => {});
    this.exited = new Promise(settle => {
      child.once('exit', (code, signal) => settle({ code, signal }));
      // Without a process there is no exit.
      if (child.pid === undefined) child.once('error', () => settle({ code: null, signal: null }));
    });
    this.exited.then(() => {
      this.hasExited = true;
      tools.kill(child, 'SIGKILL');
    });
    this.#failed = spawnFailure(child, spec);
    this.#failed.catch(() => {});
    const errors = new LineReader(text => log.stderr(text));
    child.stderr.on('data', chunk => errors.feed(chunk)).on('end', () => errors.end());
    this.#scan = new HandshakeScan(log);
    child.stdout.on('data', chunk => this.#scan.feed(chunk)).on('end', () => this.#scan.end());
    if (this.pid === 0) return;
    tools.makeModest(this.pid);
    try {
      cgroup?.add(this.pid);
    } catch (error) {
      log.stdout(`not put into its group: ${String(error)}`, 'warn');
    }
  }

  /** Waits for the handshake. Rejects with a diagnosis when the plugin does not get so far; it may still run. */
  async handshake(signal: AbortSignal): Promise<Handshake> {
    const { clock, log, socketDir, handshakeMs = HANDSHAKE_MS } = this.#options;
    const patience = new AbortController();
    const giveUp = AbortSignal.any([patience.signal, signal]);
    try {
      const handshake = await Promise.race([
        this.#scan.found,
        this.#failed,
        this.exited.then(async exit => {
          // The last words may still be on their way through the pipe.
          await new Promise(settle => setImmediate(settle));
          throw problem(this.#spec, this.#earlyExit(exit));
        }),
        sleep(clock, handshakeMs, giveUp).then(() => {
          const seconds = handshakeMs / 1000;
          throw problem(
            this.#spec,
            `it printed no handshake within ${seconds} s; is it an Outpost plugin?${said(log)}`,
          );
        }),
      ]);
      if ('problem' in handshake) {
        throw problem(this.#spec, `its handshake says ${handshake.problem}`);
      }
      this.exited.then(() => removeSocket(handshake, socketDir));
      return handshake;
    } finally {
      patience.abort();
    }
  }

  /** Waits for the process to end by itself, then kills it; resolves once it is gone. */
  async endWithin(graceMs: number): Promise<Exit> {
    const { clock, tools } = this.#options;
    // Plugins of our own end with their stdin; to others its end means nothing.
    this.#child.stdin?.end();
    const cancel = clock.after(graceMs, () => tools.kill(this.#child, 'SIGKILL'));
    const exit = await this.exited;
    cancel();
    return exit;
  }

  /** Asks the process to end (SIGTERM), and kills it when it does not. */
  terminate(): Promise<Exit> {
    if (this.pid !== 0 && !this.hasExited) this.#options.tools.kill(this.#child, 'SIGTERM');
    return this.endWithin(GRACE_MS);
  }

  #earlyExit(exit: Exit): string {
    const { log, path } = this.#options;
    // What the kernel cannot execute is given to a shell by execvp(3), with odd results.
    const notRun = exit.code === 0 ? null : formatProblem(path);
    return `${notRun ?? `it ended with ${exitText(exit)} before its handshake`}${said(log)}`;
  }
}

/** "exit code 1" or "signal SIGKILL". */
export function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function environment(
  spec: PluginSpec,
  { socketDir, env }: LaunchOptions,
): Readonly<Record<string, string>> {
  return {
    PATH: DEFAULT_PATH,
    ...spec.env,
    ...env,
    [COOKIE_KEY]: COOKIE_VALUE,
    [LIFELINE_KEY]: 'stdin',
    PLUGIN_PROTOCOL_VERSIONS: PROTOCOL_VERSIONS.join(','),
    PLUGIN_MIN_PORT: '10000',
    PLUGIN_MAX_PORT: '25000',
    PLUGIN_UNIX_SOCKET_DIR: socketDir,
  };
}

/** A killed plugin leaves its socket behind. Only what lies where sockets belong is touched. */
function removeSocket({ network, address }: Handshake, socketDir: string): void {
  if (network === 'unix' && dirname(address) === resolve(socketDir))
    rmSync(address, { force: true });
}

function spawnFailure(child: ChildProcess, spec: PluginSpec): Promise<never> {
  return new Promise((_, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(problem(spec, spawnProblem(error, spec.command)));
    });
  });
}

function spawnProblem(error: NodeJS.ErrnoException, command: string): string {
  if (error.code === 'ENOENT') return `there is no such command: ${command}`;
  if (error.code === 'EACCES') return `it may not be executed (chmod +x?): ${command}`;
  if (error.message.includes('ENOEXEC') || error.code === 'ENOEXEC') {
    return `it is no program for this machine (other CPU, or a script without #!): ${command}`;
  }
  return `${error.message}: ${command}`;
}

function problem(spec: PluginSpec, what: string): OutpostError {
  return new OutpostError('unavailable', `start plugin ${spec.name}: ${what}`);
}

function said(log: PluginLog): string {
  return log.tail === '' ? '' : `; it said: ${log.tail}`;
}
