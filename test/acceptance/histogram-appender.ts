// What every store that can be written promises of native histograms and exemplars. An implementation calls
// `testHistogramAppender` with a factory that makes an empty store.

import { afterEach, describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import type { Appendable } from '../../src/storage/appender.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { type NewWritableStore, NOW, type WritableStore } from './appender.ts';

const UP = Labels.fromObject({ __name__: 'up', job: 'a' });
const STALE = 0x7ff0000000000002n;
const ONE = 0x3ff0000000000000n;
const TWO = 0x4000000000000000n;

function numberOf(bits: bigint): Float64Array {
  return new Float64Array(new BigUint64Array([bits]).buffer);
}

type Make = () => Promise<WritableStore['store']>;

/** Runs the whole suite against one kind of store, which takes nothing out of order. */
export function testHistogramAppender(name: string, newStore: NewWritableStore): void {
  const open: WritableStore[] = [];
  const make: Make = async () => {
    const made = await newStore({ seriesMax: 1000 });
    open.push(made);
    return made.store;
  };
  afterEach(async () => {
    for (const made of open.splice(0)) await made.close();
  });
  describe(`${name} as an appender of histograms`, () => {
    testMixedSeries(make);
    testHistograms(make);
    testExemplars(make);
  });
}

/** Each row's sample: a float's bits, 'stale', or a histogram's count. */
type Mixed = bigint | 'stale' | number;

function counts(count: number, properties: Partial<FloatHistogram> = {}): FloatHistogram {
  return histogram({
    schema: 1,
    count,
    sum: count / 2,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    integer: true,
    ...properties,
  });
}

/** Appends samples and returns what became of them. */
async function addMixed(store: Appendable, rows: readonly (readonly [number, Mixed])[]) {
  const appender = store.appender();
  const ref = appender.series(UP);
  for (const [offset, sample] of rows) {
    const time = NOW + offset * 1000;
    if (typeof sample === 'bigint') appender.append(ref, time, numberOf(sample)[0]!);
    else if (sample === 'stale') appender.appendStale(ref, time);
    else appender.appendHistogram(ref, time, counts(sample));
  }
  const { stored, histograms, refused } = await appender.commit();
  return { stored, histograms, refused: Object.fromEntries(refused) };
}

/** All samples of the series, by offset in s from NOW. */
async function readMixed(store: Queryable): Promise<[number, Mixed | undefined][]> {
  const querier = store.querier(NOW - 1e9, NOW + 1e9);
  const columns = new SampleColumns();
  try {
    const set = await querier.select([new Matcher('=', '__name__', 'up')]);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) series.samples(columns);
    }
  } finally {
    querier.close();
  }
  const bits = new BigUint64Array(columns.values.buffer);
  return Array.from({ length: columns.length }, (_, i) => [
    (columns.times[i]! - NOW) / 1000,
    columns.histograms?.[i]?.count ?? (bits[i] === STALE ? 'stale' : bits[i]),
  ]);
}

const HISTOGRAM_REFUSALS: readonly (readonly [string, Mixed, number, Mixed, string | null])[] = [
  ['a newer histogram', 3, -9, 4, null],
  ['an older histogram', 3, -11, 4, 'out-of-order'],
  ['the same histogram again', 3, -10, 3, null],
  ['another histogram at the same time', 3, -10, 4, 'duplicate-sample'],
  ['a histogram at the time of a float', ONE, -10, 3, 'duplicate-sample'],
  ['a float at the time of a histogram', 3, -10, ONE, 'duplicate-sample'],
  ['a histogram older than a float', ONE, -11, 3, 'out-of-order'],
  ['a histogram behind a float', ONE, -9, 3, null],
  ['a float behind a histogram', 3, -9, ONE, null],
  ['a marker behind a histogram', 3, -9, 'stale', null],
  ['the same marker again', 'stale', -10, 'stale', null],
  ['a histogram at the time of a marker', 'stale', -10, 3, 'duplicate-sample'],
  ['a histogram 10 minutes ahead', 3, 600, 4, null],
  ['a histogram more than 10 minutes ahead', 3, 601, 4, 'too-far-in-future'],
];

function testMixedSeries(make: Make): void {
  it.each(HISTOGRAM_REFUSALS)('judges %s', async (_, before, offset, sample, reason) => {
    const store = await make();
    await addMixed(store, [[-10, before]]);
    const { stored, refused } = await addMixed(store, [[offset, sample]]);
    const expected = reason === null ? [1, {}] : [0, { [reason]: 1 }];
    expect([stored, refused]).toEqual(expected);
  });

  it('keeps floats, histograms and markers of one series in order', async () => {
    const store = await make();
    const rows: [number, Mixed][] = [
      [-9, ONE],
      [-8, 1],
      [-7, 2],
      [-6, TWO],
      [-5, 3],
      [-4, 'stale'],
      [-3, 'stale'],
      [-2, 5],
      [-1, ONE],
      [0, 'stale'],
    ];
    const { stored, histograms } = await addMixed(store, rows.slice(0, 6));
    expect([stored, histograms]).toEqual([6, 4]);
    for (const row of rows.slice(6)) expect((await addMixed(store, [row])).stored).toBe(1);
    expect(await readMixed(store)).toEqual(rows);
  });
}

