// What every store that can be written promises. An implementation calls `testAppender` with a factory
// that makes an empty store.

import { afterEach, describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Appendable, MetadataSource, RefusalReason } from '../../src/storage/appender.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import { SampleColumns } from '../../src/storage/samples.ts';

/** The store's clock stands here: 2023-11-14T23:00:00Z. */
export const NOW = 1_700_002_800_000;

/** A store under test. */
export interface WritableStore {
  readonly store: Appendable & Queryable & MetadataSource;
  close(): Promise<void>;
}

export interface WritableStoreOptions {
  /** Most series. */
  readonly seriesMax: number;
}

/** Makes an empty store whose clock stands at NOW and that accepts samples up to 10 minutes ahead. */
export type NewWritableStore = (options: WritableStoreOptions) => Promise<WritableStore>;

type Row = readonly [offset: number, bits: bigint];

const STALE = 0x7ff0000000000002n;
const QUIET_NAN = 0x7ff8000000000001n;
const ONE = 0x3ff0000000000000n;
const TWO = 0x4000000000000000n;

function numberOf(bits: bigint): Float64Array {
  return new Float64Array(new BigUint64Array([bits]).buffer);
}

// Each row: what is stored, what is appended then (offsets in s from NOW), and what becomes of it.
const REFUSALS: readonly (readonly [
  string,
  readonly Row[],
  readonly Row[],
  { stored: number; refused: Partial<Record<RefusalReason, number>> },
])[] = [
  ['a newer sample', [[-10, ONE]], [[-9, ONE]], { stored: 1, refused: {} }],
  ['an older sample', [[-10, ONE]], [[-11, ONE]], { stored: 0, refused: { 'out-of-order': 1 } }],
  ['the same sample again', [[-10, ONE]], [[-10, ONE]], { stored: 1, refused: {} }],
  [
    'another value at the same time',
    [[-10, ONE]],
    [[-10, TWO]],
    { stored: 0, refused: { 'duplicate-sample': 1 } },
  ],
  ['the same staleness marker again', [[-10, STALE]], [[-10, STALE]], { stored: 1, refused: {} }],
  [
    'another NaN at the time of a staleness marker',
    [[-10, STALE]],
    [[-10, QUIET_NAN]],
    { stored: 0, refused: { 'duplicate-sample': 1 } },
  ],
  ['a sample 10 minutes ahead', [], [[600, ONE]], { stored: 1, refused: {} }],
  [
    'a sample more than 10 minutes ahead',
    [],
    [[601, ONE]],
    { stored: 0, refused: { 'too-far-in-future': 1 } },
  ],
  [
    'a batch with good and bad samples',
    [[-10, ONE]],
    [
      [-20, ONE],
      [-10, TWO],
      [-5, ONE],
      [-5, ONE],
      [-4, TWO],
      [-6, TWO],
      [700, ONE],
    ],
    { stored: 3, refused: { 'out-of-order': 2, 'duplicate-sample': 1, 'too-far-in-future': 1 } },
  ],
];

/** Runs the whole suite against one kind of store. */
export function testAppender(name: string, newStore: NewWritableStore): void {
  const open: WritableStore[] = [];
  const make = async (seriesMax = 1000): Promise<WritableStore['store']> => {
    const made = await newStore({ seriesMax });
    open.push(made);
    return made.store;
  };
  afterEach(async () => {
    for (const made of open.splice(0)) await made.close();
  });
  describe(`${name} as an appender`, () => {
    testJudgement(make);
    testBatches(make);
    testSeries(make);
    testMetadata(make);
  });
}

type Make = (seriesMax?: number) => Promise<WritableStore['store']>;

const UP = Labels.fromObject({ __name__: 'up', job: 'a' });

