// What a snapshot of the head brings back, and when it is not believed.

import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import type { Db } from '../../../src/tsdb/db.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import {
  contents,
  HOUR,
  metricValue,
  openTestDb,
  put,
  BLOCK_START as T,
} from '../../fakes/test-db.ts';

const MINUTE = 60_000;
const STEP = 15_000;
const FILE = 'head.snapshot';
const SNAPSHOT = { snapshotOnClose: true };

const all = [new Matcher('=~', '__name__', '.+')];

/** Enough samples for closed chunks and an open one, of ten series. */
async function fill(db: Db, from = 0, to = 300): Promise<void> {
  const appender = db.appender();
  for (let s = 0; s < 10; s++) {
    const ref = appender.series(Labels.fromObject({ __name__: 'f', s: String(s) }));
    for (let i = from; i < to; i++)
      appender.append(ref, T + i * STEP + s, i % 7 === 6 ? i / 3 : s * i);
  }
  await appender.commit();
}

async function chunksOf(db: Db): Promise<string[]> {
  const querier = db.querier(-Infinity, Infinity);
  const out: string[] = [];
  const set = await querier.select(all, { hints: { sorted: true } });
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      for (const { minTime, maxTime, encoding, data } of series.chunks() ?? []) {
        out.push(
          `${series.labels} ${minTime} ${maxTime} ${encoding} ${Buffer.from(data).toString('hex')}`,
        );
      }
    }
  }
  querier.close();
  return out;
}

describe('a head that comes from a snapshot', () => {
  test('has the same chunks, and goes on in them', async () => {
    const [dir, other] = [temporaryDirectory(), temporaryDirectory()];
    const [db, without] = [await openTestDb(dir, SNAPSHOT), await openTestDb(other)];
    await fill(db);
    await fill(without);
    await db.close();
    await without.close();
    expect(readdirSync(dir)).toContain(FILE);
    const again = await openTestDb(dir, SNAPSHOT);
    const replayed = await openTestDb(other);
    expect(again.headSnapshot).toMatchObject({ kind: 'loaded', report: { samples: 3000 } });
    expect(again.replay).toMatchObject({ records: 0, series: 10, samples: 0 });
    expect(readdirSync(dir)).not.toContain(FILE);
    expect(await chunksOf(again)).toEqual(await chunksOf(replayed));
    await fill(again, 300, 400);
    await fill(replayed, 300, 400);
    expect(await chunksOf(again)).toEqual(await chunksOf(replayed));
    await again.close();
    await replayed.close();
  });

  test('has histograms, exemplars, metadata, deletions and late samples', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, SNAPSHOT);
    await fill(db);
    const appender = db.appender();
    const mixed = appender.series(Labels.fromObject({ __name__: 'h' }));
    const at = T + HOUR;
    appender.append(mixed, at, 1);
    for (let i = 1; i < 50; i++) {
      appender.appendHistogram(mixed, at + i * STEP, histogram({ count: i, integer: true }));
    }
    appender.appendStale(mixed, at + 50 * STEP);
    appender.append(mixed, at + 51 * STEP, 3);
    appender.appendExemplar(mixed, {
      labels: Labels.fromObject({ trace: 'a' }),
      value: 1,
      time: T + 1,
    });
    appender.appendExemplar(mixed, {
      labels: Labels.fromObject({ trace: 'b' }),
      value: 2,
      time: T + 2,
    });
    appender.metadata('h', { type: 'histogram', unit: 's', help: 'how long' });
    await appender.commit();
    const last = T + 299 * STEP;
    await put(db, { __name__: 'f', s: '0' }, [[last - MINUTE + 1, 17]]);
    await db.delete(T, T + 10 * STEP, [new Matcher('=', 's', '1')]);
    const before = await contents(db);
    const exemplars = await db.exemplars(0, Infinity, [all]);
    const metadata = [...db.metadata()];
    expect(db.outOfOrderReplay.samples).toBe(0);
    await db.close();
    const again = await openTestDb(dir, SNAPSHOT);
    expect(again.headSnapshot.kind).toBe('loaded');
    expect(again.outOfOrderReplay.samples).toBe(1);
    expect(await contents(again)).toEqual(before);
    expect(before.get('h')).toContain(`${at + 50 * STEP}:stale`);
    expect(before.get('f{s="1"}')?.length).toBe(290);
    expect(await again.exemplars(0, Infinity, [all])).toEqual(exemplars);
    expect([...again.metadata()]).toEqual(metadata);
    expect(metadata.length).toBe(1);
    await again.close();
  });

  test('judges new samples as before', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, { ...SNAPSHOT, outOfOrderMs: 0 });
    await put(db, { __name__: 'a' }, [[T + 10, 1]]);
    await db.close();
    const again = await openTestDb(dir, { ...SNAPSHOT, outOfOrderMs: 0 });
    const result = await put(again, { __name__: 'a' }, [
      [T, 1],
      [T + 10, 1],
      [T + 10, 2],
      [T + 20, 3],
    ]);
    expect([...result.refused]).toEqual([
      ['out-of-order', 1],
      ['duplicate-sample', 1],
    ]);
    expect(result.stored).toBe(2);
    await again.close();
  });

  test('gives out no reference twice, and names every series that it logs samples of', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, SNAPSHOT);
    await put(db, { __name__: 'a' }, [[T, 1]]);
    db.appender().series(Labels.fromObject({ __name__: 'never_stored' }));
    await db.close();
    const again = await openTestDb(dir, SNAPSHOT);
    await put(again, { __name__: 'never_stored' }, [[T, 1]]);
    await put(again, { __name__: 'a' }, [[T + 1, 1]]);
    await again.close();
    rmSync(join(dir, FILE));
    const replayed = await openTestDb(dir, SNAPSHOT);
    expect(replayed.replay).toMatchObject({ samples: 3, samplesLost: 0 });
    await replayed.close();
  });

  test('does not bring back what is in blocks', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, SNAPSHOT);
    await put(db, { __name__: 'a' }, [
      [T, 1],
      [T + HOUR, 2],
      [T + 3 * HOUR, 3],
      [T + 5 * HOUR, 4],
    ]);
    await db.maintain();
    expect(db.blocks.length).toBeGreaterThan(0);
    const before = await contents(db);
    await db.close();
    const again = await openTestDb(dir, SNAPSHOT);
    expect(again.headSnapshot.kind).toBe('loaded');
    expect(await contents(again)).toEqual(before);
    await again.close();
  });
});

