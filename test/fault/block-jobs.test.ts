// Compaction and freezing stopped at each of their changes to files: by kill -9, and by a full disk.
// OUTPOST_KILL_ROUNDS asks for more rounds than the default, and for every state.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Registry } from '../../src/telemetry/metrics.ts';
import { isUlid } from '../../src/tsdb/block/ulid.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import { isCold } from '../../src/tsdb/cold/any-block.ts';
import type { Db } from '../../src/tsdb/db.ts';
import type { DbOptions } from '../../src/tsdb/db-options.ts';
import { bitsOf, blocksDirectory } from '../fakes/cold-directory.ts';
import { crashImages, watchChanges } from '../fakes/crash-images.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { HOUR, metricValue, openTestDb } from '../fakes/test-db.ts';

const MAINTAINER = fileURLToPath(new URL('./block-maintainer.ts', import.meta.url));
const KILLS = Number(process.env['OUTPOST_KILL_ROUNDS'] ?? 5);

/** Every state is looked at, not only each fifth beside those where a file comes or goes. */
const THOROUGH = process.env['OUTPOST_KILL_ROUNDS'] !== undefined;

/** Of eight blocks two threes are joined; the first one and the first three are frozen. */
const OPTIONS: Partial<DbOptions> = {
  retentionMs: 0,
  compactedRangeMaxMs: 6 * HOUR,
  coldAfterMs: 6 * HOUR,
  jobs: inProcessJobs,
};

const DONE = [
  [0, 2, true],
  [2, 8, true],
  [8, 14, false],
  [14, 16, false],
];

function shapeOf(db: Db): unknown[] {
  const start = db.blocks[0]!.meta.minTime;
  return db.blocks.map(block => [
    (block.meta.minTime - start) / HOUR,
    (block.meta.maxTime - start) / HOUR,
    isCold(block),
  ]);
}

/** Block directories in both folders, and whatever else lies beside them. */
function found(dir: string): { ulids: string[]; others: string[] } {
  const cold = join(dir, 'cold');
  const names = [...readdirSync(dir), ...(existsSync(cold) ? readdirSync(cold) : [])];
  return {
    ulids: names.filter(isUlid).sort(),
    others: names.filter(name => !isUlid(name) && isUlid(name.slice(0, 26))),
  };
}

async function expectWhole(
  dir: string,
  samples: Map<string, string[]>,
  { when, goesOn }: { readonly when: string; readonly goesOn: boolean },
): Promise<void> {
  const db = await openTestDb(dir, OPTIONS);
  const { ulids, others } = found(dir);
  expect(others, when).toEqual([]);
  expect(new Set(ulids).size, when).toBe(ulids.length);
  expect(db.blocks.map(({ meta }) => meta.ulid).sort(), when).toEqual(ulids);
  expect(await bitsOf(db), when).toEqual(samples);
  if (goesOn) await db.maintain();
  if (goesOn) expect(shapeOf(db), when).toEqual(DONE);
  expect(await bitsOf(db), when).toEqual(samples);
  await db.close();
}

test('killed at any change, the next start removes what is half and goes on', {
  timeout: 600_000,
}, async () => {
  const dir = await blocksDirectory(8);
  const into = temporaryDirectory();
  const db = await openTestDb(dir, OPTIONS);
  const samples = await bitsOf(db);
  const images = await crashImages(dir, into, async () => {
    await db.maintain();
    await db.close();
  });
  expect(samples.size).toBe(3);
  expect(images.length).toBeGreaterThan(150);
  let names = '';
  for (const [number, { operation, path }] of images.entries()) {
    rmSync(join(path, 'lock'), { force: true });
    // Going on depends on which files there are; what is in those half written does not matter.
    const now = readdirSync(path, { recursive: true }).sort().join();
    const goesOn = now !== names;
    names = now;
    if (!THOROUGH && !goesOn && number % 5 !== 0) continue;
    await expectWhole(path, samples, { when: `image ${number}, before: ${operation}`, goesOn });
    rmSync(path, { recursive: true });
  }
});

test('on a disk that fills up at any change, nothing is lost and the next round goes on', {
  timeout: 600_000,
}, async () => {
  const origin = await blocksDirectory(8);
  let changes = 0;
  for (let at = 0; ; at += THOROUGH ? 1 : 9) {
    const dir = temporaryDirectory();
    cpSync(origin, dir, { recursive: true });
    const registry = new Registry();
    const db = await openTestDb(dir, { ...OPTIONS, registry });
    const samples = await bitsOf(db);
    changes = 0;
    let failed = '';
    await watchChanges(
      operation => {
        const grows = /^(mkdir|open|write|sync)/.test(operation);
        if (!grows || changes++ < at) return;
        failed ||= operation;
        throw Object.assign(new Error(`ENOSPC: injected at ${operation}`), { code: 'ENOSPC' });
      },
      () => db.maintain(),
    );
    if (failed === '') break;
    const when = `change ${at}: ${failed}`;
    expect(await bitsOf(db), when).toEqual(samples);
    expect(
      found(dir).others.filter(name => !name.endsWith('deletion')),
      when,
    ).toEqual([]);
    expect(metricValue(registry, 'prometheus_tsdb_maintenance_failed_total'), when).toBeGreaterThan(
      0,
    );
    await db.maintain();
    expect(shapeOf(db), when).toEqual(DONE);
    expect(await bitsOf(db), when).toEqual(samples);
    await db.close();
    rmSync(dir, { recursive: true });
  }
  expect(changes).toBeGreaterThan(100);
});

test(`a process killed ${KILLS} times while its worker compacts and freezes loses nothing`, {
  timeout: 60_000 + KILLS * 10_000,
}, async () => {
  const dir = await blocksDirectory(8);
  const before = await openTestDb(dir, { ...OPTIONS, coldAfterMs: 0 });
  const samples = await bitsOf(before);
  await before.close();
  let state = 4711;
  for (let round = 0; round < KILLS; round++) {
    const copy = temporaryDirectory();
    cpSync(dir, copy, { recursive: true });
    const child = spawn(process.execPath, [MAINTAINER, copy], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    await once(child.stdout, 'data');
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    await new Promise(resolve => setTimeout(resolve, ((state >>> 8) / 2 ** 24) * 1500));
    child.kill('SIGKILL');
    await ended;
    await expectWhole(copy, samples, { when: `round ${round}`, goesOn: true });
  }
});
