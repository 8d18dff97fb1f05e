import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { listCheckpoints, listSegments } from '../../../src/tsdb/wal/segments.ts';
import { FaultyLogFs } from '../../fakes/faulty-log-fs.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../fakes/test-blocks.ts';
import {
  BLOCK_RANGE,
  BLOCK_START,
  contents,
  HOUR,
  metricValue,
  openTestDb,
  put,
} from '../../fakes/test-db.ts';

const UP = { __name__: 'up' };
const MINUTE = 60_000;

/** Samples every minute of [from, to), the value being the minute's number. */
function minutes(from: number, to: number): [number, number][] {
  const rows: [number, number][] = [];
  for (let t = from; t < to; t += MINUTE) rows.push([t, (t - BLOCK_START) / MINUTE]);
  return rows;
}

function texts(rows: readonly (readonly [number, number])[]): string[] {
  return rows.map(([time, value]) => `${time}:${value}`);
}

describe('cutting blocks', () => {
  test('a block is cut once the head is half a range longer than one, and reads go on', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const rows = minutes(BLOCK_START, BLOCK_START + 3 * HOUR);
    await put(db, UP, rows);
    await db.maintain();
    expect(db.blocks.length).toBe(0);
    const more = minutes(BLOCK_START + 3 * HOUR, BLOCK_START + 3 * HOUR + 2 * MINUTE);
    await put(db, UP, more);
    await db.maintain();
    expect(db.blocks.map(({ meta }) => [meta.minTime, meta.maxTime])).toEqual([
      [BLOCK_START, BLOCK_START + 2 * HOUR],
    ]);
    expect(db.blocks[0]!.meta.stats).toMatchObject({ numSamples: 120, numSeries: 1, numChunks: 1 });
    expect(await contents(db)).toEqual(new Map([['up', texts([...rows, ...more])]]));
    await db.close();
    const again = await openTestDb(dir);
    expect(again.replay).toMatchObject({ samplesLost: 0, damages: 0, samples: 62 });
    expect(await contents(again)).toEqual(new Map([['up', texts([...rows, ...more])]]));
    await again.close();
  });

  test('the log shrinks to a checkpoint and what came after', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    await put(db, { ...UP, gone: '1' }, minutes(BLOCK_START, BLOCK_START + HOUR));
    await db.maintain();
    await put(db, UP, minutes(BLOCK_START, BLOCK_START + 4 * HOUR));
    await db.maintain();
    const wal = join(dir, 'wal');
    expect(listCheckpoints(wal).map(({ index }) => index)).toEqual([0]);
    expect(listSegments(wal).map(({ index }) => index)).toEqual([1]);
    await db.close();
    const again = await openTestDb(dir);
    expect(again.seriesCount).toBe(1);
    expect(again.replay).toMatchObject({ series: 1, samples: 120, samplesSkipped: 0 });
    await again.close();
  });

  test('series without samples leave the head, unless somebody just asked for them', async () => {
    const db = await openTestDb(temporaryDirectory());
    await put(db, { ...UP, n: '1' }, minutes(BLOCK_START, BLOCK_START + HOUR));
    await put(db, { ...UP, n: '2' }, minutes(BLOCK_START, BLOCK_START + HOUR));
    await put(db, UP, minutes(BLOCK_START, BLOCK_START + 2 * HOUR));
    await db.maintain();
    await db.maintain();
    await put(db, UP, minutes(BLOCK_START + 2 * HOUR, BLOCK_START + 4 * HOUR));
    expect(db.seriesCount).toBe(3);
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ ...UP, n: '2' }));
    await db.maintain();
    expect(db.seriesCount).toBe(2);
    appender.append(ref, BLOCK_START + 4 * HOUR, 7);
    expect((await appender.commit()).stored).toBe(1);
    await db.close();
  });

  test('a querier from before the cut sees all it would have seen', async () => {
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const db = await openTestDb(temporaryDirectory(), { clock });
    const rows = minutes(BLOCK_START, BLOCK_START + 4 * HOUR);
    await put(db, UP, rows);
    const querier = db.querier(BLOCK_START, BLOCK_START + 4 * HOUR);
    const set = await querier.select([new Matcher('=', '__name__', 'up')]);
    const maintained = db.maintain();
    while (db.blocks.length === 0) await new Promise(resolve => setImmediate(resolve));
    const [series] = (await set.next())!;

    const columns = new SampleColumns();
    series!.samples(columns);
    expect(columns.length).toBe(rows.length);
    querier.close();
    clock.advance(100);
    await maintained;
    await db.close();
  });

  test('a reader that never ends is cut off with an error, not with half an answer', async () => {
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const db = await openTestDb(temporaryDirectory(), { clock });
    await put(db, UP, minutes(BLOCK_START, BLOCK_START + 4 * HOUR));
    const querier = db.querier(BLOCK_START, BLOCK_START + 4 * HOUR);
    const set = await querier.select([new Matcher('=', '__name__', 'up')]);
    let done = false;
    const maintained = db.maintain().then(() => (done = true));
    while (!done) {
      await new Promise(resolve => setImmediate(resolve));
      if (db.blocks.length > 0) clock.advance(10_000);
    }
    await maintained;
    await expect(set.next()).rejects.toMatchObject({ code: 'unavailable' });
    querier.close();
    await db.close();
  });

  test('a block that cannot be written leaves everything in the head', async () => {
    const dir = temporaryDirectory();
    const registry = new Registry();
    const db = await openTestDb(dir, { registry });
    const rows = minutes(BLOCK_START, BLOCK_START + 4 * HOUR);
    await put(db, UP, rows);
    renameSync(dir, `${dir}.away`);
    writeFileSync(dir, 'in the way');
    await db.maintain();
    expect(metricValue(registry, 'prometheus_tsdb_maintenance_failed_total')).toBeGreaterThan(0);
    expect(await contents(db)).toEqual(new Map([['up', texts(rows)]]));
    execFileSync('rm', [dir]);
    renameSync(`${dir}.away`, dir);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    expect(await contents(db)).toEqual(new Map([['up', texts(rows)]]));
    await db.close();
  });
});

