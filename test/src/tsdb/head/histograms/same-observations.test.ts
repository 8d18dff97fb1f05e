import { expect, test } from 'vitest';
import type { FloatHistogram } from '../../../../../src/storage/histogram.ts';
import { spansOf } from '../../../../../src/storage/histogram-chunk/bucket-indices.ts';
import { sameObservations } from '../../../../../src/tsdb/head/histograms/same-observations.ts';
import { histogram } from '../../../../fakes/prometheus-cases.ts';

/** Counts by bucket index. */
function of(counts: Readonly<Record<number, number>>, changes: Partial<FloatHistogram> = {}) {
  const indices = Object.keys(counts).map(Number);
  return histogram({
    schema: 1,
    count: 6,
    sum: 3,
    positiveSpans: spansOf(indices),
    positiveBuckets: Float64Array.from(Object.values(counts)),
    ...changes,
  });
}

const NAN = Number.NaN;

test.each<[string, FloatHistogram, FloatHistogram, boolean]>([
  ['the same', of({ 1: 2, 3: 4 }), of({ 1: 2, 3: 4 }), true],
  ['one with empty buckets', of({ 1: 2, 3: 4 }), of({ 0: 0, 1: 2, 2: 0, 3: 4, 7: 0 }), true],
  ['empty ones on both sides', of({ 0: 0, 1: 2, 3: 4 }), of({ 1: 2, 3: 4, 5: 0 }), true],
  ['another hint', of({ 1: 6 }), of({ 1: 6 }, { counterResetHint: 'reset' }), true],
  ['sums that are no number', of({ 1: 6 }, { sum: NAN }), of({ 1: 6 }, { sum: NAN }), true],
  ['another bucket', of({ 1: 2, 3: 4 }), of({ 1: 2, 4: 4 }), false],
  ['another count in a bucket', of({ 1: 2, 3: 4 }), of({ 0: 0, 1: 3, 3: 4 }), false],
  ['one bucket more', of({ 1: 2 }), of({ 1: 2, 3: 4 }), false],
  ['another sum', of({ 1: 6 }), of({ 1: 6 }, { sum: 4 }), false],
  ['another kind of counts', of({ 1: 6 }), of({ 1: 6 }, { integer: true }), false],
  ['another schema', of({ 1: 6 }), of({ 0: 0, 1: 6 }, { schema: 2 }), false],
  [
    'the other sign',
    of({ 1: 6 }),
    of(
      {},
      {
        negativeSpans: [{ offset: 1, length: 1 }],
        negativeBuckets: Float64Array.of(6),
      },
    ),
    false,
  ],
])('a histogram and %s', (_, a, b, same) => {
  expect(sameObservations(a, b)).toBe(same);
  expect(sameObservations(b, a)).toBe(same);
});
