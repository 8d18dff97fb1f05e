// A file system that becomes read-only under a running database: ingest and deletion are refused in words,
// queries go on, and so does everything once it can be written again.

import { expect, test } from 'vitest';
import { Matcher } from '../../src/labels/matcher.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { FaultyLogFs } from '../fakes/faulty-log-fs.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, metricValue, openTestDb, put } from '../fakes/test-db.ts';

const UP = { __name__: 'up' };

test('a disk that becomes read-only stops ingest and deletion, and nothing else', async () => {
  const dir = temporaryDirectory();
  const logFs = new FaultyLogFs();
  const registry = new Registry();
  const db = await openTestDb(dir, { logFs, registry });
  await put(db, UP, [
    [BLOCK_START, 1],
    [BLOCK_START + 1, 2],
  ]);
  const all = new Map([['up', [`${BLOCK_START}:1`, `${BLOCK_START + 1}:2`]]]);

  Object.assign(logFs.failing, { open: 'EROFS', write: 'EROFS', truncate: 'EROFS', sync: 'EROFS' });
  const refused = {
    code: 'unavailable',
    message: expect.stringContaining('the file system is read-only'),
  };
  await expect(put(db, UP, [[BLOCK_START + 2, 3]])).rejects.toMatchObject(refused);
  const isUp = [new Matcher('=', '__name__', 'up')];
  await expect(db.delete(BLOCK_START, BLOCK_START, isUp)).rejects.toMatchObject(refused);
  expect(await contents(db)).toEqual(all);
  expect(metricValue(registry, 'prometheus_tsdb_ingest_paused')).toBe(1);
  await db.maintain();
  expect(await contents(db)).toEqual(all);

  for (const key of ['open', 'write', 'truncate', 'sync'] as const) delete logFs.failing[key];
  await put(db, UP, [[BLOCK_START + 3, 4]]);
  expect(await db.delete(BLOCK_START, BLOCK_START, isUp)).toBe(1);
  expect(metricValue(registry, 'prometheus_tsdb_ingest_paused')).toBe(0);
  await db.close();
  const again = await openTestDb(dir);
  expect(await contents(again)).toEqual(
    new Map([['up', [`${BLOCK_START + 1}:2`, `${BLOCK_START + 3}:4`]]]),
  );
  await again.close();
});
