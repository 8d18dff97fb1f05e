// Expected counts are those of Prometheus 3.14 over the same data; test/interop compares many more.

import { describe, expect, it } from 'vitest';
import { storageOf, testEngine } from './fixture.ts';

const storage = storageOf(
  10_000,
  'm{a="1"} 0+1x9',
  'm{a="2"} 5 _ 5 stale 5 5 5 5 5 5',
  'h {{schema:0 sum:5 count:4 buckets:[1 2 1]}}x9',
);
const engine = testEngine({ lookbackMs: 15_000 });
const RANGE = { startMs: 20_000, endMs: 60_000, stepMs: 20_000, countsSamples: true };

async function counts(text: string): Promise<number[] | null> {
  const { stats } = await engine.range(storage, text, RANGE);
  return stats.samplesPerStep && [...stats.samplesPerStep];
}

describe('samples of a query, step by step', () => {
  it.each<[query: string, counts: number[]]>([
    ['m', [2, 2, 2]],
    ['m + on (a) m', [4, 4, 4]],
    ['m offset 10s', [2, 1, 2]],
    // One that is evaluated once counts at every step.
    ['sum(m @ 30)', [1, 1, 1]],
    // Every window counts all that is in it.
    ['sum_over_time(m[20s])', [3, 3, 4]],
    ['rate(m[40s])', [5, 6, 7]],
    ['sum_over_time(m[10s]) + m', [4, 4, 4]],
    // Of a subquery its own steps count.
    ['max_over_time(m[20s:10s])', [4, 3, 4]],
    ['max_over_time(rate(m[40s])[20s:10s])', [3, 4, 4]],
    ['timestamp(m)', [2, 2, 2]],
    ['absent(m)', [2, 2, 2]],
    ['1 + 2', [0, 0, 0]],
    // (168 + 8 + a span of 8 + 3 buckets of 8) / 16
    ['h', [13, 13, 13]],
    // Of which no buckets are looked at.
    ['histogram_count(h)', [11, 11, 11]],
    ['timestamp(h)', [1, 1, 1]],
    ['rate(h[20s])', [26, 26, 26]],
  ])('%s', async (query, expected) => {
    expect(await counts(query)).toEqual(expected);
  });

  it.each<[query: string, count: number]>([
    ['m[30s]', 5],
    ['h[20s]', 26],
    // What the subquery reads.
    ['sum_over_time(m[20s])[20s:10s]', 6],
    ['m', 2],
  ])('%s at one time', async (query, expected) => {
    const { stats } = await engine.instant(storage, query, { timeMs: 40_000, countsSamples: true });
    expect([...stats.samplesPerStep!]).toEqual([expected]);
  });

  it('are not counted unless somebody asks', async () => {
    const { stats } = await engine.range(storage, 'm', { ...RANGE, countsSamples: false });
    expect(stats.samplesPerStep).toBeNull();
  });
});
