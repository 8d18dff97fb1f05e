// Disks that fail now and then: whatever was acknowledged is there after reopening, and nothing that was
// not.

import { cpSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FaultyLogFs } from '../fakes/faulty-log-fs.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, openTestDb, put } from '../fakes/test-db.ts';

type Fault = (fs: FaultyLogFs, random: () => number) => void;

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['is full after some bytes', (fs, random) => (fs.freeBytes = Math.floor(random() * 200))],
  [
    'takes a few bytes at a time',
    (fs, random) => (fs.writeBytesMax = 1 + Math.floor(random() * 9)),
  ],
  ['fails to write', fs => (fs.failing.write = 'EIO')],
  [
    'fails to write and to cut off',
    fs => Object.assign(fs.failing, { write: 'EIO', truncate: 'EIO' }),
  ],
  [
    'is full and fails to cut off',
    (fs, random) => {
      fs.freeBytes = Math.floor(random() * 200);
      fs.failing.truncate = 'EIO';
    },
  ],
  ['fails to open files', fs => (fs.failing.open = 'ENOSPC')],
  ['fails to flush', fs => (fs.failing.sync = 'EIO')],
];

function heal(fs: FaultyLogFs): void {
  fs.freeBytes = Number.POSITIVE_INFINITY;
  fs.writeBytesMax = Number.POSITIVE_INFINITY;
  for (const key of ['open', 'write', 'truncate', 'sync'] as const) delete fs.failing[key];
}

test.each(FAULTS)('a disk that %s loses nothing acknowledged', async (_, fault) => {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const dir = temporaryDirectory();
  const logFs = new FaultyLogFs();
  const db = await openTestDb(dir, { logFs, logSegmentBytes: 32 * 1024 });
  const acknowledged = new Map<string, string[]>();
  let refused = 0;
  for (let i = 0; i < 600; i++) {
    if (i % 20 === 10) fault(logFs, random);
    if (i % 20 === 0) heal(logFs);
    const n = String(Math.floor(random() * 20));
    const samples = Array.from({ length: 20 }, (_, k) => [BLOCK_START + i * 20 + k, i] as const);
    try {
      await put(db, { __name__: 'x', n }, samples);
    } catch (error) {
      expect(error).toMatchObject({ code: 'unavailable' });
      refused++;
      continue;
    }
    const key = `x{n="${n}"}`;
    const texts = samples.map(([time, value]) => `${time}:${value}`);
    acknowledged.set(key, [...(acknowledged.get(key) ?? []), ...texts]);
    if (i % 50 === 0) await db.sync();
  }
  expect(await contents(db)).toEqual(acknowledged);
  // No close: the process dies with whatever the disk holds now.
  await db.sync();
  const copy = temporaryDirectory();

  cpSync(`${dir}/wal`, `${copy}/wal`, { recursive: true });
  heal(logFs);
  await db.close();
  const again = await openTestDb(copy);
  const read = await contents(again);
  expect([...read].sort()).toEqual([...acknowledged].sort());
  expect(again.replay.damages).toBe(0);
  await again.close();
  expect(refused < 600).toBe(true);
});
