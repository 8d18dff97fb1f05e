// A plugin's process as the conformance check starts it: watched more closely than the host would, and
// without any tolerance of the host's.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, sleep } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import type { Identity } from '../../sdk/certificate.ts';
import {
  COOKIE_KEY,
  COOKIE_VALUE,
  type Handshake,
  LIFELINE_KEY,
  PROTOCOL_VERSIONS,
  parseHandshake,
} from '../../sdk/handshake.ts';
import { DEFAULT_PATH } from '../command-file.ts';
import { type ConnectOptions, connectPlugin, type PluginConnection } from '../connection.ts';

/** How to start the plugin. */
export interface CheckedCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** How it ended. */
export interface CheckedExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface StartOptions {
  readonly clock: Clock;
  readonly socketDir: string;
  /** The host's certificate where TLS is offered. */
  readonly identity?: Identity | null;
  /** False: as if somebody started it by hand. */
  readonly cookie?: boolean;
  readonly lifeline?: boolean;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const HANDSHAKE_MS = 10_000;
const POLL_MS = 10;
/** Output kept of each stream. */
const TEXT_LENGTH_MAX = 64 * 1024;

/** One process under check. */
export class CheckedProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  exit: CheckedExit | null = null;
  /** From the start to the handshake. */
  startMs = 0;
  readonly #clock: Clock;
  readonly #identity: Identity | null;
  readonly #socketDir: string;
  readonly #connections: PluginConnection[] = [];
  #failure: string | null = null;

  constructor({ command, args }: CheckedCommand, options: StartOptions) {
    const { clock, socketDir, identity = null, cookie = true, lifeline = false } = options;
    this.#clock = clock;
    this.#identity = identity;
    this.#socketDir = socketDir;
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: DEFAULT_PATH,
        ...options.env,
        PLUGIN_PROTOCOL_VERSIONS: PROTOCOL_VERSIONS.join(','),
        PLUGIN_MIN_PORT: '10000',
        PLUGIN_MAX_PORT: '25000',
        PLUGIN_UNIX_SOCKET_DIR: socketDir,
        ...(cookie && { [COOKIE_KEY]: COOKIE_VALUE }),
        ...(lifeline && { [LIFELINE_KEY]: 'stdin' }),
        ...(identity && { PLUGIN_CLIENT_CERT: identity.certificatePem }),
      },
    });
    this.child.stdin!.on('error', () => {});
    this.child.stdout!.on('data', chunk => {
      if (this.stdout.length < TEXT_LENGTH_MAX) this.stdout += chunk;
    });
    this.child.stderr!.on('data', chunk => {
      if (this.stderr.length < TEXT_LENGTH_MAX) this.stderr += chunk;
    });
    this.child.once('error', error => {
      this.#failure = error.message;
      this.exit ??= { code: null, signal: null };
    });
    this.child.once('close', (code, signal) => {
      this.exit ??= { code, signal };
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits for the handshake, which has to be the first line. */
  async handshake(): Promise<Handshake> {
    const started = this.#clock.monotonic();
    await this.until(() => this.stdout.includes('\n') || this.exit !== null, HANDSHAKE_MS);
    this.startMs ||= this.#clock.monotonic() - started;
    const line = this.stdout.slice(0, this.stdout.indexOf('\n'));
    const found = this.stdout.includes('\n') ? parseHandshake(line, PROTOCOL_VERSIONS) : null;
    if (found !== null && !('problem' in found)) return found;
    throw new OutpostError('bad-data', this.#handshakeProblem(found?.problem ?? null, line));
  }

  /** Connects; the handshake has to be there or to come. */
  async connect(options: ConnectOptions = {}): Promise<PluginConnection> {
    const handshake = await this.handshake();
    const connection = connectPlugin(handshake, this.#clock, {
      identity: this.#identity,
      socketPath: number => join(this.#socketDir, `check-${this.pid}-${number}`),
      ...options,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** Whether `condition` became true within `ms`. */
  async until(condition: () => boolean, ms: number): Promise<boolean> {
    const end = this.#clock.monotonic() + ms;
    while (!condition()) {
      if (this.#clock.monotonic() > end) return false;
      await sleep(this.#clock, POLL_MS);
    }
    return true;
  }

  /** How it ended, if it did within `ms`. */
  async exitWithin(ms: number): Promise<CheckedExit | null> {
    await this.until(() => this.exit !== null, ms);
    return this.exit;
  }

  /** Whether its socket is still there. */
  async leavesSocket(): Promise<boolean> {
    const { network, address } = await this.handshake();
    return network === 'unix' && existsSync(address);
  }

  /** Ends it, whatever it does. */
  async kill(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    if (this.exit === null) this.child.kill('SIGKILL');
    await this.exitWithin(5_000);
  }

  #handshakeProblem(problem: string | null, line: string): string {
    if (this.#failure !== null) return `it cannot be started: ${this.#failure}`;
    if (problem !== null) return `its handshake says ${problem}`;
    const said = (this.stderr || this.stdout).trim().slice(-500);
    const words = said === '' ? '' : `; it said: ${said}`;
    if (this.exit !== null) {
      const { code, signal } = this.exit;
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      return `it ended with ${how} before its handshake${words}`;
    }
    if (line !== '') return `its first line is no handshake: ${line.slice(0, 200)}`;
    return `no handshake in ${HANDSHAKE_MS / 1000} s${words}`;
  }
}
