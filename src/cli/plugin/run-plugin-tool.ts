// What the commands for authors share: a directory for sockets that goes again, how a plugin is started, and
// exit codes: 0 all well, 1 something is wrong, 2 wrong usage.

import { randomFillSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { CheckedCommand } from '../../../plugins/host/check/checked-process.ts';
import { findCommand } from '../../../plugins/host/command-file.ts';
import { OutpostError } from '../../lifecycle/errors.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Runs `work`, which returns false where something is wrong. Never throws. */
export async function runPluginTool(
  name: string,
  work: (tools: { readonly socketDir: string }) => Promise<boolean>,
): Promise<void> {
  const socketDir = mkdtempSync(join(tmpdir(), 'outpost-'));
  const onSignal = (signal: NodeJS.Signals): void => {
    rmSync(socketDir, { recursive: true, force: true });
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  // Timers keep no process alive; a port that listens does.
  const alive = new MessageChannel();
  alive.port1.on('message', () => {});
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    if (!(await work({ socketDir }))) process.exitCode = EXIT_FAILURE;
  } catch (error) {
    const { code, message } = OutpostError.from(error);
    process.stderr.write(`outpost plugin ${name}: ${message}\n`);
    process.exitCode = code === 'bad-data' ? EXIT_USAGE : EXIT_FAILURE;
  } finally {
    alive.port1.close();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    rmSync(socketDir, { recursive: true, force: true });
  }
}

/** Random bytes from the system. */
export function fillRandom(bytes: Uint8Array): void {
  randomFillSync(bytes);
}

/** How to start what somebody named: a script of Node.js by this Node.js, anything else as it is. */
export function pluginCommand(executable: string, args: readonly string[]): CheckedCommand {
  if (/\.(ts|mts|js|mjs)$/.test(executable)) {
    const script = resolve(executable);
    if (!existsSync(script)) {
      throw new OutpostError('bad-data', `there is no such file: ${executable}`);
    }
    return { command: process.execPath, args: [script, ...args] };
  }
  const found = findCommand(executable, process.env['PATH'] ?? '');
  if ('problem' in found) throw new OutpostError('bad-data', found.problem);
  return { command: found.path, args };
}
