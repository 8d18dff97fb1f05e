import { describe, expect, it } from 'vitest';
import type { BlockMeta } from '../../../../src/tsdb/block/meta.ts';
import { compactionRanges, planCompaction } from '../../../../src/tsdb/compact/plan.ts';
import { planRetention } from '../../../../src/tsdb/compact/retention.ts';

interface Options {
  readonly failed?: boolean;
  readonly deletable?: boolean;
  readonly series?: number;
  readonly tombstones?: number;
  readonly hints?: readonly string[];
  readonly parents?: readonly string[];
}

/** A block that covers from ≤ t < to and is named so. */
function block(minTime: number, maxTime: number, options: Options = {}): BlockMeta {
  return {
    ulid: `${minTime}-${maxTime}`,
    minTime,
    maxTime,
    stats: {
      numSamples: 0,
      numFloatSamples: 0,
      numHistogramSamples: 0,
      numSeries: options.series ?? 100,
      numChunks: 0,
      numTombstones: options.tombstones ?? 0,
    },
    compaction: {
      level: 1,
      sources: [],
      parents: (options.parents ?? []).map(ulid => ({ ulid, minTime: 0, maxTime: 0 })),
      hints: options.hints ?? [],
      deletable: options.deletable ?? false,
      failed: options.failed ?? false,
    },
    rest: {},
  };
}

const RANGES = [20, 60, 180, 540, 1620];
const STALE = { hints: ['from-stale-series'] };
const LATE = { hints: ['from-out-of-order'] };

const COMPACTION_TABLE: readonly [string, readonly BlockMeta[], readonly string[]][] = [
  ['nothing', [], []],
  [
    'samples out of order with the block they overlap',
    [block(0, 20), block(0, 20, LATE), block(20, 40)],
    ['0-20', '0-20'],
  ],
  [
    'no samples out of order beyond the newest block in order, for its size',
    [block(0, 20), block(20, 40), block(40, 60, LATE), block(60, 80, LATE)],
    [],
  ],
  [
    'no samples out of order that reach beyond the newest block in order, though they overlap it',
    [block(0, 20), block(20, 40), block(20, 60, LATE)],
    [],
  ],
  [
    'samples out of order with each other, beyond the newest block in order',
    [block(0, 20), block(20, 40, LATE), block(20, 40, LATE)],
    ['20-40', '20-40'],
  ],
  ['a single block', [block(0, 20)], []],
  ['two blocks that do not fill a range yet', [block(0, 20), block(20, 40)], []],
  [
    'three blocks, of which the newest is left alone',
    [block(0, 20), block(20, 40), block(40, 60)],
    [],
  ],
  [
    'a range once a block after it is there',
    [block(0, 20), block(20, 40), block(40, 60), block(60, 80)],
    ['0-20', '20-40', '40-60'],
  ],
  [
    'a range with a gap, once the newest old block is behind it',
    [block(0, 20), block(40, 60), block(60, 80), block(80, 100)],
    ['0-20', '40-60'],
  ],
  [
    'blocks given in any order',
    [block(60, 80), block(40, 60), block(20, 40), block(0, 20)],
    ['0-20', '20-40', '40-60'],
  ],
  [
    'the smaller range first',
    [
      block(0, 60),
      block(60, 120),
      block(120, 180),
      block(180, 200),
      block(200, 220),
      block(220, 240),
      block(240, 260),
    ],
    ['180-200', '200-220', '220-240'],
  ],
  [
    'the next level',
    [block(0, 60), block(60, 120), block(120, 180), block(180, 240), block(240, 260)],
    ['0-60', '60-120', '120-180'],
  ],
  [
    'not across a boundary',
    [block(0, 20), block(20, 40), block(60, 80), block(80, 100), block(120, 140), block(140, 160)],
    ['0-20', '20-40'],
  ],
  [
    'ranges before the epoch',
    [block(-60, -40), block(-40, -20), block(-20, 0), block(0, 20), block(20, 40)],
    ['-60--40', '-40--20', '-20-0'],
  ],
  [
    'no range with a block that failed',
    [block(0, 20), block(20, 40, { failed: true }), block(40, 60), block(60, 80)],
    [],
  ],
  [
    'overlapping blocks before anything else',
    [block(0, 20), block(20, 40), block(40, 60), block(60, 80), block(70, 90)],
    ['60-80', '70-90'],
  ],
  [
    'all of a run of overlaps',
    [block(0, 20), block(19, 40), block(30, 35), block(39, 60), block(60, 80)],
    ['0-20', '19-40', '30-35', '39-60'],
  ],
  [
    'blocks that lie within another',
    [block(0, 100), block(10, 20), block(50, 60), block(100, 120)],
    ['0-100', '10-20', '50-60'],
  ],
  [
    'no overlap that failed, but the next one',
    [block(0, 20), block(10, 20, { failed: true }), block(40, 60), block(50, 60)],
    ['40-60', '50-60'],
  ],
  ['blocks that only touch are no overlap', [block(0, 20), block(20, 40)], []],
  [
    'a large block with many deletions',
    [block(0, 180, { tombstones: 6 }), block(180, 200)],
    ['0-180'],
  ],
  ['not a large block with few deletions', [block(0, 180, { tombstones: 5 }), block(180, 200)], []],
  ['not a small block with many deletions', [block(0, 60, { tombstones: 50 }), block(60, 80)], []],
  [
    'a small block that is deleted entirely',
    [block(0, 60, { tombstones: 100 }), block(60, 80)],
    ['0-60'],
  ],
  [
    'not the newest block, whatever is deleted',
    [block(0, 60), block(60, 80, { tombstones: 100 })],
    [],
  ],
  ['partial views apart from whole ones', [block(0, 20), block(0, 20, STALE), block(20, 40)], []],
  [
    'partial views that overlap each other',
    [block(0, 20), block(0, 21, STALE), block(10, 22, STALE)],
    ['0-21', '10-22'],
  ],
];