/** Bits of all samples of a series, by offset in s from NOW. */
async function read(store: Queryable, labels = UP): Promise<Row[]> {
  const querier = store.querier(NOW - 1e9, NOW + 1e9);
  try {
    const matchers = [...labels].map(([name, value]) => new Matcher('=', name, value));
    const set = await querier.select(matchers);
    const columns = new SampleColumns();
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) series.samples(columns);
    }
    const bits = new BigUint64Array(columns.values.buffer);
    return Array.from({ length: columns.length }, (_, i) => [
      (columns.times[i]! - NOW) / 1000,
      bits[i]!,
    ]);
  } finally {
    querier.close();
  }
}

function testJudgement(make: Make): void {
  it.each(REFUSALS)('judges %s', async (_, before, rows, expected) => {
    const store = await make();
    const add = async (samples: readonly Row[]) => {
      const appender = store.appender();
      const ref = appender.series(UP);
      for (const [offset, bits] of samples) {
        appender.append(ref, NOW + offset * 1000, numberOf(bits)[0]!);
      }
      return await appender.commit();
    };
    await add(before);
    const { stored, refused } = await add(rows);
    expect({ stored, refused: Object.fromEntries(refused) }).toEqual(expected);
  });

  it('refuses samples an hour and more behind the newest one', async () => {
    const store = await make();
    const appender = store.appender();
    appender.append(appender.series(UP), NOW, 1);
    await appender.commit();
    const late = store.appender();
    late.append(late.series(UP.with('job', 'b')), NOW - 3_600_001, 1);
    late.append(late.series(UP.with('job', 'c')), NOW - 3_600_000, 1);
    const { stored, refused } = await late.commit();
    expect([stored, refused.get('out-of-bounds')]).toEqual([1, 1]);
  });

  it('gives examples of what it refuses', async () => {
    const store = await make();
    const appender = store.appender();
    appender.append(appender.series(UP), NOW + 601_000, 1);
    const { examples } = await appender.commit();
    expect(examples).toMatchObject([{ reason: 'too-far-in-future', time: NOW + 601_000 }]);
    expect(examples[0]!.labels.equals(UP)).toBe(true);
  });

  it('refuses samples of references it never gave', async () => {
    const appender = (await make()).appender();
    appender.append(4_000_000_000, NOW, 1);
    const { stored, refused } = await appender.commit();
    expect([stored, refused.get('unknown-series')]).toEqual([0, 1]);
  });
}

function testBatches(make: Make): void {
  it('keeps the bits of staleness markers and NaN', async () => {
    const store = await make();
    const appender = store.appender();
    const ref = appender.series(UP);
    appender.append(ref, NOW - 3000, numberOf(QUIET_NAN)[0]!);
    appender.appendStale(ref, NOW - 2000);
    const columns = new Float64Array(new BigUint64Array([STALE, QUIET_NAN]).buffer);
    const times = Float64Array.of(NOW - 1000, NOW);
    appender.appendColumns(Uint32Array.of(ref, ref), times, columns, 2);
    await appender.commit();
    expect(await read(store)).toEqual([
      [-3, QUIET_NAN],
      [-2, STALE],
      [-1, STALE],
      [0, QUIET_NAN],
    ]);
  });

  it('takes columns with one time for all', async () => {
    const store = await make();
    const appender = store.appender();
    const labels = ['x', 'y', 'z'].map(job => UP.with('job', job));
    const refs = Uint32Array.from(labels, one => appender.series(one));
    appender.appendColumns(refs, Float64Array.of(NOW), Float64Array.of(1, 2, 3), 2);
    expect((await appender.commit()).stored).toBe(2);
    expect(await read(store, labels[1])).toEqual([[0, TWO]]);
    expect(await read(store, labels[2])).toEqual([]);
  });

  it('copies the columns it is given', async () => {
    const store = await make();
    const appender = store.appender();
    const refs = Uint32Array.of(appender.series(UP));
    const values = Float64Array.of(1);
    appender.appendColumns(refs, Float64Array.of(NOW), values, 1);
    values[0] = 2;
    refs[0] = 0;
    await appender.commit();
    expect(await read(store)).toEqual([[0, ONE]]);
  });

  it('shows nothing before the commit and nothing after a rollback', async () => {
    const store = await make();
    const appender = store.appender();
    appender.append(appender.series(UP), NOW, 1);
    expect(await read(store)).toEqual([]);
    appender.rollback();
    expect(await read(store)).toEqual([]);
    const again = store.appender();
    again.append(again.series(UP), NOW - 1000, 2);
    expect((await again.commit()).stored).toBe(1);
    expect(await read(store)).toEqual([[-1, TWO]]);
  });

  it('takes batches of several appenders at once', async () => {
    const store = await make();
    const [a, b] = [store.appender(), store.appender()];
    a.append(a.series(UP), NOW - 1000, 1);
    b.append(b.series(UP), NOW, 2);
    await a.commit();
    await b.commit();
    expect(await read(store)).toEqual([
      [-1, ONE],
      [0, TWO],
    ]);
  });

  it('commits nothing when there is nothing to commit', async () => {
    const store = await make();
    const { stored, refused, examples } = await store.appender().commit();
    expect([stored, refused.size, examples.length]).toEqual([0, 0, 0]);
  });

  it('stores more samples in one batch than a chunk holds', async () => {
    const store = await make();
    const appender = store.appender();
    const ref = appender.series(UP);
    for (let i = 0; i < 1000; i++) appender.append(ref, NOW - 1_000_000 + i * 1000, i);
    expect((await appender.commit()).stored).toBe(1000);
    const rows = await read(store);
    expect(rows.length).toBe(1000);
    expect(rows[999]).toEqual([-1, new BigUint64Array(Float64Array.of(999).buffer)[0]]);
  });
}

