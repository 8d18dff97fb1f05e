import { describe, expect, test } from 'vitest';
import { Labels } from '../../../../../src/labels/labels.ts';
import { Matcher } from '../../../../../src/labels/matcher.ts';
import type { FloatHistogram } from '../../../../../src/storage/histogram.ts';
import type { Queryable } from '../../../../../src/storage/queryable.ts';
import { SampleColumns } from '../../../../../src/storage/samples.ts';
import type { Series } from '../../../../../src/storage/series.ts';
import { Registry } from '../../../../../src/telemetry/metrics.ts';
import { HistogramSeries } from '../../../../../src/tsdb/head/histograms/histogram-series.ts';
import { histogram } from '../../../../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../../../../fakes/temporary-directory.ts';
import {
  BLOCK_RANGE,
  BLOCK_START,
  contents,
  metricValue,
  newTestHead,
  openTestDb,
  put,
} from '../../../../fakes/test-db.ts';

const NONE = new Float64Array(0);
const UP = Labels.fromObject({ __name__: 'up' });
const T = BLOCK_START;

/** Buckets of once, twice and three times the count. */
function counted(count: number, buckets = 1, changes: Partial<FloatHistogram> = {}) {
  const positiveBuckets = Float64Array.from({ length: buckets }, (_, i) => count * (1 + (i % 3)));
  return histogram({
    schema: 1,
    count: positiveBuckets.reduce((sum, one) => sum + one, 0),
    sum: count,
    positiveSpans: [{ offset: 0, length: buckets }],
    positiveBuckets,
    integer: true,
    ...changes,
  });
}

/** First times of the chunks, in steps from T. */
function starts(series: HistogramSeries, step = 1000): number[] {
  return series.chunks(-Infinity, Infinity).map(chunk => (chunk.minTime - T) / step);
}

function filled(samples: number, step: number, make: (i: number) => FloatHistogram | null) {
  const series = new HistogramSeries(BLOCK_RANGE);
  for (let i = 0; i < samples; i++) {
    const sample = make(i);
    series.append({ time: T + i * step, kind: 'integer', histogram: sample, value: NONE });
  }
  return series;
}

describe('a series with histograms', () => {
  test('begins a chunk with each range', () => {
    const step = BLOCK_RANGE / 4;
    expect(
      starts(
        filled(10, step, i => counted(i)),
        step,
      ),
    ).toEqual([0, 4, 8]);
  });

  test('begins a chunk at a reset, another schema, and behind a marker', () => {
    const counts = [1, 2, 1, 3, 4];
    expect(starts(filled(5, 1000, i => counted(counts[i]!)))).toEqual([0, 2]);
    expect(starts(filled(4, 1000, i => counted(i, 1, { schema: i < 2 ? 1 : 2 })))).toEqual([0, 2]);
    expect(starts(filled(5, 1000, i => (i === 2 ? null : counted(i))))).toEqual([0, 3]);
    const resets = filled(5, 1000, i => counted(counts[i]!)).chunks(-Infinity, Infinity);
    expect(resets.map(({ data }) => data[2]! >> 6)).toEqual([0, 2]);
  });

  test('has ten samples in a chunk at least, however large they are', () => {
    const wide = filled(40, 1000, i => counted(i * i * 1000, 300));
    expect(starts(wide)).toEqual([0, 10, 20, 30]);
  });

  test('spreads chunks of about a kibibyte over the range', () => {
    const step = 15_000;
    const series = filled(480, step, i => counted(i * i * (7 + (i % 3)), 8));
    const chunks = series.chunks(-Infinity, Infinity);
    expect(chunks.length).toBeGreaterThan(3);
    for (const { data } of chunks) expect(data.length).toBeLessThan(2048);
    const lengths = chunks.map(({ minTime, maxTime }) => (maxTime - minTime) / step + 1);
    expect(Math.max(...lengths.slice(0, -1))).toBeLessThan(200);
  });

  test('changes the chunk with the kind of its samples', () => {
    const series = new HistogramSeries(BLOCK_RANGE);
    const kinds = ['float', 'integer', 'integer', 'float-histogram', 'float', 'float'] as const;
    for (const [i, kind] of kinds.entries()) {
      const one = kind === 'float' ? null : counted(i);
      const value = kind === 'float' ? Float64Array.of(i) : NONE;
      series.append({ time: T + i * 1000, kind, histogram: one, value });
    }
    const chunks = series.chunks(-Infinity, Infinity);
    expect(chunks.map(({ encoding }) => encoding)).toEqual([1, 2, 3, 1]);
    expect(series.chunkCount).toBe(4);
    expect(series.overlaps(T + 3000, T + 3000)).toBe(true);
    expect(series.overlaps(T + 6000, T + 9000)).toBe(false);
    expect(series.dropBefore(T + 3001)).toBe(1);
    expect([series.minTime, series.maxTime]).toEqual([T + 4000, T + 5000]);
    expect(series.dropBefore(T + 9000)).toBe(0);
    expect([series.minTime, series.maxTime]).toEqual([Infinity, -Infinity]);
  });

  test('forgets the memory of what it drops', () => {
    const series = filled(100, BLOCK_RANGE / 10, i => counted(i, 20));
    const before = series.bytes;
    series.dropBefore(T + 8 * BLOCK_RANGE);
    expect(series.bytes).toBeLessThan(before - 7 * 128);
  });
});

