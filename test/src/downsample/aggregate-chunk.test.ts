// Thanos' aggregate chunks and what is read from them.

import { describe, expect, test } from 'vitest';
import {
  AGGREGATES,
  type Aggregate,
  decodeAggregate,
  encodeAggregates,
  readAggregateSlots,
  writeAggregateSlots,
} from '../../../src/downsample/aggregate-chunk.ts';
import { CounterReader, readAverage } from '../../../src/downsample/aggregate-readers.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { ChunkEncoding } from '../../../src/storage/series.ts';
import { contentOf, histogram } from '../../fakes/prometheus-cases.ts';

type Pairs = readonly (readonly [time: number, value: number])[];

function columnsOf(pairs: Pairs): SampleColumns {
  const out = new SampleColumns(1);
  for (const [time, value] of pairs) out.push(time, value);
  return out;
}

function pairsOf(columns: SampleColumns): Pairs {
  return Array.from({ length: columns.length }, (_, i) => [columns.times[i]!, columns.values[i]!]);
}

function encode(pairs: Partial<Record<Aggregate, Pairs>>): Uint8Array {
  const entries = Object.entries(pairs).map(([name, one]) => [name, columnsOf(one)]);
  return encodeAggregates(Object.fromEntries(entries));
}

function totals(...chunks: readonly Uint8Array[]): Pairs {
  const reader = new CounterReader();
  const out = new SampleColumns();
  for (const chunk of chunks) reader.read(chunk, out);
  return pairsOf(out);
}

// (20,1)(40,2)(60,3)(80,1)(100,2)(120,5)(180,10)(250,1) in windows of 100 ms, as Thanos aggregates it.
const WINDOWS = {
  count: [
    [99, 4],
    [199, 3],
    [250, 1],
  ],
  sum: [
    [99, 7],
    [199, 17],
    [250, 1],
  ],
  min: [
    [99, 1],
    [199, 2],
    [250, 1],
  ],
  max: [
    [99, 3],
    [199, 10],
    [250, 1],
  ],
  counter: [
    [20, 1],
    [99, 4],
    [199, 13],
    [250, 14],
    [250, 1],
  ],
} as const satisfies Record<Aggregate, Pairs>;

describe('a chunk of windows', () => {
  const chunk = encode(WINDOWS);

  test('holds every aggregate', () => {
    for (const aggregate of AGGREGATES) {
      const out = new SampleColumns();
      expect(decodeAggregate(chunk, aggregate, out)).toBe(true);
      expect(pairsOf(out)).toEqual(WINDOWS[aggregate]);
    }
  });

  test('has five slots, whose lengths leave the encoding out', () => {
    const slots = readAggregateSlots(chunk);
    expect(Object.keys(slots)).toEqual(['count', 'sum', 'min', 'max', 'counter']);
    expect(chunk[0]).toBe(slots.count!.data.length);
    expect(chunk[1]).toBe(ChunkEncoding.xor);
    expect([...chunk.subarray(2, 4)]).toEqual([0, 3]);
    const size = Object.values(slots).reduce((sum, slot) => sum + slot.data.length + 2, 0);
    expect(size).toBe(chunk.length);
    expect(writeAggregateSlots(slots)).toEqual(chunk);
  });

  test('averages sum by count', () => {
    const out = new SampleColumns();
    readAverage(chunk, out);
    expect(pairsOf(out)).toEqual([
      [99, 1.75],
      [199, 17 / 3],
      [250, 1],
    ]);
  });

  test('counts on from the last raw value into the next chunk', () => {
    expect(totals(chunk)).toEqual([
      [20, 1],
      [99, 4],
      [199, 13],
      [250, 14],
    ]);
    const grown = encode({
      counter: [
        [300, 3],
        [399, 5],
        [399, 5],
      ],
    });
    // 3 is more than the raw 1 at the end, though less than the total 14.
    expect(totals(chunk, grown).slice(4)).toEqual([
      [300, 16],
      [399, 18],
    ]);
    const reset = encode({
      counter: [
        [300, 0.5],
        [399, 2],
        [399, 2],
      ],
    });
    expect(totals(chunk, reset).slice(4)).toEqual([
      [300, 14.5],
      [399, 16],
    ]);
  });
});

