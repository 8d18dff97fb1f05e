// What a store promises that takes samples older than their series' newest, within a window of 10 minutes.
// The store is empty, its clock stands at NOW and its blocks are of two hours.

import { afterEach, describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import type { Appender, CommitResult, RefusalReason } from '../../src/storage/appender.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { NOW, type WritableStore } from './appender.ts';

const STALE = 0x7ff0000000000002n;
const QUIET_NAN = 0x7ff8000000000001n;
const ZERO = 0n;
const MINUS_ZERO = 0x8000000000000000n;
const ONE = 0x3ff0000000000000n;
const TWO = 0x4000000000000000n;

/** Offset in s from NOW, and the value's bits. */
type Row = readonly [offset: number, bits: bigint];

interface Expected {
  readonly stored: number;
  readonly refused: Partial<Record<RefusalReason, number>>;
  readonly read: readonly Row[];
}

// Each row: what is stored, what is appended then, what becomes of it and what is read afterwards.
const JUDGEMENTS: readonly (readonly [string, readonly Row[], readonly Row[], Expected])[] = [
  [
    'an older sample in the window',
    [[-10, ONE]],
    [[-20, TWO]],
    {
      stored: 1,
      refused: {},
      read: [
        [-20, TWO],
        [-10, ONE],
      ],
    },
  ],
  [
    'a sample at the very start of the window',
    [[-10, ONE]],
    [[-610, TWO]],
    {
      stored: 1,
      refused: {},
      read: [
        [-610, TWO],
        [-10, ONE],
      ],
    },
  ],
  [
    'a sample just before the window',
    [[-10, ONE]],
    [[-610.001, TWO]],
    { stored: 0, refused: { 'too-old': 1 }, read: [[-10, ONE]] },
  ],
  [
    'a sample that is there out of order, again',
    [
      [-10, ONE],
      [-20, TWO],
    ],
    [[-20, TWO]],
    {
      stored: 1,
      refused: {},
      read: [
        [-20, TWO],
        [-10, ONE],
      ],
    },
  ],
  [
    'another value at the time of a sample that is there out of order',
    [
      [-10, ONE],
      [-20, TWO],
    ],
    [[-20, ONE]],
    {
      stored: 0,
      refused: { 'duplicate-sample': 1 },
      read: [
        [-20, TWO],
        [-10, ONE],
      ],
    },
  ],
  [
    'a sample that is there in order and not the newest, again',
    [
      [-20, TWO],
      [-10, ONE],
    ],
    [[-20, TWO]],
    {
      stored: 1,
      refused: {},
      read: [
        [-20, TWO],
        [-10, ONE],
      ],
    },
  ],
  [
    'another value at the time of a sample that is there in order',
    [
      [-20, ZERO],
      [-10, ONE],
    ],
    [[-20, MINUS_ZERO]],
    {
      stored: 0,
      refused: { 'duplicate-sample': 1 },
      read: [
        [-20, ZERO],
        [-10, ONE],
      ],
    },
  ],
  [
    'staleness markers and NaN out of order, by their bits',
    [[-10, ONE]],
    [
      [-20, STALE],
      [-30, QUIET_NAN],
      [-20, STALE],
      [-30, STALE],
    ],
    {
      stored: 3,
      refused: { 'duplicate-sample': 1 },
      read: [
        [-30, QUIET_NAN],
        [-20, STALE],
        [-10, ONE],
      ],
    },
  ],
  [
    'a batch whose samples meet each other',
    [[-10, ONE]],
    [
      [-20, TWO],
      [-5, ONE],
      [-4, ONE],
      [-20, TWO],
      [-20, ONE],
      [-5, ONE],
      [-5, TWO],
      [-700, TWO],
      [-30, TWO],
    ],
    {
      stored: 6,
      refused: { 'duplicate-sample': 2, 'too-old': 1 },
      read: [
        [-30, TWO],
        [-20, TWO],
        [-10, ONE],
        [-5, ONE],
        [-4, ONE],
      ],
    },
  ],
  [
    'a first batch that is out of order in itself',
    [],
    [
      [-10, ONE],
      [-20, TWO],
      [-611, TWO],
    ],
    {
      stored: 2,
      refused: { 'too-old': 1 },
      read: [
        [-20, TWO],
        [-10, ONE],
      ],
    },
  ],
];

const UP = Labels.fromObject({ __name__: 'up', job: 'a' });

/** Runs the suite against one kind of store. */
export function testOutOfOrderAppender(name: string, newStore: () => Promise<WritableStore>): void {
  const open: WritableStore[] = [];
  const make = async (): Promise<WritableStore['store']> => {
    const made = await newStore();
    open.push(made);
    return made.store;
  };
  afterEach(async () => {
    for (const made of open.splice(0)) await made.close();
  });
  describe(`${name} as an appender of samples out of order`, () => {
    it.each(JUDGEMENTS)(
      'judges %s',
      async (_, before, rows, { stored, refused, read: samples }) => {
        const store = await make();
        for (const row of before) await add(store, [row]);
        const result = await add(store, rows);
        expect({ stored: result.stored, refused: Object.fromEntries(result.refused) }).toEqual({
          stored,
          refused,
        });
        expect(await read(store)).toEqual(samples);
      },
    );

    it('refuses the staleness marker of a series that has come back', async () => {
      const store = await make();
      await add(store, [[-10, ONE]]);
      const appender = store.appender();
      const ref = appender.series(UP);
      appender.appendStale(ref, NOW - 20_000);
      appender.appendStale(ref, NOW - 900_000);
      const { stored, refused } = await appender.commit();
      expect([stored, Object.fromEntries(refused)]).toEqual([0, { 'out-of-order': 2 }]);
      expect(await read(store)).toEqual([[-10, ONE]]);
      expect((await stale(store, -5)).stored).toBe(1);
      expect(await read(store)).toEqual([
        [-10, ONE],
        [-5, STALE],
      ]);
    });

    it('measures the window from the newest sample of any series', async () => {
      const store = await make();
      await add(store, [[-1200, ONE]]);
      await add(store, [[-300, ONE]], UP.with('job', 'b'));
      const { stored, refused } = await add(store, [
        [-1300, TWO],
        [-1100, TWO],
      ]);
      expect([stored, Object.fromEntries(refused)]).toEqual([1, { 'too-old': 1 }]);
    });

    it('takes the first sample of a series up to an hour back, as without a window', async () => {
      const store = await make();
      await add(store, [[0, ONE]]);
      const [old, older] = [UP.with('job', 'b'), UP.with('job', 'c')];
      expect((await add(store, [[-3600, ONE]], old)).stored).toBe(1);
      const { refused } = await add(store, [[-3600.001, ONE]], older);
      expect(Object.fromEntries(refused)).toEqual({ 'too-old': 1 });
    });

    it('gives examples of what it refuses', async () => {
      const store = await make();
      await add(store, [[0, ONE]]);
      const { examples } = await add(store, [[-900, ONE]]);
      expect(examples).toMatchObject([{ reason: 'too-old', time: NOW - 900_000 }]);
      expect(examples[0]!.labels.equals(UP)).toBe(true);
    });

    it('keeps hundreds of samples that come backwards, each once', async () => {
      const store = await make();
      await add(store, [[0, ONE]]);
      const backwards = Array.from({ length: 599 }, (_, i): Row => [-1 - i, BigInt(i)]);
      for (let from = 0; from < backwards.length; from += 7) {
        const { stored } = await add(store, backwards.slice(from, from + 7));
        expect(stored).toBe(Math.min(7, backwards.length - from));
      }
      expect((await add(store, backwards)).stored).toBe(backwards.length);
      expect(await read(store)).toEqual([...backwards.reverse(), [0, ONE]]);
    });
  });
}

async function add(
  store: WritableStore['store'],
  rows: readonly Row[],
  labels = UP,
): Promise<CommitResult> {
  const appender = store.appender();
  queue(appender, rows, labels);
  return await appender.commit();
}

function queue(appender: Appender, rows: readonly Row[], labels: Labels): void {
  const refs = new Uint32Array(rows.length).fill(appender.series(labels));
  const times = Float64Array.from(rows, ([offset]) => NOW + offset * 1000);
  const values = new Float64Array(BigUint64Array.from(rows, ([, bits]) => bits).buffer);
  if (rows.length > 0) appender.appendColumns(refs, times, values, rows.length);
}

async function stale(store: WritableStore['store'], offset: number): Promise<CommitResult> {
  const appender = store.appender();
  appender.appendStale(appender.series(UP), NOW + offset * 1000);
  return await appender.commit();
}

/** Bits of all samples of a series, by offset in s from NOW. */
async function read(store: WritableStore['store'], labels = UP): Promise<Row[]> {
  const querier = store.querier(NOW - 1e9, NOW + 1e9);
  try {
    const matchers = [...labels].map(([name, value]) => new Matcher('=', name, value));
    const set = await querier.select(matchers);
    const columns = new SampleColumns();
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) series.samples(columns);
    }
    const bits = new BigUint64Array(columns.values.buffer);
    return Array.from({ length: columns.length }, (_, i) => [
      (columns.times[i]! - NOW) / 1000,
      bits[i]!,
    ]);
  } finally {
    querier.close();
  }
}
