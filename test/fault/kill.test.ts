// kill -9 at random moments: everything acknowledged on the writer's standard output is there afterwards.
// OUTPOST_KILL_ROUNDS asks for more rounds than the default.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { contents, openTestDb } from '../fakes/test-db.ts';

const ROUNDS = Number(process.env['OUTPOST_KILL_ROUNDS'] ?? 20);
const WRITER = fileURLToPath(new URL('./database-writer.ts', import.meta.url));
const RUN_MS_MAX = 400;

/** Runs the writer for a while, kills it, and returns what it acknowledged. */
async function writeAndKill(dir: string, runMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let kill: (() => void) | null = () => {
    kill = null;
    setTimeout(() => child.kill('SIGKILL'), runMs);
  };
  child.stdout.on('data', chunk => {
    stdout += chunk;
    kill?.();
  });
  child.stderr.on('data', chunk => (stderr += chunk));
  const [, signal] = await once(child, 'close');
  expect(stderr).toBe('');
  expect(signal).toBe('SIGKILL');
  const lines = stdout.split('\n');
  lines.pop(); // the last line may be cut short
  return lines.filter(line => line !== 'ready');
}

test(`nothing acknowledged is lost in ${ROUNDS} kills`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  const dir = temporaryDirectory();
  const acknowledged: string[] = [];
  let state = 12_345;
  let blocksSeen = 0;
  let lateSeen = 0;
  let snapshotsSeen = 0;
  const snapshot = join(dir, 'head.snapshot');
  let former: Buffer | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    acknowledged.push(...(await writeAndKill(dir, ((state >>> 8) / 2 ** 24) * RUN_MS_MAX)));
    // One that a killed process has outlived is out of date, or right as far as it goes.
    if (former && round % 3 === 0) writeFileSync(snapshot, former);
    const db = await openTestDb(dir, {
      snapshotOnClose: round % 4 !== 3,
      blockRangeMs: 60_000,
      compactedRangeMaxMs: 540_000,
      retentionMs: 0,
      futureMs: 1e12,
    });
    expect(db.replay.damages, `round ${round}`).toBe(0);
    expect(db.outOfOrderReplay, `round ${round}`).toMatchObject({ damages: 0, samplesLost: 0 });
    lateSeen += db.outOfOrderReplay.samples;
    const stored = new Map<string, Set<string>>();
    for (const [labels, texts] of await contents(db)) stored.set(labels, new Set(texts));
    for (const line of acknowledged) {
      const [s, time] = line.split(' ').map(Number) as [number, number];
      for (let k = 0; k < 3; k++) {
        const text = `${time + k}:${s < 30 ? '' : 'h'}${(time + k) % 100_003}`;
        if (!stored.get(`written{s="${s}"}`)?.has(text)) {
          expect.fail(`round ${round}: series ${s} has lost ${text}`);
        }
      }
    }
    blocksSeen += db.blocks.length;
    if (db.headSnapshot.kind !== 'none') snapshotsSeen++;
    await db.close();
    former = existsSync(snapshot) ? readFileSync(snapshot) : null;
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 10);
  expect(blocksSeen).toBeGreaterThan(0);
  expect(lateSeen).toBeGreaterThan(0);
  expect(snapshotsSeen).toBeGreaterThan(0);
});

test('a second process is told who has the directory', async () => {
  const dir = temporaryDirectory();
  const child = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    await expect(openTestDb(dir)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${child.pid} is using it`),
    });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});
