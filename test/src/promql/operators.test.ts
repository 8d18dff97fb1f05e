import { describe, expect, it } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { labelBytes, labelsFraction } from '../../../src/promql/label-hash.ts';
import { RankHeap } from '../../../src/promql/operators/rank-heap.ts';
import { shown, storageOf, testEngine, testExecution } from './fixture.ts';

const MINUTE = 60_000;
const engine = testEngine();
const storage = storageOf(
  MINUTE,
  'a{x="1", y="1"} 1 2 3',
  'a{x="2", y="1"} 4 5 6',
  'a{x="3", y="2"} 7 NaN 9',
  'b{x="1"} 10 20 30',
  'b{x="2"} 40 50 60',
  'b{x="4"} 70 80 90',
  'info{y="1", name="one"} 1 1 1',
  'info{y="2", name="two"} 1 1 1',
);

async function at(query: string, minutes = 0): Promise<Record<string, number | number[]>> {
  return shown(await engine.instant(storage, query, { timeMs: minutes * MINUTE }));
}

async function problem(query: string): Promise<string> {
  try {
    await at(query);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  return 'no error';
}

describe('aggregations', () => {
  it.each([
    ['sum(a)', { '{}': 12 }],
    ['sum by (y) (a)', { '{y="1"}': 5, '{y="2"}': 7 }],
    ['sum by (y, nope) (a)', { '{y="1"}': 5, '{y="2"}': 7 }],
    ['sum without (x) (a)', { '{y="1"}': 5, '{y="2"}': 7 }],
    ['avg(a)', { '{}': 4 }],
    ['count by (y) (a)', { '{y="1"}': 2, '{y="2"}': 1 }],
    ['group(a)', { '{}': 1 }],
    ['stdvar(a)', { '{}': 6 }],
    ['quantile(0.5, a)', { '{}': 4 }],
    ['topk(1, a) by (y)', { 'a{x="2", y="1"}': 4, 'a{x="3", y="2"}': 7 }],
    ['bottomk(2, a)', { 'a{x="1", y="1"}': 1, 'a{x="2", y="1"}': 4 }],
    ['count_values("v", a > 3)', { '{v="4"}': 1, '{v="7"}': 1 }],
    ['count(limitk(2, a))', { '{}': 2 }],
    ['limit_ratio(1, a) - a', { '{x="1", y="1"}': 0, '{x="2", y="1"}': 0, '{x="3", y="2"}': 0 }],
  ])('%s', async (query, expected) => {
    expect(await at(query)).toEqual(expected);
  });

  it('lets any number win over NaN in min, max, topk and bottomk', async () => {
    expect(await at('max(a)', 1)).toEqual({ '{}': 5 });
    expect(await at('min(a)', 1)).toEqual({ '{}': 2 });
    expect(Object.values(await at('topk(3, a)', 1))).toEqual([5, 2, Number.NaN]);
  });

  it('says so where k is no number', async () => {
    expect(await problem('topk(NaN, a)')).toBe('Parameter value is NaN');
    expect(await problem('topk(1e30, a)')).toBe('Scalar value 1e+30 overflows int64');
  });
});

describe('vector matching', () => {
  it.each([
    ['a + on(x) b', { '{x="1"}': 11, '{x="2"}': 44 }],
    ['a + ignoring(y) b', { '{x="1"}': 11, '{x="2"}': 44 }],
    ['a > on(x) b / 20', { '{x="1"}': 1, '{x="2"}': 4 }],
    ['b > ignoring(y) a', { 'b{x="1"}': 10, 'b{x="2"}': 40 }],
    ['a == bool on(x) b', { '{x="1"}': 0, '{x="2"}': 0 }],
    [
      'a * on(y) group_left(name) info',
      {
        '{name="one", x="1", y="1"}': 1,
        '{name="one", x="2", y="1"}': 4,
        '{name="two", x="3", y="2"}': 7,
      },
    ],
    [
      'info * on(y) group_right a',
      { '{x="1", y="1"}': 1, '{x="2", y="1"}': 4, '{x="3", y="2"}': 7 },
    ],
    ['a + on(x) fill_right(0) b', { '{x="1"}': 11, '{x="2"}': 44, '{x="3"}': 7 }],
    ['2 * b', { '{x="1"}': 20, '{x="2"}': 80, '{x="4"}': 140 }],
    ['50 < b', { 'b{x="4"}': 70 }],
    ['b >= bool 40', { '{x="1"}': 0, '{x="2"}': 1, '{x="4"}': 1 }],
    ['a and on(x) b', { 'a{x="1", y="1"}': 1, 'a{x="2", y="1"}': 4 }],
    ['a unless on(x) b', { 'a{x="3", y="2"}': 7 }],
    ['b{x="1"} or on(x) a', { 'b{x="1"}': 10, 'a{x="2", y="1"}': 4, 'a{x="3", y="2"}': 7 }],
  ])('%s', async (query, expected) => {
    expect(await at(query)).toEqual(expected);
  });

  it.each([
    [
      'b + on(nope) b',
      'found duplicate series for the match group {} on the right hand-side of the operation: [b{x="1"}, b{x="2"}];many-to-many matching not allowed: matching labels must be unique on one side',
    ],
    [
      'a + on(y) info',
      'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
    ],
  ])('%s: %s', async (query, expected) => {
    expect(await problem(query)).toBe(expected);
  });

  it('does not mind duplicates where the other side has nothing', async () => {
    expect(await at('nothing + on(nope) b')).toEqual({});
  });

  it('joins what comes from different series at different times', async () => {
    const shifting = storageOf(
      MINUTE,
      'p{i="1"} 1 _x9',
      'p{i="2"} _x6 2',
      'q 10 10 10 10 10 10 10',
    );
    const range = { startMs: 0, endMs: 6 * MINUTE, stepMs: 6 * MINUTE };
    const result = await engine.range(shifting, 'p + on() q', range);
    expect(shown(result)).toEqual({ '{}': [11, 12] });
  });
});

describe('the heap of topk', () => {
  it('keeps the best with NaN last', async () => {
    const heap = new RankHeap(3, 1);
    for (const [id, value] of [Number.NaN, 5, 1, 9, 5, 7].entries()) {
      if (heap.accepts(value)) heap.add(value, id);
    }
    expect(await heap.ranked(testExecution())).toEqual([
      { id: 3, value: 9 },
      { id: 5, value: 7 },
      { id: 1, value: 5 },
    ]);
  });

  it('accepts nothing where nothing is wanted', () => {
    expect(new RankHeap(0, 1).accepts(1)).toBe(false);
  });
});

describe('the hash of limit_ratio', () => {
  it('covers names and values with their lengths in front', () => {
    const labels = Labels.fromObject({ a: 'bc', long: 'x'.repeat(300) });
    expect([...labelBytes(labels).subarray(0, 14)]).toEqual([
      1, 97, 2, 98, 99, 4, 108, 111, 110, 103, 255, 44, 1, 0,
    ]);
  });

  it('spreads label sets over 0…1', () => {
    const fractions = Array.from({ length: 1000 }, (_, i) =>
      labelsFraction(Labels.fromObject({ __name__: 'm', i: String(i) })),
    );
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    expect(fractions.filter(f => f < 0.5).length).toBeGreaterThan(400);
    expect(fractions.filter(f => f < 0.5).length).toBeLessThan(600);
  });
});
