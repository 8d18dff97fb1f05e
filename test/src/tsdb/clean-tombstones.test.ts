// Freeing the space of deleted samples.

import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { ManualClock, systemClock } from '../../../src/lifecycle/clock.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { OUT_OF_ORDER_HINT } from '../../../src/tsdb/block/meta.ts';
import { inProcessJobs, type JobRunner } from '../../../src/tsdb/block-jobs/block-job.ts';
import type { Db } from '../../../src/tsdb/db.ts';
import { FaultyLogFs } from '../../fakes/faulty-log-fs.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../fakes/test-blocks.ts';
import { BLOCK_START, contents, HOUR, openTestDb, put } from '../../fakes/test-db.ts';

const MINUTE = 60_000;
const A = { __name__: 'a' };
const B = { __name__: 'b' };
const isA = [new Matcher('=', '__name__', 'a')];
const APART = { compactedRangeMaxMs: 2 * HOUR, retentionMs: 0 };

/** Three blocks with both series, a sample each minute. */
async function threeBlocks(dir: string): Promise<void> {
  for (let block = 0; block < 3; block++) {
    const minTime = BLOCK_START + block * 2 * HOUR;
    const times = Array.from({ length: 120 }, (_, i) => minTime + i * MINUTE);
    const values = Float64Array.from(times, time => time);
    await writeTestBlock(
      dir,
      [A, B].map(labels => ({ labels, times, values })),
      { minTime, maxTime: minTime + 2 * HOUR },
    );
  }
}

function tombstones(db: Db): number[] {
  return db.blocks.map(({ meta }) => meta.stats.numTombstones);
}

async function counts(db: Db): Promise<Record<string, number>> {
  const rows = [...(await contents(db))].map(([name, texts]) => [name, texts.length]);
  return Object.fromEntries(rows);
}

