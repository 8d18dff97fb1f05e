// What a store promises that takes native histograms older than their series' newest sample, within a window
// of 10 minutes. The store is empty, its clock stands at NOW and its blocks are of two hours.

import { afterEach, describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import type { CommitResult, RefusalReason } from '../../src/storage/appender.ts';
import type { CounterResetHint, FloatHistogram } from '../../src/storage/histogram.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { isStaleAt, setStale } from '../../src/storage/stale.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { NOW, type WritableStore } from './appender.ts';

const UP = Labels.fromObject({ __name__: 'up', job: 'a' });

/** A float, a staleness marker, a histogram with so many observations, or one of one's own. */
type Sample = number | 'marker' | `h${number}` | FloatHistogram;

/** Offset in s from NOW. */
type Row = readonly [offset: number, sample: Sample];

function counted(count: number, changes: Partial<FloatHistogram> = {}): FloatHistogram {
  return histogram({
    schema: 1,
    count,
    sum: count / 2,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    integer: true,
    ...changes,
  });
}

function histogramOf(sample: `h${number}` | FloatHistogram): FloatHistogram {
  return typeof sample === 'string' ? counted(Number(sample.slice(1))) : sample;
}

interface Expected {
  readonly stored: number;
  readonly histograms: number;
  readonly refused: Partial<Record<RefusalReason, number>>;
  readonly read: readonly (readonly [number, Sample])[];
}

// Each row: what is stored, what is appended then, what becomes of it and what is read afterwards.
const JUDGEMENTS: readonly (readonly [string, readonly Row[], readonly Row[], Expected])[] = [
  [
    'an older histogram in the window',
    [[-10, 'h2']],
    [[-20, 'h1']],
    {
      stored: 1,
      histograms: 1,
      refused: {},
      read: [
        [-20, 'h1'],
        [-10, 'h2'],
      ],
    },
  ],
  [
    'a histogram just before the window',
    [[-10, 'h2']],
    [[-610.001, 'h1']],
    { stored: 0, histograms: 0, refused: { 'too-old': 1 }, read: [[-10, 'h2']] },
  ],
  [
    'a histogram older than a float, the first of its series',
    [[-10, 5]],
    [[-20, 'h1']],
    {
      stored: 1,
      histograms: 1,
      refused: {},
      read: [
        [-20, 'h1'],
        [-10, 5],
      ],
    },
  ],
  [
    'a float and a marker older than histograms',
    [[-10, 'h2']],
    [
      [-20, 7],
      [-30, 'marker'],
    ],
    {
      stored: 2,
      histograms: 0,
      refused: {},
      read: [
        [-30, 'marker'],
        [-20, 7],
        [-10, 'h2'],
      ],
    },
  ],
  [
    'histograms that are there out of order, again and otherwise',
    [
      [-10, 'h9'],
      [-20, 'h2'],
      [-30, 'h1'],
    ],
    [
      [-20, 'h2'],
      [-30, 'h7'],
      [-20, 1],
    ],
    {
      stored: 1,
      histograms: 1,
      refused: { 'duplicate-sample': 2 },
      read: [
        [-30, 'h1'],
        [-20, 'h2'],
        [-10, 'h9'],
      ],
    },
  ],
  [
    'histograms that are there in order, again and otherwise',
    [
      [-30, 'h1'],
      [-20, 'h2'],
      [-10, 3],
    ],
    [
      [-20, 'h2'],
      [-30, 'h2'],
      [-30, 4],
    ],
    {
      stored: 1,
      histograms: 1,
      refused: { 'duplicate-sample': 2 },
      read: [
        [-30, 'h1'],
        [-20, 'h2'],
        [-10, 3],
      ],
    },
  ],
  [
    'a histogram again whose chunk has got more buckets since',
    [
      [-30, 'h1'],
      [
        -20,
        counted(5, {
          positiveSpans: [{ offset: 0, length: 2 }],
          positiveBuckets: Float64Array.of(2, 3),
        }),
      ],
    ],
    [[-30, 'h1']],
    {
      stored: 1,
      histograms: 1,
      refused: {},
      read: [
        [-30, 'h1'],
        [-20, 'h5'],
      ],
    },
  ],
  [
    'a batch whose samples meet each other',
    [[-10, 'h5']],
    [
      [-20, 'h2'],
      [-5, 'h6'],
      [-4, 8],
      [-20, 'h2'],
      [-20, 'h3'],
      [-20, 3],
      [-5, 'h6'],
      [-5, 'h7'],
      [-30, 4],
      [-30, 'h4'],
    ],
    {
      stored: 6,
      histograms: 4,
      refused: { 'duplicate-sample': 4 },
      read: [
        [-30, 4],
        [-20, 'h2'],
        [-10, 'h5'],
        [-5, 'h6'],
        [-4, 8],
      ],
    },
  ],
  [
    'a first batch that is out of order in itself',
    [],
    [
      [-10, 'h2'],
      [-20, 'h1'],
      [-611, 'h1'],
    ],
    {
      stored: 2,
      histograms: 2,
      refused: { 'too-old': 1 },
      read: [
        [-20, 'h1'],
        [-10, 'h2'],
      ],
    },
  ],
  [
    'a broken histogram',
    [[-10, 'h2']],
    [[-20, counted(2, { count: 3 })]],
    { stored: 0, histograms: 0, refused: { 'invalid-histogram': 1 }, read: [[-10, 'h2']] },
  ],
];

/** Runs the suite against one kind of store. */
export function testOutOfOrderHistograms(
  name: string,
  newStore: () => Promise<WritableStore>,
): void {
  const open: WritableStore[] = [];
  const make = async (): Promise<WritableStore['store']> => {
    const made = await newStore();
    open.push(made);
    return made.store;
  };
  afterEach(async () => {
    for (const made of open.splice(0)) await made.close();
  });
  describe(`${name} as an appender of histograms out of order`, () => {
    it.each(JUDGEMENTS)('judges %s', async (_, before, rows, expected) => {
      const store = await make();
      for (const row of before) expect((await add(store, [row])).stored).toBe(1);
      const { stored, histograms, refused } = await add(store, rows);
      const counts = { stored, histograms, refused: Object.fromEntries(refused) };
      expect({ ...counts, read: await read(store) }).toEqual(expected);
    });

    it('keeps hundreds of histograms that come backwards, each once', async () => {
      const store = await make();
      await add(store, [[0, 'h9999']]);
      const backwards = Array.from({ length: 300 }, (_, i): Row => [-1 - i, `h${9000 - i}`]);
      for (let from = 0; from < backwards.length; from += 7) {
        const batch = backwards.slice(from, from + 7);
        expect((await add(store, batch)).stored).toBe(batch.length);
      }
      expect((await add(store, backwards)).histograms).toBe(300);
      expect(await read(store)).toEqual([...backwards.reverse(), [0, 'h9999']]);
    });

    it('keeps everything of histograms that differ in schema, kind and bounds', async () => {
      const store = await make();
      const custom = { schema: -53, customValues: Float64Array.of(0.1, 2.5) };
      const samples = [
        counted(1),
        counted(2, { schema: 3 }),
        histogram({ ...counted(3), integer: false, zeroThreshold: 0.25, sum: -1.5 }),
        counted(4, custom),
        histogram({ ...counted(5, custom), integer: false }),
        counted(6, { counterResetHint: 'gauge' }),
        counted(2, { counterResetHint: 'gauge' }),
      ];
      await add(store, [[0, 1]]);
      // Five times as many as a buffer holds.
      const rows = Array.from({ length: 160 }, (_, i): Row => {
        return [-1 - ((i * 37) % 160), samples[i % samples.length]!];
      });
      for (const row of rows) expect((await add(store, [row])).stored).toBe(1);
      const columns = await columnsOf(store);
      expect(columns.length).toBe(161);
      for (const [offset, sample] of rows) {
        const at = columns.times.indexOf(NOW + offset * 1000);
        const { counterResetHint: hint, integer, ...found } = columns.histograms![at]!;
        const { counterResetHint: sent, integer: kind, ...rest } = sample as FloatHistogram;
        expect(found).toEqual(rest);
        expect([hint === 'gauge', integer ?? false]).toEqual([sent === 'gauge', kind ?? false]);
      }
    });

    it('says of no histogram whose neighbour came late that no reset came before it', async () => {
      const store = await make();
      await add(store, [
        [-60, 'h10'],
        [-40, 'h20'],
        [-20, 'h30'],
      ]);
      await add(store, [
        [-50, 'h2'],
        [-45, 'h4'],
        [-30, counted(25, { counterResetHint: 'not-reset' })],
      ]);
      expect(await hints(store)).toEqual([
        [-60, 'unknown'],
        [-50, 'unknown'],
        [-45, 'unknown'],
        [-40, 'unknown'],
        [-30, 'unknown'],
        [-20, 'unknown'],
      ]);
    });

    it('shows a selection what was there when it was made', async () => {
      const store = await make();
      await add(store, [[0, 'h100']]);
      await add(store, [[-10, 'h1']]);
      const querier = store.querier(NOW - 1e9, NOW);
      const set = await querier.select([new Matcher('=', '__name__', 'up')]);
      for (let i = 0; i < 70; i++) await add(store, [[-11 - i, 'h1']]);
      const columns = new SampleColumns();
      for (const series of (await set.next())!) series.samples(columns);
      querier.close();
      expect([...columns.times.subarray(0, columns.length)]).toEqual([NOW - 10_000, NOW]);
    });
  });
}

async function add(store: WritableStore['store'], rows: readonly Row[]): Promise<CommitResult> {
  const appender = store.appender();
  const ref = appender.series(UP);
  for (const [offset, sample] of rows) {
    const time = NOW + offset * 1000;
    if (typeof sample === 'number') appender.append(ref, time, sample);
    else if (sample === 'marker') {
      const value = new Float64Array(1);
      setStale(value, 0);
      appender.appendColumns(Uint32Array.of(ref), Float64Array.of(time), value, 1);
    } else appender.appendHistogram(ref, time, histogramOf(sample));
  }
  return await appender.commit();
}

async function columnsOf(store: WritableStore['store']): Promise<SampleColumns> {
  const querier = store.querier(NOW - 1e9, NOW + 1e9);
  const columns = new SampleColumns();
  try {
    const set = await querier.select([new Matcher('=', '__name__', 'up')]);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) series.samples(columns);
    }
  } finally {
    querier.close();
  }
  return columns;
}

async function read(store: WritableStore['store']): Promise<[number, Sample][]> {
  const columns = await columnsOf(store);
  return Array.from({ length: columns.length }, (_, i) => {
    const found = columns.histograms?.[i];
    const marker = isStaleAt(columns.values, i);
    const sample = found ? (`h${found.count}` as const) : marker ? 'marker' : columns.values[i]!;
    return [(columns.times[i]! - NOW) / 1000, sample];
  });
}

async function hints(store: WritableStore['store']): Promise<[number, CounterResetHint][]> {
  const columns = await columnsOf(store);
  return Array.from({ length: columns.length }, (_, i) => [
    (columns.times[i]! - NOW) / 1000,
    columns.histograms![i]!.counterResetHint,
  ]);
}
