import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { mergeSeriesSets } from '../../../src/storage/merge.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import type { Chunk, Series, SeriesSet } from '../../../src/storage/series.ts';
import { emptySeriesSet, listSeriesSet } from '../../../src/storage/series-list.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';

type Points = readonly (readonly [number, number])[];

/** A series that refuses to be read once its set has moved on, as the contract allows. */
class FleetingSeries implements Series {
  readonly labels: Labels;
  valid = true;
  readonly #points: Points;
  readonly #chunks: readonly Chunk[] | null;

  constructor(labels: Labels, points: Points, chunks: readonly Chunk[] | null = null) {
    this.labels = labels;
    this.#points = points;
    this.#chunks = chunks;
  }
  label(name: string): string {
    return this.labels.get(name);
  }
  chunks(): readonly Chunk[] | null {
    expect(this.valid).toBe(true);
    return this.#chunks;
  }
  samples(out: SampleColumns): void {
    expect(this.valid).toBe(true);
    for (const [time, value] of this.#points) out.push(time, value);
  }
}

function fleetingSet(batches: readonly FleetingSeries[][], warnings: string[] = []): SeriesSet {
  let at = -1;
  return {
    warnings,
    async next() {
      for (const series of batches[at] ?? []) series.valid = false;
      at++;
      return batches[at] ?? null;
    },
    close() {},
  };
}

async function read(set: SeriesSet): Promise<[string, Points][]> {
  const out: [string, Points][] = [];
  for (let batch = await set.next(); batch; batch = await set.next()) {
    expect(batch.length).toBeGreaterThan(0);
    for (const series of batch) {
      const columns = new SampleColumns();
      series.samples(columns);
      const points = Array.from(
        { length: columns.length },
        (_, i) => [columns.times[i]!, columns.values[i]!] as const,
      );
      out.push([series.labels.toString(), points]);
    }
  }
  return out;
}

const lbls = (id: string) => Labels.fromObject({ __name__: 'm', id });
const series = (id: string, ...points: [number, number][]) => new FleetingSeries(lbls(id), points);
const chunk = (minTime: number, maxTime: number, byte = 0): Chunk => ({
  minTime,
  maxTime,
  encoding: 1,
  data: Uint8Array.of(byte),
});

test('series of all sets come out in label order', async () => {
  const set = mergeSeriesSets([
    fleetingSet([[series('b', [1, 1])], [series('d', [1, 2])]]),
    fleetingSet([[series('a', [1, 3]), series('c', [1, 4])]]),
    emptySeriesSet(),
  ]);
  expect((await read(set)).map(([id]) => id)).toEqual([
    'm{id="a"}',
    'm{id="b"}',
    'm{id="c"}',
    'm{id="d"}',
  ]);
});

test('equal label sets become one series with one sample for each timestamp, the first set winning', async () => {
  const set = mergeSeriesSets([
    fleetingSet([[series('a', [10, 1], [30, 3])]]),
    fleetingSet([[series('a', [10, 9], [20, 2], [40, 4])]]),
  ]);
  expect(await read(set)).toEqual([
    [
      'm{id="a"}',
      [
        [10, 1],
        [20, 2],
        [30, 3],
        [40, 4],
      ],
    ],
  ]);
});

test('equal label sets next to each other in one set are one series, across batches too', async () => {
  const set = mergeSeriesSets([
    fleetingSet([[series('a', [1, 1])], [series('a', [2, 2])], [series('a', [3, 3])]]),
    fleetingSet([[series('a', [4, 4]), series('b', [1, 1])]]),
  ]);
  expect(await read(set)).toEqual([
    [
      'm{id="a"}',
      [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ],
    ],
    ['m{id="b"}', [[1, 1]]],
  ]);
});

test('chunks that do not overlap are the sorted union, identical ones once', async () => {
  const set = mergeSeriesSets([
    fleetingSet([[new FleetingSeries(lbls('a'), [], [chunk(20, 29), chunk(30, 39)])]]),
    fleetingSet([[new FleetingSeries(lbls('a'), [], [chunk(10, 19), chunk(20, 29)])]]),
  ]);
  const batch = await set.next();
  expect(batch![0]!.chunks()!.map(c => c.minTime)).toEqual([10, 20, 30]);
});

test('chunks that overlap are not handed out', async () => {
  const set = mergeSeriesSets([
    fleetingSet([[new FleetingSeries(lbls('a'), [], [chunk(10, 20)])]]),
    fleetingSet([[new FleetingSeries(lbls('a'), [], [chunk(20, 29)])]]),
  ]);
  const batch = await set.next();
  expect(batch![0]!.chunks()).toBeNull();
});

test('stale markers keep their bits', async () => {
  const stale: Series = {
    labels: lbls('a'),
    label: name => lbls('a').get(name),
    chunks: () => null,
    samples(out) {
      out.push(15, 0);
      setStale(out.values, out.length - 1);
    },
  };
  const set = mergeSeriesSets([
    listSeriesSet([stale]),
    listSeriesSet([series('a', [10, 1], [20, 2])]),
  ]);
  const columns = new SampleColumns();
  (await set.next())![0]!.samples(columns);
  expect([...columns.times.subarray(0, 3)]).toEqual([10, 15, 20]);
  expect(isStaleAt(columns.values, 1)).toBe(true);
});

test('samples are appended after what the columns already hold', async () => {
  const set = mergeSeriesSets([
    fleetingSet([[series('a', [10, 1])]]),
    fleetingSet([[series('a', [5, 2])]]),
  ]);
  const columns = new SampleColumns();
  columns.push(99, 99);
  (await set.next())![0]!.samples(columns);
  expect([...columns.times.subarray(0, columns.length)]).toEqual([99, 5, 10]);
});

test('warnings are united without repetition', async () => {
  const set = mergeSeriesSets([
    fleetingSet([], ['a is late', 'b is down']),
    fleetingSet([], ['b is down']),
  ]);
  expect(await set.next()).toBeNull();
  expect(set.warnings).toEqual(['a is late', 'b is down']);
});

test('an error of one set is an error of the merge', async () => {
  const failing: SeriesSet = {
    warnings: [],
    next: () => Promise.reject(new Error('disk gone')),
    close() {},
  };
  await expect(mergeSeriesSets([failing, emptySeriesSet()]).next()).rejects.toThrow('disk gone');
});

// A set as generated: ids in order, some repeated, cut into batches anywhere.
const generatedSet = fc
  .array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      times: fc.uniqueArray(fc.nat(20), { maxLength: 6 }),
      cut: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map(items => items.sort((x, y) => (x.id < y.id ? -1 : x.id > y.id ? 1 : 0)));

test('any number of sets equals the naive union by label set and timestamp', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(generatedSet, { minLength: 2, maxLength: 5 }), async sets => {
      const expected = new Map<string, Map<number, number>>();
      const inputs = sets.map((items, input) => {
        const batches: FleetingSeries[][] = [];
        for (const { id, times, cut } of items) {
          const sortedTimes = [...times].sort((a, b) => a - b);
          const points = sortedTimes.map(time => [time, input] as [number, number]);
          if (cut || batches.length === 0) batches.push([]);
          batches.at(-1)!.push(series(id, ...points));
          const known = expected.get(id) ?? new Map<number, number>();
          for (const [time, value] of points) if (!known.has(time)) known.set(time, value);
          expected.set(id, known);
        }
        return fleetingSet(batches);
      });
      const want = [...expected]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, points]) => [`m{id="${id}"}`, [...points].sort(([a], [b]) => a - b)]);
      expect(await read(mergeSeriesSets(inputs))).toEqual(want);
    }),
  );
});