describe('compaction and retention', () => {
  async function dayInBlocks(
    dir: string,
    options = {},
  ): Promise<Awaited<ReturnType<typeof openTestDb>>> {
    const db = await openTestDb(dir, options);
    for (let hour = 0; hour < 22; hour++) {
      const from = BLOCK_START + hour * HOUR;
      await put(db, UP, minutes(from, from + HOUR));
      await db.maintain();
    }
    return db;
  }

  test('blocks are joined in aligned ranges and keep every sample', async () => {
    const dir = temporaryDirectory();
    const db = await dayInBlocks(dir);
    const spans = db.blocks.map(({ meta }) => (meta.maxTime - meta.minTime) / HOUR);
    // Ranges are aligned to the epoch, and the newest block is left alone.
    expect(spans).toEqual([8, 6, 2, 2, 2]);
    expect(db.blocks[0]!.meta.compaction).toMatchObject({ level: 3 });
    const rows = minutes(BLOCK_START, BLOCK_START + 22 * HOUR);
    expect(await contents(db)).toEqual(new Map([['up', texts(rows)]]));
    await db.close();
    expect(readdirSync(dir).filter(name => name.length === 26).length).toBe(5);
  });

  test('blocks stay apart where the largest range is that of the head', async () => {
    const db = await dayInBlocks(temporaryDirectory(), { compactedRangeMaxMs: BLOCK_RANGE });
    expect(db.blocks.length).toBe(10);
    await db.close();
  });

  test('blocks older than the retention are deleted whole', async () => {
    const registry = new Registry();
    const db = await dayInBlocks(temporaryDirectory(), {
      registry,
      retentionMs: 5 * HOUR,
    });
    expect(db.minTime).toBe(BLOCK_START + 14 * HOUR);
    expect(metricValue(registry, 'prometheus_tsdb_time_retentions_total')).toBe(7);
    await db.close();
  });

  test('the oldest blocks go when there are too many bytes', async () => {
    const db = await dayInBlocks(temporaryDirectory(), {
      retentionBytes: 8000,
      compactedRangeMaxMs: BLOCK_RANGE,
    });
    expect(db.blocks.length).toBeGreaterThan(0);
    expect(db.blocks.length).toBeLessThan(10);
    await db.close();
  });
});

