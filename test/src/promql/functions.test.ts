import { describe, expect, it } from 'vitest';
import { HISTOGRAM_PARTS } from '../../../src/promql/functions/histogram.ts';
import { MATH } from '../../../src/promql/functions/math.ts';
import { RANGE_FUNCTIONS } from '../../../src/promql/functions/range-functions.ts';
import { SIGNATURES } from '../../../src/promql/functions/signatures.ts';
import { DATE_PARTS } from '../../../src/promql/functions/time.ts';
import { shown, storageOf, testEngine } from './fixture.ts';

const MINUTE = 60_000;
const engine = testEngine();
const storage = storageOf(
  MINUTE,
  'c_total{x="1"} 0+60x10',
  'c_total{x="2"} 100 160 20 80 140 200 260 320 380 440 500',
  'g{x="1"} 3 1 4 1 5 9 2 6 5 3 5',
  'd -1.5',
  'big 1e300x10',
  'h_bucket{le="1"} 10',
  'h_bucket{le="2"} 30',
  'h_bucket{le="+Inf"} 40',
  't 1709210096',
);

async function at(query: string, minutes = 10): Promise<Record<string, number | number[]>> {
  return shown(await engine.instant(storage, query, { timeMs: minutes * MINUTE }));
}

async function only(query: string, minutes = 10): Promise<number> {
  const values = Object.values(await at(query, minutes));
  expect(values).toHaveLength(1);
  return values[0] as number;
}

describe('counters', () => {
  it.each([
    ['rate(c_total{x="1"}[5m])', 1],
    ['increase(c_total{x="1"}[5m])', 300],
    ['increase(c_total{x="1"}[20m])', 600],
    ['delta(g[4m])', 5 - 6 + (5 - 6) / 3],
    ['irate(c_total{x="1"}[5m])', 1],
    ['idelta(g[5m])', 2],
    ['resets(c_total{x="2"}[20m])', 1],
    ['changes(g[20m])', 10],
  ])('%s is %d', async (query, expected) => {
    expect(await only(query)).toBeCloseTo(expected, 9);
  });

  it('adds what a reset took away', async () => {
    // 100 → 160, reset, → 500: 60 + 500, stretched over a minute before the first sample.
    expect(await only('increase(c_total{x="2"}[11m])')).toBeCloseTo(560 * 1.1, 9);
  });

  it('needs two samples', async () => {
    expect(await at('rate(c_total[59s])')).toEqual({});
  });
});

describe('over time', () => {
  it.each([
    ['sum_over_time(g[5m])', 21],
    ['avg_over_time(g[5m])', 4.2],
    ['min_over_time(g[5m])', 2],
    ['max_over_time(g[5m])', 6],
    ['count_over_time(g[5m])', 5],
    ['stdvar_over_time(g[5m])', 2.16],
    ['stddev_over_time(g[5m])', Math.sqrt(2.16)],
    ['quantile_over_time(0.5, g[5m])', 5],
    ['quantile_over_time(0.25, g[4m])', 4.5],
    ['last_over_time(g[5m])', 5],
    ['first_over_time(g[5m])', 2],
    ['present_over_time(g[5m])', 1],
    ['mad_over_time(g[5m])', 1],
    ['ts_of_max_over_time(g[20m])', 300],
    ['ts_of_min_over_time(g[20m])', 180],
    ['avg_over_time(big[10m])', 1e300],
    ['deriv(c_total{x="1"}[5m])', 1],
    ['predict_linear(c_total{x="1"}[5m], 60)', 660],
    ['double_exponential_smoothing(c_total{x="1"}[5m], 0.5, 0.5)', 600],
  ])('%s is %d', async (query, expected) => {
    expect(await only(query)).toBeCloseTo(expected, 6);
  });

  it('warns of a quantile out of range', async () => {
    const result = await engine.instant(storage, 'quantile_over_time(2, g[5m])', {
      timeMs: 10 * MINUTE,
    });
    expect(result.warnings).toEqual([
      'PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)',
    ]);
    expect(shown(result)).toEqual({ '{x="1"}': Number.POSITIVE_INFINITY });
  });
});