describe('planCompaction', () => {
  it.each(COMPACTION_TABLE)('plans %s', (_, metas, expected) => {
    const before = metas.map(({ ulid }) => ulid);
    expect(planCompaction(metas, RANGES).map(({ ulid }) => ulid)).toEqual(expected);
    expect(metas.map(({ ulid }) => ulid)).toEqual(before);
  });

  it('joins nothing for its size with one range alone', () => {
    const metas = [block(0, 20), block(20, 40), block(40, 60), block(60, 80)];
    expect(planCompaction(metas, [20])).toEqual([]);
  });

  it('has ranges of powers of three up to the largest', () => {
    const hour = 3_600_000;
    expect(compactionRanges(2 * hour, 36 * hour)).toEqual([2 * hour, 6 * hour, 18 * hour]);
    expect(compactionRanges(2 * hour, 31 * 24 * hour).map(ms => ms / hour)).toEqual([
      2, 6, 18, 54, 162, 486,
    ]);
    expect(compactionRanges(2 * hour, hour)).toEqual([2 * hour]);
  });
});

describe('planRetention', () => {
  const FOUR = [block(0, 20), block(20, 40), block(40, 60), block(60, 80)].map(meta => ({
    meta,
    sizeBytes: 100,
  }));

  it.each([
    ['nothing without limits', 0, 0, 0, []],
    ['nothing that is young enough', 61, 0, 0, []],
    ['what ends a whole retention before the newest block', 60, 0, 0, ['0-20 time']],
    [
      'all but the newest, however short the retention',
      1,
      0,
      0,
      ['40-60 time', '20-40 time', '0-20 time'],
    ],
    ['nothing that fits', 0, 400, 0, []],
    ['the oldest that do not fit', 0, 399, 0, ['0-20 size']],
    ['what does not fit beside head and log', 0, 400, 101, ['20-40 size', '0-20 size']],
    [
      'everything where not even the newest fits',
      0,
      50,
      0,
      ['60-80 size', '40-60 size', '20-40 size', '0-20 size'],
    ],
    ['by whichever limit comes first', 60, 250, 0, ['20-40 size', '0-20 time']],
  ])('deletes %s', (_, retentionMs, retentionBytes, otherBytes, expected) => {
    const planned = planRetention(FOUR, { retentionMs, retentionBytes, otherBytes });
    expect(planned.map(({ ulid, reason }) => `${ulid} ${reason}`)).toEqual(expected);
  });

  it('deletes what compaction left empty or replaced, and does not count it', () => {
    const blocks = [
      { meta: block(0, 60, { parents: ['0-20', '20-60'] }), sizeBytes: 100 },
      { meta: block(0, 20), sizeBytes: 1000 },
      { meta: block(20, 60), sizeBytes: 1000 },
      { meta: block(60, 80, { deletable: true }), sizeBytes: 1000 },
    ];
    const planned = planRetention(blocks, { retentionMs: 0, retentionBytes: 100 });
    expect(planned.map(({ ulid, reason }) => `${ulid} ${reason}`)).toEqual([
      '0-20 superseded',
      '20-60 superseded',
      '60-80 superseded',
    ]);
  });
});
