// A plugin that somebody starts by hand, to look at it with a debugger.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { connectPlugin } from '../../../plugins/host/connection.ts';
import { DEBUG_KEY, parseReattach } from '../../../plugins/sdk/handshake.ts';
import { systemClock } from '../../../src/lifecycle/clock.ts';
import { until } from '../../fakes/until.ts';

const COUNTING = fileURLToPath(new URL('../host/plugins/counting.ts', import.meta.url));

it('a debugged plugin says where it listens, serves, and ends with Ctrl-C', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'outpost-debug-'));
  const env = { PLUGIN_UNIX_SOCKET_DIR: dir, [DEBUG_KEY]: '1' };
  const child = spawn(process.execPath, [COUNTING], { env });
  try {
    let stdout = '';
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    await until('a line', () => stdout.includes('\n'));
    const found = parseReattach(stdout);
    expect(found).toMatchObject({ protocolVersion: 1, network: 'unix', pid: child.pid });
    const { address } = found!;
    const connection = connectPlugin(
      { protocolVersion: 1, network: 'unix', address, certificate: '' },
      systemClock,
    );
    expect((await connection.describe()).name).toBe('counting');
    connection.close();
    let code: number | null = null;
    child.once('exit', exit => {
      code = exit;
    });
    child.kill('SIGINT');
    await until('its end', () => code !== null);
    expect(code).toBe(0);
    expect(existsSync(address)).toBe(false);
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
});