async function selected(store: Queryable, range: [number, number]): Promise<Series[]> {
  const querier = store.querier(...range);
  const set = await querier.select([new Matcher('=', '__name__', 'up')]);
  return [...((await set.next()) ?? [])];
}

describe('a head with histograms', () => {
  async function append(store: ReturnType<typeof newTestHead>, time: number, count: number) {
    const appender = store.appender();
    appender.appendHistogram(appender.series(UP), time, counted(count));
    return await appender.commit();
  }

  test('shows a selection what was there when it was made', async () => {
    const head = newTestHead();
    await append(head, T, 1);
    await append(head, T + 1, 2);
    const [series] = await selected(head, [T, T + 1e6]);
    await append(head, T + 2, 3);
    const columns = new SampleColumns();
    series!.samples(columns);
    expect(columns.histograms!.map(one => one!.count)).toEqual([1, 2]);
    expect(series!.chunks()!.map(({ encoding }) => encoding)).toEqual([2]);
    expect(await selected(head, [T + 3, T + 9])).toEqual([]);
  });

  test('counts histograms in its metrics', async () => {
    const registry = new Registry();
    const head = newTestHead({ registry });
    await append(head, T + 1000, 1);
    await append(head, T, 1);
    const samples = (name: string) =>
      registry
        .gather()
        .find(family => family.name === `prometheus_tsdb_${name}`)!
        .samples.map(({ labels, value }) => [labels.get('type'), value]);
    expect(samples('head_samples_appended_total')).toContainEqual(['histogram', 1]);
    expect(samples('out_of_order_samples_total')).toContainEqual(['histogram', 1]);
    expect(metricValue(registry, 'prometheus_tsdb_head_chunks')).toBe(1);
  });

  test('takes no more histograms than it has memory for', async () => {
    const head = newTestHead({ bytesMax: 8 * 1024 * 1024 });
    const appender = head.appender();
    for (let i = 0; i < 6000; i++) {
      const ref = appender.series(UP.with('i', String(i)));
      appender.appendHistogram(ref, T, counted(i, 50));
    }
    expect((await appender.commit()).stored).toBe(6000);
    await expect(append(head, T, 1)).rejects.toMatchObject({ code: 'limit-exceeded' });
  });
});

describe('a database with histograms', () => {
  test('cuts blocks with the right kinds, and drops series that fall silent', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const appender = db.appender();
    const ref = appender.series(UP);
    for (let i = 0; i < 40; i++) appender.appendHistogram(ref, T + i * 60_000, counted(i));
    appender.append(ref, T + 40 * 60_000, 7);
    appender.appendHistogram(ref, T + 41 * 60_000, counted(3, 1, { integer: false }));
    expect((await appender.commit()).stored).toBe(42);
    await put(db, { __name__: 'other' }, [[T + 2 * BLOCK_RANGE, 1]]);
    await db.maintain();
    const stats = { numSeries: 1, numSamples: 42, numHistogramSamples: 41, numFloatSamples: 1 };
    expect(db.blocks[0]!.meta.stats).toMatchObject(stats);
    expect((await contents(db)).get('up')?.length).toBe(42);
    await db.maintain();
    await db.maintain();
    await put(db, { __name__: 'other' }, [[T + 4 * BLOCK_RANGE, 1]]);
    await db.maintain();
    expect(db.seriesCount).toBe(1);
    expect((await contents(db)).get('up')?.at(-1)).toBe(`${T + 41 * 60_000}:h3`);
    await db.close();
  });

  test('hides what is deleted, in the head and in blocks', async () => {
    const db = await openTestDb(temporaryDirectory());
    const appender = db.appender();
    const ref = appender.series(UP);
    for (let i = 0; i < 10; i++) appender.appendHistogram(ref, T + i, counted(i));
    await appender.commit();
    expect(await db.delete(T + 2, T + 7, [new Matcher('=', '__name__', 'up')])).toBe(1);
    const left = [0, 1, 8, 9].map(i => `${T + i}:h${i}`);
    expect((await contents(db)).get('up')).toEqual(left);
    await put(db, { __name__: 'other' }, [[T + 2 * BLOCK_RANGE, 1]]);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    expect((await contents(db)).get('up')).toEqual(left);
    await db.close();
  });
});
