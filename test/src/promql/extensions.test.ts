import { describe, expect, it } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { shown, storageOf, testEngine } from './fixture.ts';

const MINUTE = 60_000;
const engine = testEngine();

describe('anchored and smoothed ranges', () => {
  const storage = storageOf(MINUTE, 'c_total 0 10 20 5 15 25');
  const at = async (query: string, timeMs: number) =>
    Object.values(shown(await engine.instant(storage, query, { timeMs })))[0];

  it('anchored counts from the last sample before the range', async () => {
    expect(await at('increase(c_total[1m] anchored)', 2 * MINUTE)).toBe(10);
    expect(await at('increase(c_total[3m] anchored)', 4 * MINUTE)).toBe(25);
    expect(await at('resets(c_total[1m] anchored)', 3 * MINUTE)).toBe(1);
  });

  it('smoothed draws lines at the edges', async () => {
    expect(await at('increase(c_total[1m] smoothed)', 1.5 * MINUTE)).toBe(10);
    expect(await at('rate(c_total[1m] smoothed)', 1.5 * MINUTE)).toBeCloseTo(10 / 60, 12);
    expect(await at('c_total smoothed', 1.5 * MINUTE)).toBe(15);
  });

  it('are refused by functions that cannot use them', async () => {
    await expect(at('deriv(c_total[1m] smoothed)', MINUTE)).rejects.toThrow(
      'smoothed modifier can only be used with: delta, increase, rate - not with deriv',
    );
    await expect(at('c_total[1m] anchored', MINUTE)).rejects.toThrow(
      'an anchored or smoothed range has no samples of its own',
    );
  });
});

describe('info()', () => {
  const storage = storageOf(
    MINUTE,
    'm{instance="a", job="j"} 1 2',
    'm{instance="b", job="j"} 3 4',
    'target_info{instance="a", job="j", version="1", zone="x"} 1 _',
    'target_info{instance="a", job="j", version="2", zone="x"} _ 1',
    'build_info{instance="a", job="j", version="9"} 1 1',
  );
  const range = { startMs: 0, endMs: MINUTE, stepMs: MINUTE };
  const ask = async (query: string) => shown(await engine.range(storage, query, range));

  it('adds the labels that hold at each step', async () => {
    expect(await ask('info(m)')).toEqual({
      'm{instance="a", job="j", version="1", zone="x"}': [1],
      'm{instance="a", job="j", version="2", zone="x"}': [2],
      'm{instance="b", job="j"}': [3, 4],
    });
  });

  it('takes the labels that are asked for, and drops what lacks a required one', async () => {
    expect(await ask('info(m, {zone=~".+"})')).toEqual({
      'm{instance="a", job="j", zone="x"}': [1, 2],
    });
  });

  it('refuses labels on which two info metrics disagree', async () => {
    await expect(ask('info(m, {__name__=~".+_info"})')).rejects.toThrow(
      'conflicting label: version',
    );
  });
});

describe('start timestamps', () => {
  const storage = storageOf(MINUTE);
  for (const [i, value] of [10, 30, 60].entries()) {
    const labels = Labels.fromObject({ __name__: 's_total' });
    storage.append(labels, (i + 1) * MINUTE, { kind: 'float', value }, 30_000);
  }
  const at = async (startTimes: boolean) => {
    const result = await testEngine({ startTimes }).instant(storage, 'increase(s_total[5m])', {
      timeMs: 3 * MINUTE,
    });
    return Object.values(shown(result))[0];
  };

  it('count from zero at the start where the engine looks at them', async () => {
    expect(await at(true)).toBe(60);
    expect(await at(false)).toBeCloseTo(50 * 1.2, 12);
  });
});

describe('experimental functions', () => {
  const storage = storageOf(
    MINUTE,
    'a{n="x10"} 1',
    'a{n="x9"} 2',
    'h_bucket{le="1"} 5',
    'h_bucket{le="+Inf"} 10',
  );
  const ask = async (query: string) => shown(await engine.instant(storage, query, { timeMs: 0 }));

  it.each([
    ['sort_by_label(a, "n")', ['a{n="x9"}', 'a{n="x10"}']],
    ['sort_by_label_desc(a, "n")', ['a{n="x10"}', 'a{n="x9"}']],
    ['histogram_quantiles(h_bucket, "q", 0.25, 1)', ['{q="0.25"}', '{q="1.0"}']],
  ])('%s', async (query, expected) => {
    expect(Object.keys(await ask(query))).toEqual(expected);
  });

  it('know the query they are in', async () => {
    const range = { startMs: 60_000, endMs: 180_000, stepMs: 60_000 };
    for (const [query, value] of [
      ['start()', 60],
      ['end()', 180],
      ['step()', 60],
      ['range()', 120],
      ['min_of(step(), 5)', 5],
    ] as const) {
      expect(shown(await engine.range(storage, query, range))).toEqual({
        '{}': [value, value, value],
      });
    }
  });

  it('say where a computed duration is none', async () => {
    await expect(ask('rate(a[step()])')).rejects.toThrow('1:8: duration must be greater than 0');
    await expect(ask('a offset (1 / 0)')).rejects.toThrow('1:11: division by zero');
  });
});
