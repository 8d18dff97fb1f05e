import { describe, expect, test } from 'vitest';
import { Labels } from '../../../../../src/labels/labels.ts';
import { Matcher } from '../../../../../src/labels/matcher.ts';
import type { Appendable } from '../../../../../src/storage/appender.ts';
import type { Exemplar, SeriesExemplars } from '../../../../../src/storage/exemplar.ts';
import { Registry } from '../../../../../src/telemetry/metrics.ts';
import type { Db } from '../../../../../src/tsdb/db.ts';
import {
  compareExemplars,
  ExemplarStore,
} from '../../../../../src/tsdb/head/exemplars/exemplar-store.ts';
import { temporaryDirectory } from '../../../../fakes/temporary-directory.ts';
import {
  BLOCK_RANGE,
  BLOCK_START,
  metricValue,
  openTestDb,
  put,
} from '../../../../fakes/test-db.ts';

const A = Labels.fromObject({ __name__: 'a' });
const B = Labels.fromObject({ __name__: 'b' });

function exemplar(time: number, value = time, trace = 'x'): Exemplar {
  return { labels: Labels.fromObject({ trace }), value, time };
}

function shown(found: readonly SeriesExemplars[]): string[] {
  return found.map(
    ({ labels, exemplars }) => `${labels} ${exemplars.map(({ time }) => time).join(' ')}`,
  );
}

describe('a ring of exemplars', () => {
  test('gives the place of the oldest to the newest, whatever its series', () => {
    const store = new ExemplarStore(4);
    for (const time of [1, 2, 3]) store.add(A, exemplar(time));
    store.add(B, exemplar(10));
    expect([store.size, store.seriesCount, store.oldestTime]).toEqual([4, 2, 1]);
    store.add(B, exemplar(11));
    store.add(B, exemplar(12));
    expect(shown(store.select(0, 100, () => true))).toEqual(['a 3', 'b 10 11 12']);
    store.add(B, exemplar(13));
    expect(shown(store.select(0, 100, () => true))).toEqual(['b 10 11 12 13']);
    expect([store.size, store.seriesCount, store.oldestTime]).toEqual([4, 1, 10]);
    expect([store.newest(A), store.newest(B)?.time]).toEqual([null, 13]);
    store.add(A, exemplar(20));
    expect(shown(store.select(11, 20, () => true))).toEqual(['a 20', 'b 11 12 13']);
  });

  test('holds nothing where it is off', () => {
    const store = new ExemplarStore(0);
    store.add(A, exemplar(1));
    expect([store.size, store.select(0, 9, () => true)]).toEqual([0, []]);
  });
});

test('exemplars are ordered by time, value and labels', () => {
  const order = (a: Exemplar, b: Exemplar): number => Math.sign(compareExemplars(a, b));
  expect(order(exemplar(1, 9), exemplar(2, 1))).toBe(-1);
  expect(order(exemplar(1, 9), exemplar(1, 1))).toBe(1);
  expect(order(exemplar(1, 1, 'a'), exemplar(1, 1, 'b'))).toBe(-1);
  expect(order(exemplar(1, Number.NaN), exemplar(1, Number.NaN))).toBe(0);
});

async function add(store: Appendable, labels: Labels, ...exemplars: Exemplar[]) {
  const appender = store.appender();
  const ref = appender.series(labels);
  for (const one of exemplars) appender.appendExemplar(ref, one);
  const result = await appender.commit();
  return [result.exemplars, result.exemplarsRefused];
}

async function all(db: Db): Promise<string[]> {
  return shown(await db.exemplars(-1e15, 1e15, [[new Matcher('=~', '__name__', 'a|b')]]));
}

describe('exemplars of a database', () => {
  const T = BLOCK_START;

  test('are judged against the newest of their series, in the batch and before', async () => {
    const registry = new Registry();
    const db = await openTestDb(temporaryDirectory(), { registry });
    expect(await add(db, A, exemplar(T + 5), exemplar(T + 5), exemplar(T + 4))).toEqual([1, 1]);
    expect(await add(db, A, exemplar(T + 5), exemplar(T + 5, 1), exemplar(T + 6))).toEqual([1, 1]);
    expect(await add(db, B, exemplar(T + 1))).toEqual([1, 0]);
    expect(await all(db)).toEqual([`a ${T + 5} ${T + 6}`, `b ${T + 1}`]);
    const name = (rest: string): string => `prometheus_tsdb_exemplar_${rest}`;
    expect(metricValue(registry, name('exemplars_appended_total'))).toBe(3);
    expect(metricValue(registry, name('out_of_order_exemplars_total'))).toBe(2);
    expect(metricValue(registry, name('exemplars_in_storage'))).toBe(3);
    expect(metricValue(registry, name('max_exemplars'))).toBe(100_000);
    await db.close();
  });

  test('come back from the log, and from a checkpoint of it', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    await put(db, { __name__: 'a' }, [[T + 1, 1]]);
    await add(db, A, exemplar(T + 1), exemplar(T + 2));
    await db.close();
    const again = await openTestDb(dir);
    expect(await all(again)).toEqual([`a ${T + 1} ${T + 2}`]);
    await put(again, { __name__: 'a' }, [[T + 2 * BLOCK_RANGE, 1]]);
    await add(again, A, exemplar(T + 2 * BLOCK_RANGE));
    await again.maintain();
    expect(again.blocks.length).toBe(1);
    await again.close();
    const third = await openTestDb(dir);
    expect(third.replay.skipped.size).toBe(0);
    expect(await all(third)).toEqual([`a ${T + 2 * BLOCK_RANGE}`]);
    await third.close();
  });

  test('are neither kept nor logged where they are off', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, { exemplarsMax: 0 });
    expect(await add(db, A, exemplar(T))).toEqual([0, 1]);
    await db.close();
    const again = await openTestDb(dir);
    expect(await all(again)).toEqual([]);
    await again.close();
  });
});
