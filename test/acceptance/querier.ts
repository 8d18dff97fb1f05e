// What every store that can be read promises. An implementation calls `testQuerier` with a factory that
// puts the given series into a fresh store.

import { afterEach, describe, expect, it } from 'vitest';
import { Matcher, type MatchType } from '../../src/labels/matcher.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Querier, Queryable, SelectOptions } from '../../src/storage/queryable.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import type { SeriesSet } from '../../src/storage/series.ts';
import { isStaleAt, setStale } from '../../src/storage/stale.ts';

/** Time of the fixtures' first samples: 2023-11-14T22:13:20Z. */
export const T0 = 1_700_000_000_000;
const STEP = 15_000;

/** A series to store. Values are columns, so that NaN bits arrive as they are. */
export interface StoredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly times: readonly number[];
  readonly values: Float64Array;
}

/** A store under test. */
export interface StoreUnderTest {
  readonly queryable: Queryable;
  close(): Promise<void>;
}

/** Stores the series, which come in no order, and makes them readable. */
export type NewStore = (series: readonly StoredSeries[]) => Promise<StoreUnderTest>;

/** A series with samples every 15 s from T0 on. */
export function stored(
  labels: Readonly<Record<string, string>>,
  values: readonly number[],
  from = T0,
): StoredSeries {
  const times = values.map((_, i) => from + i * STEP);
  return { labels, times, values: Float64Array.from(values) };
}

/** One line for each series with samples: `{labels} offset:value …`, offsets in s from T0. */
export async function linesOf(set: SeriesSet): Promise<string[]> {
  const lines: string[] = [];
  const columns = new SampleColumns();
  for (let batch = await set.next(); batch; batch = await set.next()) {
    expect(batch.length).toBeGreaterThan(0);
    for (const series of batch) {
      columns.clear();
      series.samples(columns);
      const samples: string[] = [];
      for (let i = 0; i < columns.length; i++) {
        const value = isStaleAt(columns.values, i) ? 'stale' : String(columns.values[i]);
        samples.push(`${(columns.times[i]! - T0) / 1000}:${value}`);
      }
      if (samples.length > 0) lines.push(`${series.labels} ${samples.join(' ')}`);
    }
  }
  set.close();
  return lines;
}

/** The `n` labels of the selected series; more labels series without samples count too. */
async function idsOf(set: SeriesSet): Promise<string[]> {
  const ids: string[] = [];
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      expect(series.label('n')).toBe(series.labels.get('n'));
      expect(series.label('no such label')).toBe('');
      ids.push(series.label('n'));
    }
  }
  set.close();
  return ids;
}

function matchers(...texts: readonly string[]): Matcher[] {
  return texts.map(text => {
    const [, name, type, value] = /^(\w+)(=~|!~|!=|=)(.*)$/s.exec(text)!;
    return new Matcher(type as MatchType, name!, value!);
  });
}

const FLEET: readonly StoredSeries[] = [
  { n: '1', job: 'api', instance: 'a:1' },
  { n: '2', job: 'api', instance: 'b:1' },
  { n: '3', job: 'db', instance: 'a:1' },
  { n: '4', job: 'db-replica', instance: 'c:1', zone: 'north' },
  { n: '5', instance: 'a:1' },
  { n: '6' },
].map(labels => stored({ __name__: 'up', ...labels }, [1, 2, 3]));

