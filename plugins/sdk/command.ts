// Runs a program and takes what it prints: without a shell, in the lowest priority, with a deadline and a
// limit of bytes, so that a collector may ask a program that hangs or talks without end.

import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { NoDataError } from './collector.ts';
import { isSystemError } from './files.ts';

const BYTES_MAX = 4 * 1024 * 1024;
/** What is kept of what a program says about its own trouble. */
const STDERR_MAX = 2000;
/** Where programs of an administrator are looked for. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How a program is run. */
export interface CommandOptions {
  readonly clock: Clock;
  /** Milliseconds after which it is killed. */
  readonly timeoutMs: number;
  /** Bytes of output beyond which it is killed. Default 4 MiB. */
  readonly bytesMax?: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** What a program that ended by itself left. */
export interface CommandResult {
  /** Exit code; what it means is the caller's to know. */
  readonly code: number;
  readonly stdout: string;
  /** Its beginning. */
  readonly stderr: string;
}

/** A way to run programs; tests give their own. */
export type RunCommand = (
  program: string,
  args: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult>;

/**
 * Runs a program with an environment of PATH and LC_ALL=C and no input. Rejects with NoDataError where it
 * is not installed, and with an error that says so where it could not be started, ran too long, printed too
 * much, was ended or was killed.
 */
export const runCommand: RunCommand = (program, args, options) =>
  new Promise((resolve, reject) => {
    const { clock, timeoutMs, bytesMax = BYTES_MAX, signal } = options;
    const shown = [program, ...args].join(' ');
    const child = spawn(program, args, {
      env: { PATH, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let problem: string | null = null;
    const end = (why: string): void => {
      problem ??= why;
      child.kill('SIGKILL');
      // A grandchild may hold the pipes open for longer than anybody waits.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const cancel = clock.after(timeoutMs, () => end(`took more than ${timeoutMs / 1000} s`));
    const abort = (): void => end('was ended');
    signal?.addEventListener('abort', abort);
    child.once('spawn', () => lowerPriority(child.pid));
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) end(`printed more than ${bytesMax} bytes`);
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < STDERR_MAX) stderr += chunk.toString().slice(0, STDERR_MAX);
    });
    const settle = (action: () => void): void => {
      cancel();
      signal?.removeEventListener('abort', abort);
      action();
    };
    child.once('error', error =>
      settle(() => {
        const absent = isSystemError(error, 'ENOENT');
        const reason = new Error(`run ${shown}: ${error.message}`);
        reject(absent ? new NoDataError(`${program} is not installed`) : reason);
      }),
    );
    child.once('close', (code, killedBy) =>
      settle(() => {
        const why = problem ?? (code === null ? `was killed by ${killedBy}` : null);
        if (why !== null) reject(new Error(`run ${shown}: it ${why}`));
        else resolve({ code: code!, stdout: Buffer.concat(chunks).toString(), stderr });
      }),
    );
    if (signal?.aborted) abort();
  });

function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}