function testSeries(make: Make): void {
  it('gives one reference to one label set', async () => {
    const appender = (await make()).appender();
    const ref = appender.series(UP);
    expect(appender.series(Labels.fromObject({ job: 'a', __name__: 'up' }))).toBe(ref);
    expect(appender.series(UP.with('job', 'b'))).not.toBe(ref);
    expect(appender.series(UP.without(['job']))).not.toBe(ref);
    appender.rollback();
  });

  it('says what is wrong with labels it cannot store', async () => {
    const appender = (await make()).appender();
    const refused = (labels: Record<string, string>): string => {
      try {
        appender.series(Labels.fromObject(labels));
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad-data' });
        return OutpostError.from(error).message;
      }
      return 'accepted';
    };
    expect(refused({ job: 'a' })).toContain('the metric name (label "__name__") is missing');
    expect(refused({ __name__: 'x', a: '\ud800' })).toContain('label "a" is not valid UTF-8');
    expect(refused({ __name__: 'x', a: 'v'.repeat(65_537) })).toContain('65537 characters');
    expect(refused({ __name__: 'größe', 'a b': '\u{1f600}' })).toBe('accepted');
    appender.rollback();
  });

  it('refuses series beyond its limit and goes on with those it has', async () => {
    const store = await make(2);
    const appender = store.appender();
    const first = appender.series(UP);
    appender.series(UP.with('job', 'b'));
    expect(() => appender.series(UP.with('job', 'c'))).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }),
    );
    expect(appender.series(UP)).toBe(first);
    appender.append(first, NOW, 1);
    expect((await appender.commit()).stored).toBe(1);
  });
}

function testMetadata(make: Make): void {
  it('remembers metadata, the newest of a family', async () => {
    const store = await make();
    const appender = store.appender();
    appender.series(UP);
    appender.metadata('up', { type: 'gauge', help: 'Old.', unit: '' });
    appender.metadata('up', { type: 'gauge', help: 'Is it up?', unit: '' });
    appender.metadata('later_seconds', { type: 'histogram', help: 'Later.', unit: 's' });
    await appender.commit();
    expect(Object.fromEntries(store.metadata())).toEqual({
      up: { type: 'gauge', help: 'Is it up?', unit: '' },
      later_seconds: { type: 'histogram', help: 'Later.', unit: 's' },
    });
  });
}