describe('a snapshot is not believed', () => {
  async function closedWithSnapshot(): Promise<string> {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, SNAPSHOT);
    await fill(db);
    await db.close();
    return dir;
  }

  async function expectReplayed(dir: string, reason: RegExp): Promise<void> {
    const registry = new Registry();
    const db = await openTestDb(dir, { registry });
    expect(db.headSnapshot).toEqual({ kind: 'discarded', reason: expect.stringMatching(reason) });
    expect(metricValue(registry, 'prometheus_tsdb_snapshot_replay_error_total')).toBe(1);
    expect(db.replay).toMatchObject({
      series: 10,
      samples: 3000,
      samplesSkipped: 0,
      samplesLost: 0,
    });
    const found = await contents(db);
    expect(found.size).toBe(10);
    for (const samples of found.values()) expect(samples.length).toBe(300);
    await fill(db, 300, 301);
    expect(existsSync(join(dir, FILE))).toBe(false);
    await db.close();
  }

  test('where a byte of it is wrong', async () => {
    const dir = await closedWithSnapshot();
    const path = join(dir, FILE);
    const bytes = readFileSync(path);
    for (const at of [10, Math.floor(bytes.length / 2), bytes.length - 3]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x10;
      writeFileSync(path, damaged);
      await expectReplayedOnce(dir);
    }
    async function expectReplayedOnce(dir: string): Promise<void> {
      const db = await openTestDb(dir);
      expect(db.headSnapshot.kind).toBe('discarded');
      expect(db.replay).toMatchObject({ series: 10, samples: 3000, samplesLost: 0 });
      await db.close();
    }
  });

  test('where its end is missing', async () => {
    const dir = await closedWithSnapshot();
    const path = join(dir, FILE);
    truncateSync(path, readFileSync(path).length - 40);
    await expectReplayed(dir, /head snapshot: its end is missing|ends inside/);
  });

  test('where somebody wrote to the log that it stands for', async () => {
    const dir = await closedWithSnapshot();
    appendFileSync(join(dir, 'wal', '00000000'), Buffer.alloc(1));
    await expectReplayed(dir, /the log was changed since/);
  });

  test('where chunks are of another range', async () => {
    const dir = await closedWithSnapshot();
    const db = await openTestDb(dir, { blockRangeMs: HOUR });
    expect(db.headSnapshot).toMatchObject({ kind: 'discarded' });
    expect(db.replay.samples).toBe(3000);
    await db.close();
  });

  test('where it was left behind by a process that was killed', async () => {
    const dir = await closedWithSnapshot();
    const bytes = readFileSync(join(dir, FILE));
    const db = await openTestDb(dir, SNAPSHOT);
    await fill(db, 300, 310);
    await db.close();
    // As if it had not been removed and nothing had been written at the end: its part of the log is as it was.
    writeFileSync(join(dir, FILE), bytes);
    const again = await openTestDb(dir);
    expect(again.headSnapshot.kind).toBe('loaded');
    expect(again.replay.samples).toBe(100);
    for (const samples of (await contents(again)).values()) expect(samples.length).toBe(310);
    await again.close();
  });
});

test('what does not fit into the memory is read from the log as far as it fits', async () => {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, SNAPSHOT);
  const appender = db.appender();
  for (let i = 0; i < 60_000; i++) {
    appender.append(appender.series(Labels.fromObject({ __name__: `n${i}` })), T, i);
  }
  await appender.commit();
  await db.close();
  const small = await openTestDb(dir, { headBytesMax: 4 * 1024 * 1024 });
  expect(small.headSnapshot.kind).toBe('discarded');
  expect(small.seriesCount).toBeGreaterThan(0);
  await small.close();
});
