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
  parseHandshake,
} from '../sdk/handshake.ts';
import { LineReader } from './line-reader.ts';
import type { PluginLog } from './plugin-log.ts';
import type { PluginSpec } from './plugin-spec.ts';

/** How long a plugin may take to say where it listens. */
export const HANDSHAKE_MS = 10_000;
/** How long a plugin has to end after it was asked to. */
export const GRACE_MS = 2_000;
/** What a plugin may print before its handshake. */
const LINES_BEFORE_MAX = 100;
const BYTES_BEFORE_MAX = 64 * 1024;

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface LaunchOptions {
  readonly clock: Clock;
  readonly log: PluginLog;
  /** Where the plugin makes its socket; only the agent may enter it. */
  readonly socketDir: string;
  /** Gives up waiting for the handshake. */
  readonly signal: AbortSignal;
  readonly handshakeMs?: number;
}

/** A plugin process that has said where it listens. */
export class PluginProcess {
  readonly pid: number;
  readonly handshake: Handshake;
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;

  constructor(started: StartedProcess, handshake: Handshake, clock: Clock) {
    this.#child = started.child;
    this.pid = started.child.pid!;
    this.exited = started.exited;
    this.handshake = handshake;
    this.#clock = clock;
  }

  /** Waits for the process to end by itself, then kills it; resolves once it is gone. */
  endWithin(graceMs: number): Promise<Exit> {
    return endWithin(this.#child, this.exited, this.#clock, graceMs);
  }

  /** Asks the process to end (SIGTERM), and kills it when it does not. */
  terminate(): Promise<Exit> {
    this.#child.kill('SIGTERM');
    return this.endWithin(GRACE_MS);
  }
}

interface StartedProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
}

/** Starts the plugin. Rejects with a diagnosis when it does not get as far as a handshake. */
export async function launchPlugin(
  spec: PluginSpec,
  options: LaunchOptions,
): Promise<PluginProcess> {
  const { clock, log, signal, handshakeMs = HANDSHAKE_MS } = options;
  const child = spawn(spec.command, spec.args ?? [], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(spec, options.socketDir),
  });
  // A plugin that closes its end of stdin makes writing fail; nothing is written.
  child.stdin.on('error', () => {});
  const started = { child, exited: exitOf(child) };
  const errors = new LineReader(line => log.stderr(line));
  child.stderr.on('data', chunk => errors.feed(chunk)).on('end', () => errors.end());
  const scan = new HandshakeScan(log);
  child.stdout.on('data', chunk => scan.feed(chunk)).on('end', () => scan.end());

  const patience = new AbortController();
  const giveUp = AbortSignal.any([patience.signal, signal]);
  try {
    const handshake = await Promise.race([
      scan.found,
      spawnFailure(child, spec),
      started.exited.then(async exit => {
        // The last words may still be on their way through the pipe.
        await new Promise(settle => setImmediate(settle));
        throw problem(spec, `it ended with ${exitText(exit)} before its handshake${said(log)}`);
      }),
      sleep(clock, handshakeMs, giveUp).then(() => {
        throw problem(
          spec,
          `it printed no handshake within ${handshakeMs / 1000} s; is it an Outpost plugin?${said(log)}`,
        );
      }),
    ]);
    if ('problem' in handshake) throw problem(spec, `its handshake says ${handshake.problem}`);
    started.exited.then(() => removeSocket(handshake, options.socketDir));
    return new PluginProcess(started, handshake, clock);
  } catch (error) {
    if (child.pid !== undefined) {
      child.kill('SIGTERM');
      await endWithin(child, started.exited, clock, GRACE_MS);
    }
    throw error;
  } finally {
    patience.abort();
  }
}

/** "exit code 1" or "signal SIGKILL". */
export function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function environment(spec: PluginSpec, socketDir: string): Record<string, string> {
  return {
    PATH: DEFAULT_PATH,
    ...spec.env,
    [COOKIE_KEY]: COOKIE_VALUE,
    [LIFELINE_KEY]: 'stdin',
    PLUGIN_PROTOCOL_VERSIONS: PROTOCOL_VERSIONS.join(','),
    PLUGIN_MIN_PORT: '10000',
    PLUGIN_MAX_PORT: '25000',
    PLUGIN_UNIX_SOCKET_DIR: socketDir,
  };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise(settle => {
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
}

async function endWithin(
  child: ChildProcess,
  exited: Promise<Exit>,
  clock: Clock,
  graceMs: number,
): Promise<Exit> {
  // Plugins of our own end with their stdin; to others its end means nothing.
  child.stdin?.end();
  const cancel = clock.after(graceMs, () => child.kill('SIGKILL'));
  const exit = await exited;
  cancel();
  return exit;
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

// Anything may be printed before the handshake: banners of runtimes, warnings of libraries.
class HandshakeScan {
  readonly found: Promise<Handshake | { readonly problem: string }>;
  readonly #log: PluginLog;
  readonly #lines: LineReader;
  #resolve: (found: Handshake | { readonly problem: string }) => void = () => {};
  #done = false;
  #linesBefore = 0;
  #bytesBefore = 0;

  constructor(log: PluginLog) {
    this.#log = log;
    this.#lines = new LineReader(line => this.#line(line));
    this.found = new Promise(settle => {
      this.#resolve = settle;
    });
  }

  feed(chunk: Buffer): void {
    this.#lines.feed(chunk);
  }

  end(): void {
    this.#lines.end();
  }

  #line(line: string): void {
    if (this.#done) {
      this.#log.stdout(line);
      return;
    }
    const found = parseHandshake(line, PROTOCOL_VERSIONS);
    if (found !== null) {
      this.#finish(found);
      return;
    }
    this.#log.stdout(line, 'warn');
    this.#linesBefore++;
    this.#bytesBefore += line.length + 1;
    if (this.#linesBefore >= LINES_BEFORE_MAX || this.#bytesBefore >= BYTES_BEFORE_MAX) {
      const read = `${this.#linesBefore} lines, ${this.#bytesBefore} bytes`;
      this.#finish({ problem: `nothing: there is none in what it printed (${read})` });
    }
  }

  #finish(found: Handshake | { readonly problem: string }): void {
    this.#done = true;
    this.#resolve(found);
  }
}
