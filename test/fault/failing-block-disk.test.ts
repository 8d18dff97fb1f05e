// Every call that cutting the head, compacting, cleaning and snapshots make to the file system fails once, each
// in its turn: nothing that was stored is lost or changed, and the next attempt succeeds.

import { readdirSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { Matcher } from '../../src/labels/matcher.ts';
import { isUlid } from '../../src/tsdb/block/ulid.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, HOUR, openTestDb, put } from '../fakes/test-db.ts';

/** Which call fails, and how. `calls` counts calls of the kind. */
const fault = vi.hoisted(() => ({ kind: '', at: -1, code: '', calls: 0, active: false }));

vi.mock(import('node:fs/promises'), async original => {
  const fs = await original();
  const trip = (kind: string): void => {
    if (!fault.active || kind !== fault.kind || fault.calls++ !== fault.at) return;
    throw Object.assign(new Error(`${fault.code}: injected into ${kind}`), { code: fault.code });
  };
  const guarded = (file: FileHandle): FileHandle =>
    new Proxy(file, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'write' || name === 'sync' || name === 'read' || name === 'truncate')
            trip(name);
          // A disk may take fewer bytes than it was given.
          if (name === 'write' && fault.active && fault.kind === 'short' && Number(args[2]) > 3) {
            fault.calls++;
            args[2] = 3;
          }
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  const wrap =
    <Args extends unknown[], Out>(kind: string, call: (...args: Args) => Promise<Out>) =>
    async (...args: Args): Promise<Out> => {
      trip(kind);
      return await call(...args);
    };
  const open = async (...args: Parameters<typeof fs.open>): Promise<FileHandle> => {
    trip('open');
    return guarded(await fs.open(...args));
  };
  const changed = {
    mkdir: wrap('mkdir', fs.mkdir),
    rename: wrap('rename', fs.rename),
    link: wrap('link', fs.link),
    open,
  };
  return { ...fs, ...changed } as unknown as typeof fs;
});

const FAULTS = [
  ['mkdir', 'ENOSPC'],
  ['rename', 'EIO'],
  ['open', 'EMFILE'],
  ['write', 'ENOSPC'],
  ['write', 'EIO'],
  ['sync', 'EIO'],
  ['read', 'EIO'],
  ['link', 'EIO'],
  ['short', ''],
] as const;
const CALLS_MAX = 400;
/** Every call in the long form, else each that is half as far again. */
const THOROUGH = process.env['OUTPOST_KILL_ROUNDS'] !== undefined;

async function filled(dir: string): Promise<Db> {
  const db = await openTestDb(dir, {
    jobs: inProcessJobs,
    retentionMs: 0,
    compactedRangeMaxMs: 6 * HOUR,
    coldAfterMs: 6 * HOUR,
  });
  for (const n of ['1', '2']) {
    const samples = Array.from({ length: 17 }, (_, i) => [BLOCK_START + i * HOUR, i] as const);
    await put(db, { __name__: 'm', n }, samples);
    await put(db, { __name__: 'm', n }, [[BLOCK_START + 16 * HOUR - 60_000, 0.5]]);
  }
  return db;
}

/** Everything that writes blocks. The fault may end any of it with a typed error, and nothing else. */
async function work(db: Db, round: string): Promise<void> {
  const typed = (error: unknown): void => {
    expect(error).toMatchObject({ name: 'OutpostError' });
  };
  await db.maintain();
  await db.maintain();
  await db.cleanTombstones().catch(typed);
  await db.snapshot(round).catch(error => expect(String(error)).toContain('injected'));
}

test.each(FAULTS)('%s that fails with %s', { timeout: 600_000 }, async (kind, code) => {
  for (let at = 0; at < CALLS_MAX; at += THOROUGH ? 1 : 1 + Math.floor(at / 2)) {
    const dir = temporaryDirectory();
    const db = await filled(dir);
    await db.delete(BLOCK_START, BLOCK_START + HOUR, [new Matcher('=', 'n', '2')]);
    const before = await contents(db);
    Object.assign(fault, { kind, code, at, calls: 0, active: true });
    await work(db, 'one');
    fault.active = false;
    const reached = fault.calls > at;
    expect(await contents(db), `call ${at}`).toEqual(before);
    await work(db, 'two');
    expect(await contents(db), `call ${at}, next attempt`).toEqual(before);
    await db.maintain();
    expect(db.blocks.length, `call ${at}`).toBeGreaterThan(1);
    await db.close();
    const known = /^(wal|wbl|lock|cold|snapshots|head\.snapshot)$/;
    const others = readdirSync(dir).filter(name => !isUlid(name) && !known.test(name));
    expect(others, `call ${at}`).toEqual([]);
    const again = await openTestDb(dir, { retentionMs: 0 });
    expect(await contents(again), `call ${at}, opened again`).toEqual(before);
    expect(again.replay.damages).toBe(0);
    await again.close();
    if (!reached) return void expect(at, 'calls there are').toBeGreaterThan(0);
    if (kind === 'short') return;
  }
});
