// The head, a database, and a database with the older half of everything in a block, as queriers.

import { Labels } from '../../../src/labels/labels.ts';
import type { Appendable } from '../../../src/storage/appender.ts';
import { type StoredSeries, type StoreUnderTest, testQuerier } from '../../acceptance/querier.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../fakes/test-blocks.ts';
import { newTestHead, openTestDb } from '../../fakes/test-db.ts';

async function fill(store: Appendable, series: readonly StoredSeries[]): Promise<void> {
  const appender = store.appender();
  for (const { labels, times, values } of series) {
    const ref = appender.series(Labels.fromObject(labels));
    const refs = new Uint32Array(times.length).fill(ref);
    appender.appendColumns(refs, Float64Array.from(times), values, times.length);
  }
  await appender.commit();
}

/** The parts of the series before and from `time` on. */
function split(series: readonly StoredSeries[], time: number): [StoredSeries[], StoredSeries[]] {
  const part = (one: StoredSeries, keep: (time: number) => boolean): StoredSeries[] => {
    const times = one.times.filter(keep);
    const from = one.times.findIndex(keep);
    const values = one.values.slice(from, from + times.length);
    return times.length === 0 ? [] : [{ ...one, times, values }];
  };
  return [
    series.flatMap(one => part(one, t => t < time)),
    series.flatMap(one => part(one, t => t >= time)),
  ];
}

testQuerier('a head', async series => {
  const head = newTestHead();
  await fill(head, series);
  return { queryable: head, close: async () => {} };
});

testQuerier('a database', async (series): Promise<StoreUnderTest> => {
  const db = await openTestDb(temporaryDirectory());
  await fill(db, series);
  return { queryable: db, close: () => db.close() };
});

/** Every third sample comes after the others, so that it is out of order wherever a newer one follows. */
async function fillOutOfOrder(store: Appendable, series: readonly StoredSeries[]): Promise<void> {
  const part = (late: boolean): StoredSeries[] =>
    series.map(one => {
      const kept = one.times.map((_, i) => i).filter(i => (i % 3 === 1) === late);
      const values = new Float64Array(kept.length);
      for (const [to, from] of kept.entries()) values.set(one.values.subarray(from, from + 1), to);
      return { ...one, times: kept.map(i => one.times[i]!), values };
    });
  await fill(store, part(false));
  await fill(store, part(true));
}

const MONTH_MS = 30 * 24 * 3_600_000;

testQuerier('a database with a third of the samples out of order', async series => {
  const db = await openTestDb(temporaryDirectory(), { outOfOrderMs: MONTH_MS });
  await fillOutOfOrder(db, series);
  return { queryable: db, close: () => db.close() };
});

testQuerier('a database with a third of the samples out of order, opened again', async series => {
  const dir = temporaryDirectory();
  const first = await openTestDb(dir, { outOfOrderMs: MONTH_MS });
  await fillOutOfOrder(first, series);
  await first.close();
  const db = await openTestDb(dir);
  return { queryable: db, close: () => db.close() };
});

testQuerier('a database with samples out of order, after blocks were cut', async series => {
  const db = await openTestDb(temporaryDirectory(), {
    outOfOrderMs: MONTH_MS,
    // Some of the series are long enough for blocks.
    blockRangeMs: 3_600_000,
    retentionMs: 0,
  });
  await fillOutOfOrder(db, series);
  await db.maintain();
  return { queryable: db, close: () => db.close() };
});

testQuerier('a database that was closed and opened again', async series => {
  const dir = temporaryDirectory();
  const first = await openTestDb(dir);
  await fill(first, series);
  await first.close();
  const db = await openTestDb(dir);
  return { queryable: db, close: () => db.close() };
});

testQuerier('a database with the older half in a block', async series => {
  const dir = temporaryDirectory();
  const times = series.flatMap(one => one.times).sort((a, b) => a - b);
  const middle = times[times.length >> 1]!;
  const [older, newer] = split(series, middle);
  if (older.length > 0) await writeTestBlock(dir, older, { maxTime: middle });
  const db = await openTestDb(dir);
  await fill(db, newer);
  return { queryable: db, close: () => db.close() };
});
