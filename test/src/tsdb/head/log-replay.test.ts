// Logs that this program would not write itself, or only after a long life.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Labels } from '../../../../src/labels/labels.ts';
import { silentLogger } from '../../../../src/telemetry/logger.ts';
import { LogWriter } from '../../../../src/tsdb/wal/log-writer.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../../../src/tsdb/wal/samples-record.ts';
import { SeriesRecordWriter } from '../../../../src/tsdb/wal/series-record.ts';
import { encodeTombstonesRecord } from '../../../../src/tsdb/wal/tombstones-record.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { contents, HOUR, openTestDb, put, BLOCK_START as T } from '../../../fakes/test-db.ts';

function series(...rows: readonly (readonly [ref: number, name: string])[]): Uint8Array {
  const writer = new SeriesRecordWriter();
  for (const [ref, name] of rows) writer.add(ref, ['__name__', name]);
  return writer.bytes();
}

function samples(...rows: readonly (readonly [ref: number, time: number, value: number])[]) {
  const columns = new LoggedSamples();
  for (const [i, [ref, time, value]] of rows.entries()) {
    columns.refs[i] = ref;
    columns.times[i] = time;
    columns.values[i] = value;
  }
  columns.length = rows.length;
  return new SamplesRecordWriter().encode(columns, () => true)!;
}

async function logOf(records: readonly Uint8Array[]): Promise<string> {
  const dir = temporaryDirectory();
  const log = LogWriter.open(join(dir, 'wal'), { logger: silentLogger, monotonic: () => 0 });
  log.log(records);
  await log.close();
  return dir;
}

test('a series that was collected and came back has one life', async () => {
  const dir = await logOf([
    series([1, 'a'], [2, 'b']),
    samples([1, T, 1]),
    series([9, 'a']),
    samples([9, T + 1, 2], [1, T + 1, 3], [9, T + 2, 4]),
  ]);
  const expected = [`${T}:1`, `${T + 1}:2`, `${T + 2}:4`];
  const db = await openTestDb(dir);
  expect(db.replay).toMatchObject({ series: 2, samples: 3, samplesSkipped: 1, samplesLost: 0 });
  expect((await contents(db)).get('a')).toEqual(expected);
  await db.close();
});

test('samples under a former reference outlive checkpoints as long as they are needed', async () => {
  const late = T + 3 * HOUR;
  const dir = await logOf([
    series([1, 'a'], [9, 'a']),
    samples([1, T, 1], [9, late, 2]),
    samples([9, late + HOUR, 3]),
  ]);
  const db = await openTestDb(dir);
  await db.maintain();
  expect(db.blocks.length).toBe(1);
  await db.close();
  const again = await openTestDb(dir);
  expect(again.replay).toMatchObject({ samples: 2, samplesLost: 0 });
  expect((await contents(again)).get('a')).toEqual([`${T}:1`, `${late}:2`, `${late + HOUR}:3`]);
  await again.close();
});

test('samples without a series are counted, and their reference is not given out', async () => {
  const dir = await logOf([series([1, 'a']), samples([1, T, 1], [500, T, 1], [2 ** 40, T, 1])]);
  const db = await openTestDb(dir);
  expect(db.replay).toMatchObject({ samples: 1, samplesLost: 2 });
  const appender = db.appender();
  expect(appender.series(Labels.fromObject({ __name__: 'new' }))).toBe(501);
  appender.rollback();
  await db.close();
});

test('deletions apply, records of other kinds are counted', async () => {
  const dir = await logOf([
    series([1, 'a']),
    samples([1, T, 1], [1, T + 10, 2], [1, T + 20, 3]),
    encodeTombstonesRecord([{ ref: 1, minTime: T + 5, maxTime: T + 15 }]),
    Uint8Array.of(78, 0, 0),
    Uint8Array.of(78, 0, 0),
    Uint8Array.of(77),
  ]);
  const db = await openTestDb(dir);
  expect((await contents(db)).get('a')).toEqual([`${T}:1`, `${T + 20}:3`]);
  expect(Object.fromEntries(db.replay.skipped)).toEqual({ 'type-77': 1, 'type-78': 2 });
  await db.close();
});

test('a log larger than the memory for samples is read as far as it fits', async () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => [i + 1, `n${i}`] as const);
  const dir = await logOf([series(...rows), samples([1, T, 1], [60_000, T, 1])]);
  const db = await openTestDb(dir, { headBytesMax: 4 * 1024 * 1024 });
  expect(db.seriesCount).toBeGreaterThan(0);
  expect(db.seriesCount).toBeLessThan(60_000);
  await db.close();
});

test('references of a log that was written by many at once may come in any order', async () => {
  const dir = await logOf([
    series([7, 'c'], [3, 'a'], [5, 'b']),
    samples([3, T, 1], [7, T, 2], [5, T, 3]),
  ]);
  const db = await openTestDb(dir);
  await put(db, { __name__: 'd' }, [[T, 4]]);
  expect([...(await contents(db)).keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
  await db.close();
});