describe('cleaning', () => {
  test('writes blocks with deleted samples anew, and leaves the others alone', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const db = await openTestDb(dir, APART);
    const [first, second, third] = db.blocks.map(({ meta }) => meta.ulid);
    await db.delete(BLOCK_START + HOUR, BLOCK_START + 3 * HOUR - 1, isA);
    expect(tombstones(db)).toEqual([1, 1, 0]);
    const before = await contents(db);
    await db.cleanTombstones();
    expect(tombstones(db)).toEqual([0, 0, 0]);
    expect(await contents(db)).toEqual(before);
    expect(await counts(db)).toEqual({ a: 240, b: 360 });
    expect(db.blocks.map(({ meta }) => meta.stats.numSamples)).toEqual([180, 180, 240]);
    expect(db.blocks.map(({ meta }) => [meta.minTime, meta.maxTime])).toEqual(
      [0, 2, 4].map(h => [BLOCK_START + h * HOUR, BLOCK_START + (h + 2) * HOUR]),
    );
    expect(db.blocks[2]!.meta.ulid).toBe(third);
    await db.close();
    const names = readdirSync(dir);
    expect(names).not.toContain(first);
    expect(names).not.toContain(second);
    expect(names.filter(name => name.includes('tmp'))).toEqual([]);
  });

  test('deletes a block of which nothing is left', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const db = await openTestDb(dir, APART);
    await db.delete(BLOCK_START, BLOCK_START + 2 * HOUR - 1, []);
    await db.cleanTombstones();
    expect(db.minTime).toBe(BLOCK_START + 2 * HOUR);
    expect(db.blocks.length).toBe(2);
    await db.close();
  });

  test('does not disturb a reader that has the block open', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const db = await openTestDb(dir, APART);
    const querier = db.querier(-Infinity, Infinity);
    const set = await querier.select(isA, { hints: { sorted: true } });
    await db.delete(-Infinity, Infinity, isA);
    await db.cleanTombstones();
    const columns = new SampleColumns();
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) series.samples(columns);
    }
    expect(columns.length).toBe(360);
    querier.close();
    expect(await counts(db)).toEqual({ b: 360 });
    await db.close();
  });

  test('reads the same where a crash left the old block beside the new one', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const db = await openTestDb(dir, APART);
    await db.delete(BLOCK_START, BLOCK_START + HOUR, isA);
    const old = db.blocks[0]!.dir;
    const saved = join(temporaryDirectory(), 'saved');
    cpSync(old, saved, { recursive: true });
    await db.cleanTombstones();
    const expected = await contents(db);
    await db.close();
    cpSync(saved, old, { recursive: true });
    const again = await openTestDb(dir, APART);
    expect(again.blocks.length).toBe(4);
    expect(await contents(again)).toEqual(expected);
    await again.maintain();
    expect(again.blocks.length).toBe(3);
    expect(await contents(again)).toEqual(expected);
    await again.close();
  });

  test('brings nothing back from a log that could not be shortened when the block was cut', async () => {
    const dir = temporaryDirectory();
    const logFs = new FaultyLogFs();
    const db = await openTestDb(dir, { ...APART, logFs });
    const rows = Array.from({ length: 200 }, (_, i) => [BLOCK_START + i * MINUTE, i] as const);
    await put(db, A, rows);
    logFs.failing.open = 'ENOSPC';
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    delete logFs.failing.open;
    await db.close();
    const again = await openTestDb(dir, APART);
    await again.delete(-Infinity, Infinity, isA);
    await again.cleanTombstones();
    expect(again.blocks.length).toBe(0);
    await again.close();
    const third = await openTestDb(dir, APART);
    expect(await counts(third)).toEqual({});
    await third.close();
  });

  test('leaves the order of late samples: the first that was written wins, at each time', async () => {
    const dir = temporaryDirectory();
    const hints = [OUT_OF_ORDER_HINT];
    const range = { minTime: BLOCK_START, maxTime: BLOCK_START + 2 * HOUR, hints };
    for (const [value, other] of [
      [1, BLOCK_START + 1],
      [2, BLOCK_START + 2],
    ] as const) {
      const times = [BLOCK_START, other];
      const values = Float64Array.of(value, value);
      await writeTestBlock(dir, [{ labels: A, times, values }], range);
    }
    const db = await openTestDb(dir, APART);
    expect((await contents(db)).get('a')).toContain(`${BLOCK_START}:1`);
    await db.delete(BLOCK_START + 1, BLOCK_START + 1, []);
    await db.cleanTombstones();
    expect((await contents(db)).get('a')).toEqual([`${BLOCK_START}:1`, `${BLOCK_START + 2}:2`]);
    await db.close();
  });

  test('lets maintenance have its turn between two blocks', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const order: string[] = [];
    const jobs: JobRunner = {
      run: (job, context) => {
        order.push('rewrite');
        return inProcessJobs.run(job, context);
      },
    };
    const db = await openTestDb(dir, { ...APART, jobs });
    await db.delete(-Infinity, Infinity, isA);
    const cleaning = db.cleanTombstones();
    const between = db.delete(BLOCK_START, BLOCK_START, []).then(() => order.push('delete'));
    await Promise.all([cleaning, between]);
    expect(order.indexOf('delete')).toBeLessThan(order.lastIndexOf('rewrite'));
    await db.close();
  });

  test('ends when the database is closed, which waits for no further block', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    let started = 0;
    let closed: Promise<void> | null = null;
    const jobs: JobRunner = {
      run: async (job, { signal, ...context }) => {
        started++;
        closed = db.close();
        signal?.throwIfAborted();
        return await inProcessJobs.run(job, context);
      },
    };
    const db = await openTestDb(dir, { ...APART, jobs });
    await db.delete(-Infinity, Infinity, isA);
    await expect(db.cleanTombstones()).rejects.toMatchObject({ code: 'unavailable' });
    expect(started).toBe(1);
    await closed;
    const again = await openTestDb(dir, APART);
    expect(await counts(again)).toEqual({ b: 360 });
    await again.close();
  });

  test('frees cold blocks too', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const db = await openTestDb(dir, { ...APART, coldAfterMs: 1 });
    await db.maintain();
    expect(readdirSync(join(dir, 'cold')).length).toBeGreaterThan(0);
    await db.delete(-Infinity, Infinity, isA);
    expect(tombstones(db)).toEqual([1, 1, 1]);
    await db.cleanTombstones();
    expect(tombstones(db)).toEqual([0, 0, 0]);
    expect(await counts(db)).toEqual({ b: 360 });
    await db.close();
    const again = await openTestDb(dir, APART);
    expect(await counts(again)).toEqual({ b: 360 });
    await again.close();
  });
});