describe('the counter reader', () => {
  test('passes over NaN and what goes back in time', () => {
    const first = encode({
      counter: [
        [100, 5],
        [200, Number.NaN],
        [300, 9],
        [300, 9],
      ],
    });
    const overlapping = encode({
      counter: [
        [250, 8],
        [300, 9],
        [400, 10],
      ],
    });
    expect(totals(first, overlapping)).toEqual([
      [100, 5],
      [300, 9],
      [400, 10],
    ]);
  });

  test('hands histograms on once for each time', () => {
    const column = new SampleColumns();
    for (const [time, count] of [[10, 1] as const, [20, 2] as const, [20, 2] as const]) {
      (column.histograms ??= [])[column.length] = histogram({ count, zeroCount: count });
      column.push(time, 0);
    }
    const out = new SampleColumns();
    new CounterReader().read(encodeAggregates({ counter: column }), out);
    expect([...out.times.subarray(0, out.length)]).toEqual([10, 20]);
    expect(out.histograms!.map(one => one!.count)).toEqual([1, 2]);
  });
});

describe('histograms', () => {
  const sum = new SampleColumns();
  for (const [time, count] of [[10, 6] as const, [20, 3] as const]) {
    (sum.histograms ??= [])[sum.length] = histogram({
      counterResetHint: 'gauge',
      count,
      sum: count * 2,
      negativeSpans: [{ offset: 0, length: 1 }],
      negativeBuckets: Float64Array.of(count),
    });
    sum.push(time, 0);
  }
  const count = columnsOf([
    [10, 3],
    [20, 2],
  ]);

  test('are float histogram chunks in their slots', () => {
    const slots = readAggregateSlots(encodeAggregates({ count, sum }));
    expect(Object.keys(slots)).toEqual(['count', 'sum']);
    expect(slots.sum!.encoding).toBe(ChunkEncoding.floatHistogram);
  });

  test('are averaged bucket by bucket', () => {
    const out = new SampleColumns();
    readAverage(encodeAggregates({ count, sum }), out);
    expect(out.histograms!.map(contentOf)).toMatchObject([
      { count: 2, sum: 4, negative: { 0: 2 } },
      { count: 1.5, sum: 3, negative: { 0: 1.5 } },
    ]);
  });

  test('that need two chunks are refused', () => {
    const falling = new SampleColumns();
    falling.histograms = [histogram({ count: 2 }), histogram({ count: 1 })];
    falling.push(10, 0);
    falling.push(20, 0);
    expect(() => encodeAggregates({ counter: falling })).toThrow(
      expect.objectContaining({ code: 'execution' }),
    );
  });
});

describe('an aggregate chunk', () => {
  test('may lack aggregates', () => {
    const chunk = encode({ max: WINDOWS.max });
    expect([...chunk.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect(chunk.at(-1)).toBe(0);
    expect(decodeAggregate(chunk, 'count', new SampleColumns())).toBe(false);
    expect(() => totals(chunk)).toThrow('it has no counter');
    expect(() => readAverage(chunk, new SampleColumns())).toThrow('it has no count');
  });

  test('is corrupt where it is cut short or contains another', () => {
    const chunk = encode(WINDOWS);
    for (let size = 0; size < chunk.length; size++) {
      expect(() => readAggregateSlots(chunk.subarray(0, size))).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      );
    }
    const nested = writeAggregateSlots({ count: { encoding: 0xff, data: chunk } });
    expect(() => decodeAggregate(nested, 'count', new SampleColumns())).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  });

  test('is corrupt where sums and counts do not go together', () => {
    const shorter = encode({ ...WINDOWS, count: WINDOWS.count.slice(1) });
    const later = encode({ ...WINDOWS, count: WINDOWS.count.map(([t, v]) => [t + 1, v]) });
    for (const chunk of [shorter, later]) {
      expect(() => readAverage(chunk, new SampleColumns())).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      );
    }
  });
});
