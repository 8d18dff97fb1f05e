import { expect, test } from 'vitest';
import { Slicer } from '../../../../src/lifecycle/slicer.ts';
import { HeadIndex } from '../../../../src/tsdb/head/head-index.ts';
import { labelStatistics } from '../../../../src/tsdb/head/head-statistics.ts';

function indexOf(...sets: readonly (readonly string[])[]): HeadIndex {
  const index = new HeadIndex();
  for (const [i, pairs] of sets.entries()) index.add(i, i + 1, pairs);
  return index;
}

test('names, values and pairs are counted, the most frequent first and ties by name', async () => {
  const index = indexOf(
    ['__name__', 'up', 'job', 'a'],
    ['__name__', 'up', 'job', 'bb'],
    ['__name__', 'cpu', 'job', 'a', 'mode', 'idle'],
  );
  expect(await labelStatistics(index, 2, new Slicer(() => 0))).toEqual({
    labelPairs: 5,
    seriesCountByMetricName: [
      { name: 'up', value: 2 },
      { name: 'cpu', value: 1 },
    ],
    labelValueCountByLabelName: [
      { name: '__name__', value: 2 },
      { name: 'job', value: 2 },
    ],
    memoryInBytesByLabelName: [
      { name: '__name__', value: 37 },
      { name: 'job', value: 19 },
    ],
    seriesCountByLabelValuePair: [
      { name: '__name__=up', value: 2 },
      { name: 'job=a', value: 2 },
    ],
  });
});

test('the largest of many are found', async () => {
  const sets: string[][] = [];
  for (let i = 0; i < 300; i++) {
    for (let series = 0; series <= i % 7; series++) {
      sets.push(['__name__', `m${i}`, 'series', String(series)]);
    }
  }
  const { seriesCountByMetricName } = await labelStatistics(
    indexOf(...sets),
    3,
    new Slicer(() => 0),
  );
  expect(seriesCountByMetricName).toEqual([
    { name: 'm104', value: 7 },
    { name: 'm111', value: 7 },
    { name: 'm118', value: 7 },
  ]);
});
