import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  restoreSnapshot,
  snapshotDirectory,
} from '../../../../src/tools/tsdb/snapshot-directory.ts';
import { stored } from '../../../acceptance/querier.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../../fakes/test-blocks.ts';
import { BLOCK_START, contents, HOUR, openTestDb, put } from '../../../fakes/test-db.ts';
import { toolContext } from '../../../fakes/tool-context.ts';

const LIVE = BLOCK_START + 20 * HOUR;

/** A closed directory with one block and one sample in its log. */
async function directory(): Promise<string> {
  const dir = temporaryDirectory();
  await writeTestBlock(dir, [stored({ __name__: 'old' }, [1, 2])]);
  const db = await openTestDb(dir);
  await put(db, { __name__: 'live' }, [[LIVE, 3]]);
  await db.close();
  return dir;
}

async function everythingIn(dir: string): Promise<Map<string, string[]>> {
  const db = await openTestDb(dir);
  const found = await contents(db);
  await db.close();
  return found;
}

describe('a snapshot of a closed directory', () => {
  it('holds blocks and log, and restores to the same samples', async () => {
    const dir = await directory();
    const target = join(temporaryDirectory(), 'snapshot');
    await snapshotDirectory(dir, target, { skipHead: false }, toolContext());
    expect(readdirSync(target)).toHaveLength(2);
    expect(existsSync(join(dir, 'lock'))).toBe(false);
    const restored = join(temporaryDirectory(), 'data');
    const result = await restoreSnapshot(target, restored, { merge: false }, toolContext());
    expect(result.restored).toEqual(readdirSync(target).sort());
    expect(await everythingIn(restored)).toEqual(await everythingIn(dir));
  });

  it('leaves the log out where that is wanted', async () => {
    const dir = await directory();
    const target = join(temporaryDirectory(), 'snapshot');
    await snapshotDirectory(dir, target, { skipHead: true }, toolContext());
    expect(readdirSync(target)).toHaveLength(1);
  });

  it('is refused while a process has the directory', async () => {
    const dir = await directory();
    const db = await openTestDb(dir);
    const target = join(temporaryDirectory(), 'snapshot');
    const taken = snapshotDirectory(dir, target, { skipHead: false }, toolContext());
    await expect(taken).rejects.toMatchObject({ code: 'locked' });
    expect(existsSync(target)).toBe(false);
    await db.close();
  });

  it('holds out-of-order samples', async () => {
    const dir = await directory();
    const db = await openTestDb(dir);
    await put(db, { __name__: 'live' }, [[LIVE - 1000, 2]]);
    await db.close();
    const target = join(temporaryDirectory(), 'snapshot');
    await snapshotDirectory(dir, target, { skipHead: false }, toolContext());
    expect((await everythingIn(target)).get('live')).toEqual([`${LIVE - 1000}:2`, `${LIVE}:3`]);
  });
});

describe('a restore', () => {
  async function snapshot(): Promise<string> {
    const target = join(temporaryDirectory(), 'snapshot');
    await snapshotDirectory(await directory(), target, { skipHead: false }, toolContext());
    return target;
  }

  it('refuses a directory that is not empty, unless it is told to add to it', async () => {
    const source = await snapshot();
    const dir = temporaryDirectory();
    const there = await writeTestBlock(dir, [stored({ __name__: 'there' }, [7])]);
    await expect(restoreSnapshot(source, dir, { merge: false }, toolContext())).rejects.toThrow(
      'not empty: choose an empty one, or add to it with --merge',
    );
    const first = await restoreSnapshot(source, dir, { merge: true }, toolContext());
    expect(first.restored).toHaveLength(2);
    const again = await restoreSnapshot(source, dir, { merge: true }, toolContext());
    expect([again.restored, again.present.length]).toEqual([[], 2]);
    expect(existsSync(there)).toBe(true);
    expect([...(await everythingIn(dir)).keys()].sort()).toEqual(['live', 'old', 'there']);
  });

  it('does nothing with a damaged snapshot', async () => {
    const source = await snapshot();
    const path = join(source, readdirSync(source)[0]!, 'chunks', '000001');
    const bytes = Buffer.from(readFileSync(path));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const dir = join(temporaryDirectory(), 'data');
    const { restored, verification } = await restoreSnapshot(
      source,
      dir,
      { merge: false },
      toolContext(),
    );
    expect(restored).toBeNull();
    expect(verification.findings.errors).toBeGreaterThan(0);
    expect(existsSync(dir)).toBe(false);
  });

  it('does not hide what the log of the target holds', async () => {
    const source = await snapshot();
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    await put(db, { __name__: 'own' }, [[LIVE - HOUR, 1]]);
    await db.close();
    await expect(restoreSnapshot(source, dir, { merge: true }, toolContext())).rejects.toThrow(
      /^restore block \w+: the log of .* begins at/,
    );
    expect([...(await everythingIn(dir)).keys()]).toEqual(['own']);
  });

  it('takes snapshots, not data directories', async () => {
    await expect(
      restoreSnapshot(
        await directory(),
        join(temporaryDirectory(), 'x'),
        { merge: false },
        toolContext(),
      ),
    ).rejects.toThrow('take a snapshot of it first');
    await expect(
      restoreSnapshot(temporaryDirectory(), '/nowhere', { merge: false }, toolContext()),
    ).rejects.toThrow('no blocks in');
  });
});
