import { expect, test } from 'vitest';
import { dedupByPenalty } from '../../../src/storage/penalty.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';

type Points = readonly (readonly [number, number])[];

function columns(points: Points): SampleColumns {
  const out = new SampleColumns(points.length);
  for (const [time, value] of points) out.push(time, value);
  return out;
}

function dedup(replicas: readonly Points[], counter = false): [number, number][] {
  const out = new SampleColumns();
  dedupByPenalty(replicas.map(columns), counter, out);
  return Array.from({ length: out.length }, (_, i) => [out.times[i]!, out.values[i]!]);
}

// Vectors of Thanos' pkg/dedup/iter_test.go.
const vectors: { fact: string; replicas: readonly Points[]; result: Points; counter?: true }[] = [
  {
    fact: 'the first replica is preferred',
    replicas: [
      [
        [10000, 10],
        [20000, 11],
        [30000, 12],
        [40000, 13],
      ],
      [
        [10000, 20],
        [20000, 21],
        [30000, 22],
        [40000, 23],
      ],
    ],
    result: [
      [10000, 10],
      [20000, 11],
      [30000, 12],
      [40000, 13],
    ],
  },
  {
    fact: 'the replica that starts earlier is followed',
    replicas: [
      [
        [10100, 1],
        [20100, 1],
        [30100, 1],
        [40100, 1],
      ],
      [
        [10000, 2],
        [20000, 2],
        [30000, 2],
        [40000, 2],
      ],
    ],
    result: [
      [10000, 2],
      [20000, 2],
      [30000, 2],
      [40000, 2],
    ],
  },
  {
    fact: 'a gap of one interval causes no switch',
    replicas: [
      [
        [10000, 1],
        [20000, 1],
        [40000, 1],
      ],
      [
        [15000, 2],
        [25000, 2],
        [35000, 2],
        [45000, 2],
      ],
    ],
    result: [
      [10000, 1],
      [20000, 1],
      [40000, 1],
    ],
  },
  {
    fact: 'a gap of more than two intervals switches, and the new replica is kept',
    replicas: [
      [
        [10000, 1],
        [20000, 1],
        [30000, 1],
        [60000, 1],
        [70000, 1],
      ],
      [
        [10100, 2],
        [20100, 2],
        [30100, 2],
        [40100, 2],
        [50100, 2],
        [60100, 2],
      ],
    ],
    result: [
      [10000, 1],
      [20000, 1],
      [30000, 1],
      [50100, 2],
      [60100, 2],
    ],
  },
  {
    fact: 'replicas that follow each other are joined',
    replicas: [
      [
        [10000, 1],
        [20000, 2],
      ],
      [
        [60000, 3],
        [70000, 4],
      ],
      [
        [200000, 5],
        [210000, 6],
      ],
      [
        [10000, 1],
        [20000, 2],
      ],
    ],
    result: [
      [10000, 1],
      [20000, 2],
      [60000, 3],
      [70000, 4],
      [200000, 5],
      [210000, 6],
    ],
  },
];

const counterA: Points = [
  [10000, 8],
  [20000, 9],
  [50001, 10],
  [60000, 11],
  [70000, 12],
  [80000, 13],
  [90000, 14],
  [100000, 15],
];
const counterB: Points = [
  [10001, 8],
  [45001, 8.5],
  [55001, 9.5],
  [65001, 10.5],
];

vectors.push(
  {
    fact: 'in counter mode a switch lifts the replica that lags behind',
    replicas: [counterA, counterB],
    counter: true,
    result: [
      [10000, 8],
      [20000, 9],
      [45001, 9],
      [55001, 10],
      [65001, 11],
      [90000, 14],
      [100000, 15],
    ],
  },
  {
    fact: 'without counter mode values stay as they are',
    replicas: [counterA, counterB],
    result: [
      [10000, 8],
      [20000, 9],
      [45001, 8.5],
      [55001, 9.5],
      [65001, 10.5],
      [90000, 14],
      [100000, 15],
    ],
  },
);

test.each(vectors)('$fact', ({ replicas, result, counter }) => {
  expect(dedup(replicas, counter)).toEqual(result);
});

test('in counter mode a second replica that starts earlier and lower is lifted to the first', () => {
  const a: Points = [[11000, 100]];
  const b: Points = [
    [10000, 1],
    [30000, 3],
  ];
  expect(dedup([a, b], true)).toEqual([
    [10000, 100],
    [30000, 102],
  ]);
});

test('replicas without samples change nothing', () => {
  expect(dedup([[], [[1, 1]], []])).toEqual([[1, 1]]);
  expect(dedup([])).toEqual([]);
});

test('stale markers keep their bits, lifted counters included', () => {
  const a = columns([
    [10000, 100],
    [20000, 101],
  ]);
  const b = columns([
    [60000, 1],
    [70000, 0],
    [80000, 3],
  ]);
  setStale(b.values, 1);
  const out = new SampleColumns();
  dedupByPenalty([a, b], true, out);
  expect([...out.times.subarray(0, 5)]).toEqual([10000, 20000, 60000, 70000, 80000]);
  expect(out.values[2]).toBe(101);
  expect(isStaleAt(out.values, 3)).toBe(true);
  expect(out.values[4]).toBe(103);
});