// Each row: what is asked, and the `n` labels of the answer.
const MATCHER_TABLE: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['job=api'], ['1', '2']],
  [['job=nothing'], []],
  [['job='], ['5', '6']],
  [['job!='], ['1', '2', '3', '4']],
  [['job!=api'], ['3', '4', '5', '6']],
  [['job!=nothing'], ['1', '2', '3', '4', '5', '6']],
  [['job=~api|db'], ['1', '2', '3']],
  [['job=~api|'], ['1', '2', '5', '6']],
  [['job=~'], ['5', '6']],
  [['job=~db.*'], ['3', '4']],
  [['job=~.*'], ['1', '2', '3', '4', '5', '6']],
  [['job=~.+'], ['1', '2', '3', '4']],
  [['job=~db'], ['3']],
  [['job=~(api|nothing)?'], ['1', '2', '5', '6']],
  [['job!~api|db'], ['4', '5', '6']],
  [['job!~api|'], ['3', '4']],
  [['job!~'], ['1', '2', '3', '4']],
  [['job!~.+'], ['5', '6']],
  [['job!~.*'], []],
  [['job!~db.*'], ['1', '2', '5', '6']],
  [['zone=north'], ['4']],
  [['zone!=north'], ['1', '2', '3', '5', '6']],
  [['zone='], ['1', '2', '3', '5', '6']],
  [['absent='], ['1', '2', '3', '4', '5', '6']],
  [['absent!='], []],
  [['absent=~.*'], ['1', '2', '3', '4', '5', '6']],
  [['absent=~x'], []],
  [['absent!~x'], ['1', '2', '3', '4', '5', '6']],
  [['job=api', 'instance=a:1'], ['1']],
  [['job=api', 'job!=api'], []],
  [['job=~.+', 'instance=~a.*', 'job!=db'], ['1']],
  [
    ['job!=api', 'instance!='],
    ['3', '4', '5'],
  ],
  [
    ['job!=api', 'job!=db', 'zone='],
    ['5', '6'],
  ],
];

/** Runs the whole suite against one kind of store. */
export function testQuerier(name: string, newStore: NewStore): void {
  const open: StoreUnderTest[] = [];
  const queriers: Querier[] = [];
  const store = async (series: readonly StoredSeries[]): Promise<Queryable> => {
    const made = await newStore(series);
    open.push(made);
    return {
      querier(minTime, maxTime) {
        const querier = made.queryable.querier(minTime, maxTime);
        queriers.push(querier);
        return querier;
      },
    };
  };
  afterEach(async () => {
    // A store may wait for its queriers, and a test that fails leaves them open.
    for (const querier of queriers.splice(0)) querier.close();
    for (const made of open.splice(0)) await made.close();
  });
  describe(`${name} as a querier`, () => {
    testMatchers(store);
    testSamples(store);
    testLabels(store);
    testManners(store);
  });
}

type Store = (series: readonly StoredSeries[]) => Promise<Queryable>;

function testMatchers(store: Store): void {
  it.each(MATCHER_TABLE)('selects by %j', async (texts, expected) => {
    const querier = (await store(FLEET)).querier(T0, T0 + 60_000);
    const set = await querier.select(matchers('__name__=up', ...texts), {
      hints: { sorted: true },
    });
    expect((await idsOf(set)).sort(), set.warnings.join()).toEqual(expected);
    querier.close();
  });

  it('selects without a metric name', async () => {
    const querier = (await store(FLEET)).querier(T0, T0 + 60_000);
    expect((await idsOf(await querier.select(matchers('zone=north')))).sort()).toEqual(['4']);
    querier.close();
  });
}