describe('what is deleted', () => {
  test('goes from the head with its next block: in order, out of order, histograms', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const db = await openTestDb(dir, { ...APART, clock, outOfOrderMs: 3 * HOUR });
    for (let i = 0; i < 230; i++) {
      const time = BLOCK_START + i * MINUTE;
      const appender = db.appender();
      const bucket = { positiveSpans: [{ offset: 0, length: 1 }] };
      const h = histogram({ count: i, schema: 2, ...bucket, positiveBuckets: Float64Array.of(i) });
      appender.append(appender.series(Labels.fromObject(A)), time, i);
      appender.append(appender.series(Labels.fromObject(B)), time, i);
      appender.appendHistogram(appender.series(Labels.fromObject({ __name__: 'h' })), time, h);
      await appender.commit();
    }
    await put(db, A, [[BLOCK_START + 60 * MINUTE + 1, -1]]);
    await db.delete(BLOCK_START + 30 * MINUTE, BLOCK_START + 90 * MINUTE, [
      new Matcher('=~', '__name__', 'a|h'),
    ]);
    const expected = await contents(db);
    expect(await counts(db)).toEqual({ a: 169, b: 230, h: 169 });
    await db.cleanTombstones();
    expect(await contents(db)).toEqual(expected);
    await db.maintain();
    expect(await contents(db)).toEqual(expected);
    expect(tombstones(db).every(count => count === 0)).toBe(true);
    const samples = db.blocks.reduce((sum, { meta }) => sum + meta.stats.numSamples, 0);
    expect(samples).toBe(2 * (120 - 61) + 120);
    await db.close();
    // Nothing of it comes back where the log is gone.
    rmSync(join(dir, 'wal'), { recursive: true });
    rmSync(join(dir, 'wbl'), { recursive: true, force: true });
    const again = await openTestDb(dir, APART);
    expect(await counts(again)).toEqual({ a: 59, b: 120, h: 59 });
    await again.close();
  });

  test('is not listed any more, in the head as in blocks', async () => {
    const dir = temporaryDirectory();
    await threeBlocks(dir);
    const db = await openTestDb(dir, APART);
    const now = BLOCK_START + 7 * HOUR;
    await put(db, A, [[now, 1]]);
    await put(db, { __name__: 'c' }, [
      [now, 1],
      [now + 1, 2],
    ]);
    const listed = async (minTime = -Infinity): Promise<string[]> => {
      const querier = db.querier(minTime, Infinity);
      const set = await querier.select([], { hints: { labelsOnly: true, sorted: true } });
      const found: string[] = [];
      for (let batch = await set.next(); batch; batch = await set.next()) {
        found.push(...batch.map(series => series.labels.toString()));
      }
      querier.close();
      return found;
    };
    expect(await listed()).toEqual(['a', 'b', 'c']);
    await db.delete(-Infinity, Infinity, isA);
    await db.delete(-Infinity, now, [new Matcher('=', '__name__', 'c')]);
    expect(await listed()).toEqual(['b', 'c']);
    await put(db, A, [[now + 1, 1]]);
    expect(await listed()).toEqual(['a', 'b', 'c']);
    expect(await listed(now + 1)).toEqual(['a', 'c']);
    await db.close();
  });

  test('is a great many series, and the event loop is free meanwhile', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(BLOCK_START);
    const { monotonic } = systemClock;
    const db = await openTestDb(dir, { ...APART, clock: Object.assign(clock, { monotonic }) });
    const appender = db.appender();
    for (let i = 0; i < 20_000; i++) {
      const labels = Labels.fromObject({ __name__: 'a', i: String(i) });
      appender.append(appender.series(labels), BLOCK_START, i);
    }
    await appender.commit();
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    expect(await db.delete(BLOCK_START, BLOCK_START, isA)).toBe(20_000);
    done = true;
    expect(turns).toBeGreaterThan(1);
    expect(await counts(db)).toEqual({});
    await db.close();
  });
});
