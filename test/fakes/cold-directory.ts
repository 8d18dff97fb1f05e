// Data directories with blocks of two hours, old enough to be frozen; and what stores hold, bit by bit.

import { Matcher } from '../../src/labels/matcher.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import type { DbOptions } from '../../src/tsdb/db-options.ts';
import type { StoredSeries } from '../acceptance/querier.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { writeTestBlock } from './test-blocks.ts';
import { BLOCK_RANGE, BLOCK_START, HOUR } from './test-db.ts';

const STEP = 15_000;
const STALE_BITS = 0x7ff0000000000002n;

/** Nothing is joined; of eight blocks the first five are frozen. */
export const COLD_OPTIONS: Partial<DbOptions> = {
  retentionMs: 0,
  compactedRangeMaxMs: BLOCK_RANGE,
  coldAfterMs: 6 * HOUR,
};

/** Series of the block with this number: late scrapes, a counter, a gauge, and one that goes stale. */
export function seriesOfBlock(block: number): StoredSeries[] {
  const count = BLOCK_RANGE / STEP;
  const start = BLOCK_START + block * BLOCK_RANGE;
  const times = Array.from({ length: count }, (_, i) => start + i * STEP + ((i * 7) % 4));
  const values = (f: (i: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => f(i));
  const stale = values(i => i / 8);
  const bits = new BigUint64Array(stale.buffer);
  for (const i of [3, 100, count - 1]) bits[i] = STALE_BITS;
  return [
    { labels: { __name__: 'counter', host: 'a' }, times, values: values(i => block * count + i) },
    { labels: { __name__: 'gauge', host: 'a' }, times, values: values(i => Math.sin(i + block)) },
    { labels: { __name__: 'gauge', host: 'b' }, times, values: stale },
  ];
}

/** A directory with so many blocks, one after another. */
export async function blocksDirectory(count = 8, dir = temporaryDirectory()): Promise<string> {
  for (let block = 0; block < count; block++) {
    const minTime = BLOCK_START + block * BLOCK_RANGE;
    await writeTestBlock(dir, seriesOfBlock(block), { minTime, maxTime: minTime + BLOCK_RANGE });
  }
  return dir;
}

/** All samples by series, each as its time and the bits of its value. */
export async function bitsOf(
  store: Queryable,
  [minTime, maxTime]: readonly [number, number] = [-Infinity, Infinity],
): Promise<Map<string, string[]>> {
  const querier = store.querier(minTime, maxTime);
  const found = new Map<string, string[]>();
  const columns = new SampleColumns();
  try {
    const set = await querier.select([new Matcher('=~', '__name__', '.+')], {
      hints: { sorted: true },
    });
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        columns.clear();
        series.samples(columns);
        const bits = new BigUint64Array(
          columns.values.buffer,
          columns.values.byteOffset,
          columns.length,
        );
        const texts = Array.from(bits, (value, i) => `${columns.times[i]}:${value.toString(16)}`);
        if (texts.length > 0) found.set(series.labels.toString(), texts);
      }
    }
  } finally {
    querier.close();
  }
  return found;
}