describe('single values', () => {
  it.each([
    ['abs(d)', 1.5],
    ['ceil(d)', -1],
    ['floor(d)', -2],
    ['round(d)', -1],
    ['round(d, 0.4)', -1.6],
    ['sgn(d)', -1],
    ['clamp(d, 0, 1)', 0],
    ['clamp_min(d, -1)', -1],
    ['clamp_max(d, -2)', -2],
    ['exp(d - d)', 1],
    ['deg(d * 0 + pi())', 180],
    ['scalar(d) ^ 2', 2.25],
    ['d % 1', -0.5],
    ['1 ^ (d / 0)', 1],
  ])('%s is %d', async (query, expected) => {
    expect(await only(query, 0)).toBeCloseTo(expected, 12);
  });

  it('gives nothing where the clamp is inverted', async () => {
    expect(await at('clamp(d, 1, 0)', 0)).toEqual({});
  });
});

describe('dates', () => {
  // 2024-02-29T12:34:56Z
  it.each([
    ['minute(t)', 34],
    ['hour(t)', 12],
    ['day_of_week(t)', 4],
    ['day_of_month(t)', 29],
    ['day_of_year(t)', 60],
    ['days_in_month(t)', 29],
    ['month(t)', 2],
    ['year(t)', 2024],
    ['minute()', 0],
    ['year()', 1970],
  ])('%s is %d', async (query, expected) => {
    expect(await only(query, 0)).toBe(expected);
  });
});

describe('classic histograms', () => {
  it.each([
    ['histogram_quantile(0.5, h_bucket)', 1.5],
    ['histogram_quantile(0.25, h_bucket)', 1],
    ['histogram_quantile(0.9, h_bucket)', 2],
    ['histogram_quantile(-1, h_bucket)', Number.NEGATIVE_INFINITY],
    ['histogram_fraction(0, 1.5, h_bucket)', 0.5],
  ])('%s is %d', async (query, expected) => {
    expect(await only(query, 0)).toBe(expected);
  });
});

describe('labels', () => {
  it.each([
    ['label_replace(g, "y", "n-$1", "x", "(.*)")', { 'g{x="1", y="n-1"}': 3 }],
    ['label_replace(g, "y", "$\x7bfirst}!", "x", "(?P<first>.)")', { 'g{x="1", y="1!"}': 3 }],
    ['label_replace(g, "x", "", "x", ".*")', { g: 3 }],
    ['label_replace(g, "y", "z", "x", "2")', { 'g{x="1"}': 3 }],
    ['label_join(g, "y", "-", "x", "nope", "x")', { 'g{x="1", y="1--1"}': 3 }],
    ['absent(nothing{a="b", c=~"d"})', { '{a="b"}': 1 }],
    ['absent(g)', {}],
    ['sort_desc(c_total)', { 'c_total{x="2"}': 100, 'c_total{x="1"}': 0 }],
  ])('%s', async (query, expected) => {
    const answer = await at(query, 0);
    expect(answer).toEqual(expected);
    expect(Object.keys(answer)).toEqual(Object.keys(expected));
  });
});

describe('the table of signatures', () => {
  it('names no range function, change or date part that is not there, and leaves none out', () => {
    const implemented = [
      ...RANGE_FUNCTIONS.keys(),
      ...MATH.keys(),
      ...HISTOGRAM_PARTS.keys(),
      ...Object.keys(DATE_PARTS),
    ];
    expect(implemented.filter(name => !SIGNATURES.has(name))).toEqual([]);
    const matrix = [...SIGNATURES.values()].filter(s => s.args.includes('matrix'));
    const missing = matrix.filter(s => !RANGE_FUNCTIONS.has(s.name)).map(s => s.name);
    expect(missing).toEqual(['absent_over_time']);
  });
});