function testHistograms(make: Make): void {
  it('keeps everything of a histogram', async () => {
    const store = await make();
    const appender = store.appender();
    const sent: FloatHistogram[] = [
      histogram({
        schema: 3,
        zeroThreshold: 2 ** -128,
        zeroCount: 0.5,
        count: 12.25,
        sum: -3.5,
        positiveSpans: [
          { offset: -2, length: 2 },
          { offset: 3, length: 1 },
        ],
        positiveBuckets: Float64Array.of(1.5, 0.25, 4),
        negativeSpans: [{ offset: 1, length: 1 }],
        negativeBuckets: Float64Array.of(6),
      }),
      histogram({
        schema: -53,
        count: 7,
        sum: Number.POSITIVE_INFINITY,
        positiveSpans: [{ offset: 1, length: 2 }],
        positiveBuckets: Float64Array.of(3, 4),
        customValues: Float64Array.of(0.1, 2.5),
        integer: true,
      }),
      counts(9, { counterResetHint: 'gauge' }),
    ];
    const refs = sent.map((_, i) => appender.series(UP.with('n', String(i))));
    for (const [i, one] of sent.entries()) appender.appendHistogram(refs[i]!, NOW, one);
    expect(await appender.commit()).toMatchObject({ stored: 3, histograms: 3 });
    for (const [i, one] of sent.entries()) {
      const querier = store.querier(NOW, NOW);
      const set = await querier.select([new Matcher('=', 'n', String(i))]);
      const columns = new SampleColumns();
      for (const series of (await set.next())!) series.samples(columns);
      querier.close();
      expect(columns.histograms![0]).toEqual(one);
    }
  });

  it.each(PROBLEMS)('refuses a histogram where %s', async (detail, broken) => {
    const store = await make();
    const appender = store.appender();
    appender.appendHistogram(appender.series(UP), NOW, broken);
    const { stored, refused, examples } = await appender.commit();
    expect([stored, refused.get('invalid-histogram')]).toEqual([0, 1]);
    expect(examples).toMatchObject([{ reason: 'invalid-histogram', detail }]);
    expect(await readMixed(store)).toEqual([]);
  });

  it('lowers schemas that are finer than readers know', async () => {
    const store = await make();
    const appender = store.appender();
    const fine = counts(3, { schema: 12, positiveSpans: [{ offset: 17, length: 1 }] });
    appender.appendHistogram(appender.series(UP), NOW, fine);
    await appender.commit();
    const querier = store.querier(NOW, NOW);
    const columns = new SampleColumns();
    const set = await querier.select([new Matcher('=', '__name__', 'up')]);
    for (const series of (await set.next())!) series.samples(columns);
    querier.close();
    expect(columns.histograms![0]).toMatchObject({
      schema: 8,
      positiveSpans: [{ offset: 2, length: 1 }],
    });
  });

  it('shows no histogram before the commit and none after a rollback', async () => {
    const store = await make();
    const appender = store.appender();
    appender.appendHistogram(appender.series(UP), NOW, counts(1));
    expect(await readMixed(store)).toEqual([]);
    appender.rollback();
    expect(await readMixed(store)).toEqual([]);
  });
}

const PROBLEMS: readonly (readonly [string, FloatHistogram])[] = [
  [
    'its positive spans are for 1 buckets, it has 2',
    counts(3, { positiveBuckets: Float64Array.of(1, 2) }),
  ],
  ['positive bucket 1 has the count -1', counts(-1, { count: 1 })],
  ['its buckets add up to 3, its count is 4', counts(3, { count: 4 })],
  ['schema 53 is unknown', counts(3, { schema: 53 })],
  [
    'its custom bounds do not ascend',
    counts(3, { schema: -53, customValues: Float64Array.of(2, 1) }),
  ],
  [
    'its custom bound 1 is Infinity',
    counts(3, { schema: -53, customValues: Float64Array.of(Infinity) }),
  ],
  [
    'it has custom bounds and an exponential schema',
    counts(3, { customValues: Float64Array.of(1) }),
  ],
];

function testExemplars(make: Make): void {
  it('drops exemplars that are too long, out of order or of no series, and nothing else', async () => {
    const store = await make();
    const appender = store.appender();
    const ref = appender.series(UP);
    const add = (time: number, trace: string): void =>
      appender.appendExemplar(ref, {
        labels: Labels.fromObject({ trace_id: trace }),
        value: 1,
        time,
      });
    appender.append(ref, NOW, 1);
    add(NOW - 1000, 'a'.repeat(120));
    add(NOW - 500, 'a'.repeat(121));
    add(NOW - 2000, 'b');
    add(NOW, 'c');
    appender.appendExemplar(4_000_000_000, { labels: Labels.empty, value: 1, time: NOW });
    expect(await appender.commit()).toMatchObject({
      stored: 1,
      exemplars: 2,
      exemplarsRefused: 3,
    });
  });
}