describe('opening', () => {
  test('leftovers of blocks being written or deleted are removed', async () => {
    const dir = temporaryDirectory();
    const ulid = '01HF5V2K000000000000000000';
    for (const suffix of ['.tmp-for-creation', '.tmp-for-deletion'])
      mkdirSync(join(dir, ulid + suffix));
    mkdirSync(join(dir, 'mine.tmp-for-deletion'));
    const db = await openTestDb(dir);
    expect(readdirSync(dir).sort()).toEqual(['lock', 'mine.tmp-for-deletion', 'wal', 'wbl']);
    await db.close();
  });

  test('damaged blocks are set aside and the others are read', async () => {
    const dir = temporaryDirectory();
    const series = { labels: UP, times: [BLOCK_START], values: Float64Array.of(1) };
    const good = await writeTestBlock(dir, [series]);
    const bad = await writeTestBlock(dir, [{ ...series, times: [BLOCK_START + 1] }]);
    writeFileSync(join(bad, 'index'), 'not an index');
    const registry = new Registry();
    const db = await openTestDb(dir, { registry });
    expect(db.blocks.map(block => block.dir)).toEqual([good]);
    expect(existsSync(`${bad}.corrupt`)).toBe(true);
    expect(metricValue(registry, 'prometheus_tsdb_blocks_set_aside_total')).toBe(1);
    await db.close();
  });

  test('blocks that appear and disappear on disk are noticed within a minute', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const db = await openTestDb(dir, { clock });
    const series = { labels: UP, times: [BLOCK_START], values: Float64Array.of(1) };
    const block = await writeTestBlock(dir, [series]);
    await db.maintain();
    expect(db.blocks.length).toBe(0);
    clock.advance(60_000);
    await db.maintain();
    expect(await contents(db)).toEqual(new Map([['up', [`${BLOCK_START}:1`]]]));
    renameSync(block, join(temporaryDirectory(), 'moved'));
    clock.advance(60_000);
    await db.maintain();
    expect(db.blocks.length).toBe(0);
    await db.close();
  });

  test('a block that somebody is still copying is tried again', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const db = await openTestDb(dir, { clock });
    const series = { labels: UP, times: [BLOCK_START], values: Float64Array.of(1) };
    const block = await writeTestBlock(dir, [series]);
    const index = readFileSync(join(block, 'index'));
    writeFileSync(join(block, 'index'), index.subarray(0, 40));
    clock.advance(60_000);
    await db.maintain();
    expect(db.blocks.length).toBe(0);
    writeFileSync(join(block, 'index'), index);
    clock.advance(60_000);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    await db.close();
  });

  test('samples of the log that are in a block already are not read twice', async () => {
    const dir = temporaryDirectory();
    const first = await openTestDb(dir);
    await put(first, UP, minutes(BLOCK_START, BLOCK_START + 2 * HOUR));
    await first.close();
    const series = {
      labels: UP,
      times: [BLOCK_START],
      values: Float64Array.of(5),
    };
    await writeTestBlock(dir, [series], { maxTime: BLOCK_START + HOUR });
    const db = await openTestDb(dir);
    expect(db.replay).toMatchObject({ samples: 60, samplesSkipped: 60 });
    const rows = [
      [BLOCK_START, 5] as const,
      ...minutes(BLOCK_START + HOUR, BLOCK_START + 2 * HOUR),
    ];
    expect(await contents(db)).toEqual(new Map([['up', texts(rows)]]));
    await db.close();
  });

  test('metadata survives', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const appender = db.appender();
    appender.metadata('up', { type: 'gauge', help: 'Is it up?', unit: '' });
    appender.metadata('wait_seconds', { type: 'histogram', help: 'Waiting.', unit: 's' });
    for (const name of ['up', 'wait_seconds_bucket']) {
      appender.append(appender.series(Labels.fromObject({ __name__: name })), BLOCK_START, 1);
    }
    await appender.commit();
    await put(db, UP, minutes(BLOCK_START + MINUTE, BLOCK_START + 4 * HOUR));
    await put(db, { __name__: 'wait_seconds_bucket' }, [[BLOCK_START + 4 * HOUR, 1]]);
    await db.maintain();
    await db.close();
    const again = await openTestDb(dir);
    expect(Object.fromEntries(again.metadata())).toEqual({
      up: { type: 'gauge', help: 'Is it up?', unit: '' },
      wait_seconds: { type: 'histogram', help: 'Waiting.', unit: 's' },
    });
    await again.close();
  });

  test('metadata outlives the series under which it was logged', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const appender = db.appender();
    appender.metadata('up', { type: 'gauge', help: 'Is it up?', unit: '' });
    appender.metadata('gone', { type: 'gauge', help: 'Was it up?', unit: '' });
    for (const labels of [UP, { __name__: 'up', other: 'x' }, { __name__: 'gone' }]) {
      appender.append(appender.series(Labels.fromObject(labels)), BLOCK_START, 1);
    }
    await appender.commit();
    // The series that lives on is not the one that came first.
    const live = { __name__: 'up', other: 'x' };
    for (const hours of [2, 4, 6, 8, 10]) {
      await put(db, live, [[BLOCK_START + hours * HOUR, 1]]);
      await db.maintain();
    }
    expect(db.seriesCount).toBe(1);
    const expected = { up: { type: 'gauge', help: 'Is it up?', unit: '' } };
    expect(Object.fromEntries(db.metadata())).toEqual(expected);
    await db.close();
    const again = await openTestDb(dir);
    expect(Object.fromEntries(again.metadata())).toEqual(expected);
    await again.close();
  });
});

