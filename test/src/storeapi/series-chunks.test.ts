import { expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { decodeChunk } from '../../../src/storage/chunks.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { ColumnSeries } from '../../../src/storage/series-list.ts';
import { ChunkSource } from '../../../src/storeapi/series-chunks.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';

test('floats and histograms that exist only decoded are sent as chunks of their kinds', () => {
  const columns = new SampleColumns();
  for (let i = 0; i < 6; i++) {
    columns.push(1000 * i, i);
    if (i < 2) continue;
    const one = histogram({ count: i, zeroCount: i, zeroThreshold: 1 });
    (columns.histograms ??= [])[i] = i < 4 ? { ...one, integer: true } : one;
  }
  const chunks = new ChunkSource().chunksOf(new ColumnSeries(Labels.empty, columns));
  expect(chunks.map(({ encoding, minTime, maxTime }) => [encoding, minTime, maxTime])).toEqual([
    [1, 0, 1000],
    [2, 2000, 3000],
    [3, 4000, 5000],
  ]);
  const read = new SampleColumns();
  for (const chunk of chunks) decodeChunk(chunk, -Infinity, Infinity, read);
  expect([...read.values.subarray(0, 2)]).toEqual([0, 1]);
  expect(read.histograms!.slice(2).map(one => one!.count)).toEqual([2, 3, 4, 5]);
});
