// The aggregate chunks of blocks that Thanos has downsampled: read, held against the answers published with
// them, and written again byte by byte.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AGGREGATES,
  type Aggregate,
  decodeAggregate,
  encodeAggregates,
} from '../../src/downsample/aggregate-chunk.ts';
import { CounterReader, readAverage } from '../../src/downsample/aggregate-readers.ts';
import { Labels } from '../../src/labels/labels.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import type { Chunk, Series } from '../../src/storage/series.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { corpusFolder } from '../fakes/corpora.ts';

const folder = corpusFolder('tsdb-golden-blocks');
const missing = folder ? '' : ' (skipped: the golden blocks are not on this machine)';
const THANOS = 'victoriametrics-apptest/thanos-snapshot';

/** Each series' labels and copies of its chunks. */
async function chunksOf(ulid: string): Promise<Map<Labels, Chunk[]>> {
  const block = await Block.open(join(folder!, THANOS, ulid));
  const querier = block.querier(0, 2e12);
  const out = new Map<Labels, Chunk[]>();
  try {
    const set = await querier.select([]);
    const copy = (series: Series): Chunk[] =>
      series.chunks()!.map(chunk => ({ ...chunk, data: chunk.data.slice() }));
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) out.set(series.labels, copy(series));
    }
  } finally {
    querier.close();
    await block.close();
  }
  return out;
}

function pairs(columns: SampleColumns): string {
  return Array.from(
    { length: columns.length },
    (_, i) => `${columns.times[i]}=${columns.values[i]}`,
  ).join(' ');
}

/** Published samples by series. */
function published(): Map<string, string> {
  const file = join(folder!, THANOS, 'expected_all_aggr_response.json');
  const { data } = JSON.parse(readFileSync(file, 'utf8')) as {
    data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  return new Map(
    data.result.map(({ metric, values }) => [
      String(Labels.fromObject(metric)),
      values.map(([time, value]) => `${Math.round(time * 1000)}=${Number(value)}`).join(' '),
    ]),
  );
}

describe.skipIf(!folder)(`golden aggregates${missing}`, () => {
  it.each([
    ['5m', '01KKS78PKKR6BQ0SQ5BARRTAKC'],
    ['1h', '01KKS78PXE91TK8YX406DERWV2'],
  ])('of %s are read and written', async (resolution, ulid) => {
    const expected = published();
    const series = await chunksOf(ulid);
    expect(series.size).toBeGreaterThan(0);
    for (const [labels, chunks] of series) {
      const reader = new CounterReader();
      const totals = new SampleColumns();
      const byAggregate = new Map<Aggregate, SampleColumns>();
      for (const { data } of chunks) {
        const columns = AGGREGATES.map(aggregate => {
          const one = new SampleColumns();
          expect(decodeAggregate(data, aggregate, one)).toBe(true);
          byAggregate.set(aggregate, one);
          return [aggregate, one];
        });
        expect(Buffer.compare(encodeAggregates(Object.fromEntries(columns)), data)).toBe(0);
        reader.read(data, totals);
        const averages = new SampleColumns();
        readAverage(data, averages);
        expect(averages.length).toBe(byAggregate.get('count')!.length);
      }
      expect(chunks).toHaveLength(1);
      const named = (aggregate: string): string =>
        String(labels.with('__name__', `${labels.get('__name__')}:${resolution}:${aggregate}`));
      for (const aggregate of ['count', 'sum', 'min', 'max'] as const) {
        expect(pairs(byAggregate.get(aggregate)!)).toBe(expected.get(named(aggregate)));
      }
      // Published is the counter as it is stored, without the raw value at its end.
      const counter = byAggregate.get('counter')!;
      const { times, values, length } = counter;
      if (times[length - 1] === times[length - 2]) counter.length--;
      expect(pairs(counter)).toBe(expected.get(named('counter')));
      // Series that fall are gauges, of which a counter's totals say nothing.
      if (
        values.subarray(0, counter.length).every((value, i) => i === 0 || value >= values[i - 1]!)
      )
        expect(pairs(totals)).toBe(pairs(counter));
    }
  });
});