describe('the lock', () => {
  test('a second opening in the same process is refused', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    await expect(openTestDb(dir)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid} is using it`),
    });
    await db.close();
    await (await openTestDb(dir)).close();
    expect(existsSync(join(dir, 'lock'))).toBe(false);
  });

  test('the lock of a process that is gone is taken over', async () => {
    const dir = temporaryDirectory();
    const child = spawn('true');
    await once(child, 'exit');
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: child.pid, started: '1', boot: 'x' }));
    await (await openTestDb(dir)).close();
  });

  test('the lock of an earlier process with the pid of a live one is taken over', async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: process.pid, started: '1', boot: 'x' }));
    await (await openTestDb(dir)).close();
  });

  test('the empty lock that Prometheus leaves is taken over, not the one it holds', async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, 'lock'), '');
    const holder = spawn('flock', [join(dir, 'lock'), '-c', 'echo held; read line']);
    await once(holder.stdout, 'data');
    await expect(openTestDb(dir)).rejects.toMatchObject({ code: 'locked' });
    holder.stdin.end('\n');
    await once(holder, 'exit');
    await (await openTestDb(dir)).close();
  });
});

describe('the clock', () => {
  const now = BLOCK_START + 24 * HOUR;

  test('a clock that steps back does not stop ingest, and no sample is lost', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(now);
    const db = await openTestDb(dir, { clock });
    const year = 365 * 24 * HOUR;
    await put(db, UP, [[now, 1]]);
    clock.stepWall(now + year);
    await put(db, UP, [[now + year, 2]]);
    await db.maintain();
    clock.stepWall(now + MINUTE);
    await db.maintain();
    expect((await put(db, UP, [[now + MINUTE, 3]])).stored).toBe(1);
    const expected = [`${now}:1`, `${now + MINUTE}:3`, `${now + year}:2`];
    expect(await contents(db)).toEqual(new Map([['up', expected]]));
    await db.close();
    const again = await openTestDb(dir, { clock });
    expect((await put(again, UP, [[now + 2 * MINUTE, 4]])).stored).toBe(1);
    expected.splice(2, 0, `${now + 2 * MINUTE}:4`);
    expect(await contents(again)).toEqual(new Map([['up', expected]]));
    await again.close();
  });

  test('nothing is deleted for its age for a day after the clock stepped', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(now);
    const year = 365 * 24 * HOUR;
    for (const time of [BLOCK_START, BLOCK_START + year]) {
      await writeTestBlock(dir, [{ labels: UP, times: [time], values: Float64Array.of(1) }]);
    }
    const db = await openTestDb(dir, { clock });
    clock.stepWall(now + year);
    await db.maintain();
    expect(db.blocks.length).toBe(2);
    clock.advance(25 * HOUR);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    await db.close();
  });

  test('a jump of the samples’ time makes no blocks for the years between', async () => {
    const clock = new ManualClock(now);
    const db = await openTestDb(temporaryDirectory(), { clock });
    await put(db, UP, [[BLOCK_START, 1]]);
    const later = BLOCK_START + 10 * 365 * 24 * HOUR;
    clock.stepWall(later);
    await put(db, UP, [[later, 2]]);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    await db.close();
  });
});

describe('a full disk', () => {
  test('pauses ingest loudly and loses nothing that was acknowledged', async () => {
    const dir = temporaryDirectory();
    const logFs = new FaultyLogFs();
    const registry = new Registry();
    const db = await openTestDb(dir, { logFs, registry });
    await put(db, UP, [[BLOCK_START, 1]]);
    logFs.freeBytes = 3;
    await expect(put(db, UP, [[BLOCK_START + 1, 2]])).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(put(db, { ...UP, n: '1' }, [[BLOCK_START + 1, 2]])).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(metricValue(registry, 'prometheus_tsdb_ingest_paused')).toBe(1);
    expect(await contents(db)).toEqual(new Map([['up', [`${BLOCK_START}:1`]]]));
    logFs.freeBytes = Infinity;
    await put(db, { ...UP, n: '1' }, [[BLOCK_START + 2, 3]]);
    expect(metricValue(registry, 'prometheus_tsdb_ingest_paused')).toBe(0);
    await db.close();
    const again = await openTestDb(dir);
    expect(await contents(again)).toEqual(
      new Map([
        ['up', [`${BLOCK_START}:1`]],
        ['up{n="1"}', [`${BLOCK_START + 2}:3`]],
      ]),
    );
    await again.close();
  });
});

describe('deletion and snapshots', () => {
  test('deleted samples are gone from head and blocks, also after a restart', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const rows = minutes(BLOCK_START, BLOCK_START + 4 * HOUR);
    await put(db, UP, rows);
    await put(db, { ...UP, n: '1' }, [[BLOCK_START + 4 * HOUR, 1]]);
    await db.maintain();
    const range = [BLOCK_START + HOUR, BLOCK_START + 3 * HOUR - 1] as const;
    expect(await db.delete(...range, [new Matcher('=', '__name__', 'up')])).toBe(2);
    const kept = rows.filter(([time]) => time < range[0] || time > range[1]);
    const expected = new Map([
      ['up', texts(kept)],
      ['up{n="1"}', [`${BLOCK_START + 4 * HOUR}:1`]],
    ]);
    expect(await contents(db)).toEqual(expected);
    await db.close();
    const again = await openTestDb(dir);
    expect(await contents(again)).toEqual(expected);
    await put(again, UP, minutes(BLOCK_START + 4 * HOUR, BLOCK_START + 6 * HOUR));
    await again.maintain();
    expect(again.blocks.length).toBe(2);
    const later = texts(minutes(BLOCK_START + 4 * HOUR, BLOCK_START + 6 * HOUR));
    expect((await contents(again)).get('up')).toEqual([...texts(kept), ...later]);
    await again.close();
  });

  test('a snapshot holds blocks and head and opens as a database', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const rows = minutes(BLOCK_START, BLOCK_START + 4 * HOUR);
    await put(db, UP, rows);
    await db.maintain();
    const snapshot = await db.snapshot('one');
    const bare = await db.snapshot('two', { skipHead: true });
    await expect(db.snapshot('one')).rejects.toMatchObject({ code: 'bad-data' });
    await db.close();
    for (const [path, count] of [
      [snapshot, 240],
      [bare, 120],
    ] as const) {
      const copy = await openTestDb(path);
      expect((await contents(copy)).get('up')).toEqual(texts(rows.slice(0, count)));
      await copy.close();
    }
    expect(statSync(join(dir, 'snapshots', 'one')).isDirectory()).toBe(true);
  });
});

test('a selection sees the batches before it and none after, whatever arrives while it is read', async () => {
  const db = await openTestDb(temporaryDirectory());
  const appender = db.appender();
  const refs = Uint32Array.from({ length: 1000 }, (_, i) =>
    appender.series(Labels.fromObject({ ...UP, n: String(i) })),
  );
  const values = new Float64Array(1000).fill(1);
  appender.appendColumns(refs, Float64Array.of(BLOCK_START), values, 1000);
  await appender.commit();
  const querier = db.querier(BLOCK_START, BLOCK_START + HOUR);
  const set = await querier.select([new Matcher('=', '__name__', 'up')]);

  const columns = new SampleColumns();
  for (let n = 1, batch = await set.next(); batch; batch = await set.next(), n++) {
    const next = db.appender();
    next.appendColumns(refs, Float64Array.of(BLOCK_START + n), values, 1000);
    await next.commit();
    for (const series of batch) series.samples(columns);
  }
  expect(columns.length).toBe(1000);
  querier.close();
  await db.close();
});

test('the actor flushes the log and maintains until it is told to stop', async () => {
  const clock = new ManualClock(BLOCK_START + 24 * HOUR);
  const logFs = new FaultyLogFs();
  const db = await openTestDb(temporaryDirectory(), { clock, logFs });
  await put(db, UP, minutes(BLOCK_START, BLOCK_START + 4 * HOUR));
  const stop = new AbortController();
  const running = db.run(stop.signal);
  clock.advance(5000);
  await db.sync();
  expect(logFs.syncs).toBe(1);
  while (db.blocks.length === 0) {
    clock.advance(5000);
    await new Promise(resolve => setImmediate(resolve));
  }
  stop.abort();
  await running;
  await db.close();
  await expect(db.maintain()).rejects.toMatchObject({ code: 'unavailable' });
});
