// A Prometheus of any version beside the test, on a free port and a directory of its own.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The binary that is compared with: `PROMETHEUS` in the environment, or what is on the path. */
export const BINARY: string = process.env['PROMETHEUS'] ?? 'prometheus';
const READY_MS = 20_000;
const POLL_MS = 50;

/** `[2, 42]`, or null where the binary is not there. */
export function prometheusVersion(): readonly [major: number, minor: number] | null {
  try {
    const text = execFileSync(BINARY, ['--version'], { encoding: 'utf8' });
    const match = /version (\d+)\.(\d+)/.exec(text);
    // A binary built without saying its version is taken for the newest.
    return match ? [Number(match[1]), Number(match[2])] : [99, 0];
  } catch {
    return null;
  }
}

/** One that runs. */
export interface Peer {
  readonly url: string;
  stop(): Promise<void>;
}

const FEATURES =
  'native-histograms,promql-experimental-functions,promql-binop-fill-modifiers,promql-extended-range-selectors,promql-per-step-stats';

/** Starts it with remote write on; resolves once it is ready. */
export async function startPeer(): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'outpost-peer-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, 'global: {evaluation_interval: 1m}\n');
  const port = await freePort();
  const child = spawn(
    BINARY,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--storage.tsdb.retention.time=1000d',
      `--enable-feature=${FEATURES}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', chunk => (stderr = (stderr + chunk).slice(-4000)));
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + READY_MS; ; ) {
    if ((await fetch(`${url}/-/ready`).catch(() => null))?.ok) return { url, stop };
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`prometheus does not start: ${stderr}`);
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
}

async function freePort(): Promise<number> {
  return await new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
}
