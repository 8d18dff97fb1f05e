import { describe, expect, it } from 'vitest';
import { allBuckets, exponentialBound } from '../../../src/promql/histogram/buckets.ts';
import { ClassicBuckets } from '../../../src/promql/histogram/classic.ts';
import { formatHistogram } from '../../../src/promql/histogram/format.ts';
import { nativeFraction, nativeQuantile } from '../../../src/promql/histogram/native-quantile.ts';
import { detectReset, equalHistograms } from '../../../src/promql/histogram/reset.ts';
import { HistogramSum, IncompatibleSchemas } from '../../../src/promql/histogram/sum.ts';
import { trimHistogram } from '../../../src/promql/histogram/trim.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';
import { parsePoints } from '../../conformance/notation.ts';

function histogram(text: string): FloatHistogram {
  const [point] = parsePoints(`{{${text}}}`);
  if (point?.kind !== 'histogram') throw new Error('no histogram');
  return point.histogram;
}

const silent = (): void => {};

describe('bucket bounds', () => {
  it.each([
    [0, 0, 1],
    [1, 0, 2],
    [-1, 0, 0.5],
    // Prometheus' number, not the exact root.
    [1, 1, 2 * 0.7071067811865475],
    [2, -1, 16],
    [1024, 0, Number.MAX_VALUE],
    [1025, 0, Number.POSITIVE_INFINITY],
    [-1073, 0, 2 ** -1073],
    [64, -4, Number.MAX_VALUE],
  ])('index %d of schema %d ends at %d', (index, schema, bound) => {
    expect(exponentialBound(index, schema)).toBe(bound);
  });

  it('go from the lowest to the highest', () => {
    const h = histogram('count:10 sum:1 z_bucket:1 z_bucket_w:0.5 buckets:[2 3] n_buckets:[4]');
    expect(allBuckets(h)).toEqual([
      { lower: -1, upper: -0.5, count: 4 },
      { lower: -0.5, upper: 0.5, count: 1 },
      { lower: 0.5, upper: 1, count: 2 },
      { lower: 1, upper: 2, count: 3 },
    ]);
  });

  it('of custom buckets are open at both ends', () => {
    const h = histogram('schema:-53 count:3 sum:9 custom_values:[5 10] buckets:[1 1 1]');
    expect(allBuckets(h).map(({ lower, upper }) => [lower, upper])).toEqual([
      [Number.NEGATIVE_INFINITY, 5],
      [5, 10],
      [10, Number.POSITIVE_INFINITY],
    ]);
  });
});

describe('sums', () => {
  it('join buckets by index', () => {
    const sum = new HistogramSum(histogram('count:3 sum:4 buckets:[1 2]'));
    sum.add(histogram('count:5 sum:6 offset:1 buckets:[2 3]'));
    expect(sum.value).toMatchObject({
      count: 8,
      sum: 10,
      positiveSpans: [{ offset: 0, length: 3 }],
      positiveBuckets: Float64Array.of(1, 4, 3),
    });
  });

  it('fall to the coarser schema', () => {
    const sum = new HistogramSum(histogram('schema:1 count:4 sum:4 offset:1 buckets:[1 1 1 1]'));
    sum.add(histogram('schema:0 count:1 sum:2 offset:1 buckets:[1]'));
    expect(sum.value).toMatchObject({ schema: 0, positiveBuckets: Float64Array.of(3, 2) });
  });

  it('widen the zero bucket to the end of a populated one', () => {
    const sum = new HistogramSum(
      histogram('count:3 sum:3 z_bucket:1 z_bucket_w:0.1 offset:-1 buckets:[1 1]'),
    );
    sum.add(histogram('count:1 sum:0 z_bucket:1 z_bucket_w:0.3'));
    expect(sum.value).toMatchObject({
      zeroThreshold: 0.5,
      zeroCount: 3,
      positiveBuckets: Float64Array.of(1),
    });
  });

  it('keep the custom bounds that both have', () => {
    const sum = new HistogramSum(
      histogram('schema:-53 count:4 sum:4 custom_values:[1 2 5] buckets:[1 1 1 1]'),
    );
    const outcome = sum.add(
      histogram('schema:-53 count:2 sum:2 custom_values:[2 3] buckets:[1 1]'),
    );
    expect(outcome.boundsReconciled).toBe(true);
    expect(sum.value).toMatchObject({
      customValues: Float64Array.of(2),
      positiveBuckets: Float64Array.of(3, 3),
    });
  });

  it('do not exist of exponential and custom buckets', () => {
    const sum = new HistogramSum(histogram('count:1 sum:1 buckets:[1]'));
    expect(() =>
      sum.add(histogram('schema:-53 count:1 sum:1 custom_values:[1] buckets:[1]')),
    ).toThrow(IncompatibleSchemas);
  });

  it('lose no small counts beside great ones', () => {
    const sum = new HistogramSum(histogram('count:1e16 sum:0 buckets:[1e16]'));
    for (let i = 0; i < 10; i++) sum.add(histogram('count:1 sum:0 buckets:[1]'));
    sum.subtract(histogram('count:1e16 sum:0 buckets:[1e16]'));
    expect(sum.value).toMatchObject({ count: 10, positiveBuckets: Float64Array.of(10) });
  });

  it.each([
    ['gauge', 'reset', 'gauge', false],
    ['unknown', 'not_reset', 'unknown', false],
    ['reset', 'not_reset', 'unknown', true],
    ['not_reset', 'not_reset', 'not-reset', false],
  ])('of %s and %s are %s', (a, b, hint, collision) => {
    const sum = new HistogramSum(histogram(`count:1 sum:1 counter_reset_hint:${a}`));
    const outcome = sum.add(histogram(`count:1 sum:1 counter_reset_hint:${b}`));
    expect([sum.hint, outcome.resetCollision]).toEqual([hint, collision]);
  });
});

