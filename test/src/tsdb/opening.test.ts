// A database that answers from its blocks while its log is still being replayed.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Matcher } from '../../../src/labels/matcher.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { RemoteWriteReceiver } from '../../../src/remote/receiver.ts';
import { readSeries } from '../../../src/storage/series-list.ts';
import { newLogger, silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { type Db, startDb } from '../../../src/tsdb/db.ts';
import type { DbEvent } from '../../../src/tsdb/db-event.ts';
import { PROGRESS_INTERVAL_MS, ReplayProgress } from '../../../src/tsdb/replay-progress.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { contents, HOUR, openTestDb, put, BLOCK_START as T } from '../../fakes/test-db.ts';
import { writeBody } from '../../fakes/write-request.ts';

const A = { __name__: 'a' };
const WARNING = 'the newest samples are still being replayed from the log: 0 % done';

/** A directory with one block, and newer samples in the log. */
async function withBlockAndLog(): Promise<string> {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir);
  for (const hour of [0, 1, 3, 5]) await put(db, A, [[T + hour * HOUR, hour]]);
  await db.maintain();
  expect(db.blocks.length).toBe(1);
  await db.close();
  return dir;
}

function start(dir: string): Promise<Db> {
  return startDb(dir, {
    clock: new ManualClock(T + 24 * HOUR),
    logger: silentLogger,
    registry: new Registry(),
    fillRandom: bytes => void bytes.fill(7),
  });
}

async function warningsOf(db: Db, minTime: number, maxTime: number): Promise<readonly string[]> {
  const querier = db.querier(minTime, maxTime);
  const set = await querier.select([new Matcher('=', '__name__', 'a')]);
  await readSeries(set);
  const { warnings } = await querier.labelNames([]);
  expect(warnings).toEqual(set.warnings);
  querier.close();
  return set.warnings;
}

test('blocks are read while the log is replayed, with a warning where newer samples could be', async () => {
  const db = await start(await withBlockAndLog());
  expect(db.isOpen).toBe(false);
  expect(db.replayState.state).toBe('in progress');
  const early = [
    warningsOf(db, T, T + HOUR),
    warningsOf(db, T, T + 9 * HOUR),
    contents(db),
  ] as const;
  expect(await early[0]).toEqual([]);
  expect(await early[1]).toEqual([WARNING]);
  expect((await early[2]).get('a')).toEqual([`${T}:0`, `${T + HOUR}:1`]);
  await db.opened;
  expect(db.isOpen).toBe(true);
  expect(db.replayState).toEqual({ min: 0, max: 1, current: 1, state: 'done' });
  expect(await warningsOf(db, T, T + 9 * HOUR)).toEqual([]);
  expect((await contents(db)).get('a')?.length).toBe(4);
  await db.close();
});

test('samples are refused until the log is replayed, and maintenance waits', async () => {
  const db = await start(await withBlockAndLog());
  expect(() => db.appender()).toThrow(
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('0 % done') }),
  );
  await expect(db.exemplars(0, 1, [])).rejects.toMatchObject({ code: 'unavailable' });
  const maintained = db.maintain();
  expect(db.isOpen).toBe(false);
  await maintained;
  expect(db.isOpen).toBe(true);
  await put(db, A, [[T + 6 * HOUR, 6]]);
  await db.close();
});

test('remote write is told to come again while the log is replayed', async () => {
  const db = await start(await withBlockAndLog());
  const receiver = new RemoteWriteReceiver({
    appendable: db,
    clock: new ManualClock(T + 24 * HOUR),
    registry: new Registry(),
    seed: 1,
  });
  const body = writeBody([{ labels: Object.entries(A), samples: [[T + 6 * HOUR, 6]] }]);
  const headers = { contentType: 'application/x-protobuf', contentEncoding: 'snappy' };
  const answer = await receiver.receive(body, headers);
  expect([answer.status, answer.headers]).toEqual([503, { 'Retry-After': '5' }]);
  await db.opened;
  expect((await receiver.receive(body, headers)).status).toBe(204);
  await db.close();
});

test('a database can be closed while it opens; what it holds is there the next time', async () => {
  const dir = await withBlockAndLog();
  const db = await start(dir);
  await db.close();
  await db.close();
  const again = await openTestDb(dir);
  expect((await contents(again)).get('a')?.length).toBe(4);
  await again.close();
});

test('what a damaged log did not give back is counted in one event', async () => {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, { logCompression: false });
  for (let i = 0; i < 5; i++) await put(db, A, [[T + i, i]]);
  await db.close();
  const path = join(dir, 'wal', '00000000');
  const bytes = readFileSync(path);
  const record = 7 + 17 + 2 + 8;
  bytes[bytes.length - 2 * record + 9]! ^= 1;
  writeFileSync(path, bytes);
  const events: DbEvent[] = [];
  const again = await openTestDb(dir, { onEvent: event => events.push(event) });
  expect(again.replay).toMatchObject({ samples: 4, damages: 1, lostBytes: record });
  expect(events).toEqual([
    {
      name: 'storage.log-damaged',
      severity: 'error',
      message: `the log did not give back everything: 1 damaged places of ${record} bytes, 0 samples without a series or room`,
      attributes: { damages: '1', lostBytes: String(record), samplesLost: '0' },
    },
  ]);
  await again.close();
  const repaired = await openTestDb(dir, { onEvent: event => events.push(event) });
  expect(events.length).toBe(1);
  await repaired.close();
});

test('the progress is told every ten seconds', () => {
  const lines: string[] = [];
  let now = 0;
  const write = (line: string): void => void lines.push(line);
  const logger = newLogger({ level: 'info', format: 'logfmt', write, now: () => 0 });
  const progress = new ReplayProgress(logger, () => now);
  expect(progress.state.state).toBe('waiting');
  progress.begin(1000, { min: 3, max: 9 });
  progress.segment(4);
  progress.advance(420);
  now = PROGRESS_INTERVAL_MS;
  progress.advance(5);
  progress.advance(5);
  expect(lines).toEqual([
    'time=1970-01-01T00:00:00.000Z level=info msg="the log is being replayed" percent=42 segment=4 last=9',
  ]);
  progress.advance(5000);
  expect(progress.percent).toBe(99);
  progress.end();
  expect(progress.percent).toBe(100);
  expect(progress.state).toEqual({ min: 3, max: 9, current: 9, state: 'done' });
});
