// Blocks for tests, written from plain series.

import { join } from 'node:path';
import { Labels } from '../../src/labels/labels.ts';
import { encodeColumns } from '../../src/storage/encode-columns.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import type { SeriesChunks, WriteBlockOptions } from '../../src/tsdb/block/block-writer.ts';
import { writeBlock } from '../../src/tsdb/block/block-writer.ts';
import { UlidSource } from '../../src/tsdb/block/ulid.ts';
import type { StoredSeries } from '../acceptance/querier.ts';

let seconds = 1_700_000_000;
let byte = 0;

/** Ids of blocks written by tests; they grow. */
export const ulids = new UlidSource(
  () => seconds++ * 1000,
  bytes => bytes.fill(byte++),
);

/** The series in label order, as chunks of at most 120 samples. */
export function toSeriesChunks(series: readonly StoredSeries[]): SeriesChunks[] {
  return series
    .map(({ labels, times, values }) => {
      const columns = new SampleColumns(times.length);
      columns.append(Float64Array.from(times), values, 0, times.length);
      return { labels: Labels.fromObject(labels), chunks: encodeColumns(columns) };
    })
    .sort((a, b) => a.labels.compareTo(b.labels));
}

/** Writes a block of the series into `parent` and returns its directory. */
export async function writeTestBlock(
  parent: string,
  series: readonly StoredSeries[],
  options: Partial<WriteBlockOptions> = {},
): Promise<string> {
  const times = series.flatMap(one => [one.times[0]!, one.times.at(-1)!]);
  const meta = await writeBlock(parent, toSeriesChunks(series), {
    ulid: ulids.next(),
    minTime: Math.min(...times),
    maxTime: Math.max(...times) + 1,
    level: 1,
    ...options,
  });
  return join(parent, meta!.ulid);
}