describe('resets', () => {
  const before = 'count:10 sum:1 z_bucket:2 z_bucket_w:0.001 buckets:[3 5]';
  it.each([
    ['count:11 sum:1 z_bucket:2 z_bucket_w:0.001 buckets:[3 6]', false],
    ['count:11 sum:1 z_bucket:2 z_bucket_w:0.001 buckets:[2 7]', true],
    ['count:9 sum:1 z_bucket:2 z_bucket_w:0.001 buckets:[3 4]', true],
    ['count:11 sum:1 z_bucket:1 z_bucket_w:0.001 buckets:[4 6]', true],
    ['count:11 sum:1 z_bucket:3 z_bucket_w:0.0001 buckets:[3 5]', true],
    ['schema:1 count:11 sum:1 z_bucket:3 z_bucket_w:0.001 buckets:[3 5]', true],
    ['schema:-1 count:11 sum:1 z_bucket:2 z_bucket_w:0.001 buckets:[3 6]', false],
    ['count:11 sum:1 z_bucket:3 z_bucket_w:0.001 buckets:[8]', true],
    ['count:1 sum:1 counter_reset_hint:not_reset', false],
    ['count:99 sum:1 counter_reset_hint:reset', true],
  ])('%s: %s', (now, reset) => {
    expect(detectReset(histogram(now), histogram(before))).toBe(reset);
  });

  it('are not seen between equal histograms', () => {
    expect(equalHistograms(histogram(before), histogram(before))).toBe(true);
    expect(equalHistograms(histogram(before), histogram(before.replace('5]', '6]')))).toBe(false);
  });
});

describe('native quantiles', () => {
  const h = histogram('count:8 sum:20 offset:1 buckets:[4 4]');

  it.each([
    [0, 1],
    [0.25, Math.SQRT2],
    [0.5, 2],
    [0.75, 2 * Math.SQRT2],
    [1, 4],
    [-1, Number.NEGATIVE_INFINITY],
    [2, Number.POSITIVE_INFINITY],
  ])('%d is %d', (q, expected) => {
    expect(nativeQuantile(q, h, silent)).toBeCloseTo(expected, 12);
  });

  it('of NaN are NaN', () => {
    expect(nativeQuantile(Number.NaN, h, silent)).toBeNaN();
  });

  it('invert fractions', () => {
    expect(nativeFraction({ lower: 0, upper: 2 }, h, silent)).toBe(0.5);
    expect(nativeFraction({ lower: 2, upper: 1 }, h, silent)).toBe(0);
    expect(nativeFraction({ lower: Number.NEGATIVE_INFINITY, upper: 2.5 }, h, silent)).toBeCloseTo(
      0.5 + 0.5 * Math.log2(1.25),
      12,
    );
  });

  it('tell of NaN observations', () => {
    const remarks: string[] = [];
    const nan = histogram('count:12 sum:NaN offset:1 buckets:[4 4]');
    expect(nativeQuantile(0.9, nan, (kind, text) => remarks.push(`${kind}: ${text}`))).toBeNaN();
    expect(remarks).toEqual([
      'info: input to histogram_quantile has NaN observations, result is NaN',
    ]);
  });
});

describe('classic quantiles', () => {
  function buckets(...pairs: readonly (readonly [number, number])[]): ClassicBuckets {
    const made = new ClassicBuckets();
    for (const [bound, count] of pairs) made.add(bound, count);
    return made;
  }
  const infinity = Number.POSITIVE_INFINITY;

  it('are NaN without an infinite bucket, or without observations', () => {
    expect(buckets([1, 1], [2, 2]).quantile(0.5)).toBeNaN();
    expect(buckets([1, 0], [infinity, 0]).quantile(0.5)).toBeNaN();
  });

  it('begin at zero, or at the first bound where that is negative', () => {
    expect(buckets([2, 4], [infinity, 4]).quantile(0.5)).toBe(1);
    expect(buckets([-2, 4], [infinity, 4]).quantile(0.5)).toBe(-2);
  });

  it('repair counts that fall, and say how far', () => {
    const falling = buckets([1, 10], [2, 8], [3, 12], [infinity, 12]);
    expect(falling.quantile(0.9)).toBeCloseTo(2.4, 12);
    expect(falling.repair).toEqual({ leastBound: 2, greatestBound: 2, greatestDrop: 2 });
  });

  it('take differences within rounding for none', () => {
    const rounded = buckets([1, 10], [2, 10 - 1e-12], [infinity, 10]);
    rounded.quantile(0.5);
    expect(rounded.repair).toBeNull();
  });
});

describe('trimming', () => {
  it('splits the bucket that holds the limit', () => {
    const h = histogram('schema:-53 count:6 sum:30 custom_values:[0 10] buckets:[0 4 2]');
    const below = trimHistogram(h, 5, 'above');
    expect([below.count, below.sum]).toEqual([2, 5]);
    const above = trimHistogram(h, 5, 'below');
    expect(above.count).toBe(4);
  });

  it('leaves a histogram alone that lies on one side', () => {
    const h = histogram('count:2 sum:3 offset:1 buckets:[2]');
    expect(trimHistogram(h, 100, 'above')).toBe(h);
  });
});

describe('text', () => {
  it('shows bounds with their brackets', () => {
    const h = histogram('count:5 sum:-1.5 z_bucket:1 z_bucket_w:0.001 buckets:[1 2] n_buckets:[1]');
    expect(formatHistogram(h)).toBe(
      '{count:5, sum:-1.5, [-1,-0.5):1, [-0.001,0.001]:1, (0.5,1]:1, (1,2]:2}',
    );
  });
});