function testSamples(store: Store): void {
  it('includes both ends of the time range', async () => {
    const queryable = await store([stored({ __name__: 'x' }, [10, 11, 12, 13, 14])]);
    const read = async (from: number, to: number): Promise<string[]> => {
      const querier = queryable.querier(T0 + from, T0 + to);
      const lines = await linesOf(await querier.select(matchers('__name__=x')));
      querier.close();
      return lines;
    };
    expect(await read(15_000, 45_000)).toEqual(['x 15:11 30:12 45:13']);
    expect(await read(15_001, 44_999)).toEqual(['x 30:12']);
    expect(await read(30_000, 30_000)).toEqual(['x 30:12']);
    expect(await read(16_000, 29_000)).toEqual([]);
    expect(await read(-90_000, -1)).toEqual([]);
    expect(await read(60_001, 1e9)).toEqual([]);
    expect(await read(-1e9, 1e9)).toEqual(['x 0:10 15:11 30:12 45:13 60:14']);
  });

  it('has the newest sample of the range where only that is looked at', async () => {
    const values = [10, 11, 12, 13, 14];
    const queryable = await store([stored({ __name__: 'x' }, values)]);
    const newest = async (from: number, to: number): Promise<string | undefined> => {
      const querier = queryable.querier(T0 + from, T0 + to);
      const hints = { newestOnly: true };
      const [line] = await linesOf(await querier.select(matchers('__name__=x'), { hints }));
      querier.close();
      return line?.split(' ').at(-1);
    };
    expect(await newest(0, 1e9)).toBe('60:14');
    expect(await newest(60_000, 60_000)).toBe('60:14');
    expect(await newest(0, 59_999)).toBe('45:13');
    expect(await newest(16_000, 44_000)).toBe('30:12');
    expect(await newest(60_001, 1e9)).toBeUndefined();
  });

  it('reads long series back sample by sample', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i % 7) * 1.25 + i / 3);
    const querier = (await store([stored({ __name__: 'x' }, values)])).querier(T0, T0 + 1e9);
    const expected = values.map((value, i) => `${(i * STEP) / 1000}:${value}`).join(' ');
    expect(await linesOf(await querier.select(matchers('__name__=x')))).toEqual([`x ${expected}`]);
    querier.close();
  });

  it('keeps staleness markers, infinities and negative zero', async () => {
    const series = stored({ __name__: 'x' }, [Infinity, -Infinity, -0, 0, Number.NaN, 1]);
    setStale(series.values, 3);
    const querier = (await store([series])).querier(T0, T0 + 1e6);
    const set = await querier.select(matchers('__name__=x'));
    const columns = new SampleColumns();
    (await set.next())![0]!.samples(columns);
    expect(isStaleAt(columns.values, 3)).toBe(true);
    expect(isStaleAt(columns.values, 4)).toBe(false);
    expect([...columns.values.subarray(0, 3)]).toEqual([Infinity, -Infinity, -0]);
    expect(columns.values[4]).toBeNaN();
    expect(columns.values[5]).toBe(1);
    querier.close();
  });

  it('appends to columns that already hold samples', async () => {
    const querier = (await store([stored({ __name__: 'x' }, [1, 2])])).querier(T0, T0 + 1e6);
    const set = await querier.select(matchers('__name__=x'));
    const columns = new SampleColumns();
    columns.push(T0 + 5e8, 99);
    (await set.next())![0]!.samples(columns);
    expect([...columns.values.subarray(0, columns.length)]).toEqual([99, 1, 2]);
    querier.close();
  });

  it('gives series in label order by UTF-8 bytes when asked for it', async () => {
    const hosts = ['z', 'a', '\u{1f600}', '\uffee', 'ä', 'aa', '\u{10ffff}', '\ue000'];
    const series = hosts.map(host => stored({ __name__: 'x', host }, [1]));
    series.push(stored({ __name__: 'x' }, [1]), stored({ __name__: 'x', a: 'b' }, [1]));
    const querier = (await store(series)).querier(T0, T0);
    const set = await querier.select(matchers('__name__=x'), { hints: { sorted: true } });
    const read: string[] = [];
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const { labels } of batch) read.push(labels.get('host') || labels.get('a') || '-');
    }
    const sorted = ['a', 'aa', 'z', 'ä', '\ue000', '\uffee', '\u{1f600}', '\u{10ffff}'];
    expect(read).toEqual(['-', 'b', ...sorted]);
    querier.close();
  });

  it('reads many series in batches', async () => {
    const series = Array.from({ length: 1500 }, (_, i) =>
      stored({ __name__: 'x', n: String(i).padStart(4, '0') }, [i]),
    );
    const querier = (await store(series)).querier(T0, T0);
    const ids = await idsOf(
      await querier.select(matchers('__name__=x'), { hints: { sorted: true } }),
    );
    expect(ids).toEqual(series.map(({ labels }) => labels.n));
    querier.close();
  });
}

function testLabels(store: Store): void {
  const T9 = T0 + 60_000;

  it('lists label names, of all series or of some', async () => {
    const querier = (await store(FLEET)).querier(T0, T9);
    const names = async (...texts: string[]): Promise<readonly string[]> =>
      (await querier.labelNames(matchers(...texts))).values;
    expect(await names()).toEqual(['__name__', 'instance', 'job', 'n', 'zone']);
    expect(await names('job=api')).toEqual(['__name__', 'instance', 'job', 'n']);
    expect(await names('n=6')).toEqual(['__name__', 'n']);
    expect(await names('job=nothing')).toEqual([]);
    querier.close();
  });

  it('lists label values, of all series or of some', async () => {
    const querier = (await store(FLEET)).querier(T0, T9);
    const values = async (name: string, ...texts: string[]): Promise<readonly string[]> =>
      (await querier.labelValues(name, matchers(...texts))).values;
    expect(await values('job')).toEqual(['api', 'db', 'db-replica']);
    expect(await values('job', 'instance=a:1')).toEqual(['api', 'db']);
    expect(await values('job', 'job=~d.*')).toEqual(['db', 'db-replica']);
    expect(await values('job', 'job!=db', 'instance!=')).toEqual(['api', 'db-replica']);
    expect(await values('job', '__name__=up')).toEqual(['api', 'db', 'db-replica']);
    expect(await values('zone', 'job=api')).toEqual([]);
    expect(await values('zone', 'n=~.+')).toEqual(['north']);
    expect(await values('absent')).toEqual([]);
    expect(await values('absent', 'job=api')).toEqual([]);
    querier.close();
  });

  it('sorts names and values by UTF-8 bytes', async () => {
    const series = ['\u{1f600}', '\uffee', 'z'].map(host =>
      stored({ __name__: 'x', host, [host]: '1' }, [1]),
    );
    const querier = (await store(series)).querier(T0, T9);
    const values = await querier.labelValues('host', []);
    expect(values.values).toEqual(['z', '\uffee', '\u{1f600}']);
    const names = await querier.labelNames([]);
    expect(names.values).toEqual(['__name__', 'host', 'z', '\uffee', '\u{1f600}']);
    querier.close();
  });

  it('has no names or values where the range lies apart from everything stored', async () => {
    const queryable = await store(FLEET);
    for (const [from, to] of [
      [T0 - 9e8, T0 - 8e8],
      [T0 + 8e8, T0 + 9e8],
    ] as const) {
      const querier = queryable.querier(from, to);
      expect((await querier.labelNames([])).values).toEqual([]);
      expect((await querier.labelValues('job', [])).values).toEqual([]);
      expect(await idsOf(await querier.select(matchers('__name__=up')))).toEqual([]);
      querier.close();
    }
  });

  it('cuts names, values and series at the limit', async () => {
    const querier = (await store(FLEET)).querier(T0, T9);
    const hints = { limit: 2 };
    expect((await querier.labelNames([], { hints })).values).toHaveLength(2);
    expect((await querier.labelValues('job', [], { hints })).values).toHaveLength(2);
    const set = await querier.select(matchers('__name__=up'), { hints });
    expect(await idsOf(set)).toHaveLength(2);
    querier.close();
  });

  it('answers labels alone when only they are wanted', async () => {
    const querier = (await store(FLEET)).querier(T0, T9);
    const hints = { labelsOnly: true, sorted: true };
    const set = await querier.select(matchers('__name__=up', 'job=api'), { hints });
    expect((await idsOf(set)).sort()).toEqual(['1', '2']);
    querier.close();
  });
}

function testManners(store: Store): void {
  it('ends a set that is closed, and closes twice without complaint', async () => {
    const querier = (await store(FLEET)).querier(T0, T0 + 60_000);
    const set = await querier.select(matchers('__name__=up'));
    set.close();
    set.close();
    expect(await set.next()).toBeNull();
    querier.close();
    querier.close();
  });

  it('stays at the end once it is there', async () => {
    const querier = (await store(FLEET)).querier(T0, T0 + 60_000);
    const set = await querier.select(matchers('n=1'));
    expect(await set.next()).toHaveLength(1);
    expect(await set.next()).toBeNull();
    expect(await set.next()).toBeNull();
    expect(set.warnings).toEqual([]);
    querier.close();
  });

  it('refuses work for a request that is already aborted', async () => {
    const querier = (await store(FLEET)).querier(T0, T0 + 60_000);
    const options: SelectOptions = { signal: AbortSignal.abort() };
    const read = async (): Promise<unknown> => {
      const set = await querier.select(matchers('__name__=up'), options);
      return set.next();
    };
    await expect(read()).rejects.toSatisfy(isCanceled);
    querier.close();
  });

  it('stops reading when the request is aborted', async () => {
    const series = Array.from({ length: 2000 }, (_, i) =>
      stored({ __name__: 'x', n: String(i) }, [i]),
    );
    const querier = (await store(series)).querier(T0, T0);
    const abort = new AbortController();
    const set = await querier.select(matchers('__name__=x'), { signal: abort.signal });
    expect(await set.next()).not.toBeNull();
    abort.abort();
    const rest = async (): Promise<void> => {
      while ((await set.next()) !== null);
    };
    await expect(rest()).rejects.toSatisfy(isCanceled);
    querier.close();
  });
}

function isCanceled(error: unknown): boolean {
  return OutpostError.from(error).code === 'canceled';
}
