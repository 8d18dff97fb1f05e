// Telling whether a counter was reset between two native histograms, and whether they are the same.

import type { BucketSpan, FloatHistogram } from '../../storage/histogram.ts';
import { exponentialBound, spanIndices } from './buckets.ts';
import type { Side } from './side.ts';
import { HistogramSum, intersectBounds, isCustom, sameBounds } from './sum.ts';

/** True where `current` cannot have grown out of `previous`. */
export function detectReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.counterResetHint === 'reset') return true;
  if (current.counterResetHint === 'not-reset') return false;
  if (current.count < previous.count) return true;
  if (isCustom(current)) return !isCustom(previous) || customReset(current, previous);
  if (current.schema > previous.schema) return true;
  if (current.zeroThreshold < previous.zeroThreshold) return true;
  const before = new HistogramSum(previous);
  before.widenZero(current.zeroThreshold);
  // The wider zero bucket would cut through a populated bucket of the previous histogram.
  if (before.zeroThreshold !== current.zeroThreshold) return true;
  if (current.zeroCount < before.zeroCount) return true;
  before.reduceTo(current.schema);
  const now = new HistogramSum(current);
  return (
    anyDecrease(now.positive, before.positive, current) ||
    anyDecrease(now.negative, before.negative, current)
  );
}

function customReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  const now = new HistogramSum(current);
  const before = new HistogramSum(previous);
  if (!sameBounds(current.customValues, previous.customValues)) {
    const common = intersectBounds(current.customValues, previous.customValues);
    now.mapToBounds(common);
    before.mapToBounds(common);
  }
  return decreased(countsOf(now.positive), countsOf(before.positive));
}

function anyDecrease(now: Side, before: Side, current: FloatHistogram): boolean {
  const relevant = (index: number): boolean =>
    current.zeroThreshold === 0 || exponentialBound(index, current.schema) > current.zeroThreshold;
  return decreased(countsOf(now), countsOf(before), relevant);
}

function countsOf(side: Side): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = 0; i < side.size; i++) counts.set(side.indexAt(i), side.countAt(i));
  return counts;
}

function decreased(
  now: ReadonlyMap<number, number>,
  before: ReadonlyMap<number, number>,
  relevant: (index: number) => boolean = () => true,
): boolean {
  for (const [index, count] of before) {
    if (!relevant(index)) continue;
    const current = now.get(index);
    if (current === undefined ? count !== 0 : current < count) return true;
  }
  return false;
}

/** True where both hold the same observations in the same layout. NaN equals NaN. */
export function equalHistograms(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount, b.zeroCount) &&
    sameBounds(a.customValues, b.customValues) &&
    sameBuckets(a.negativeSpans, a.negativeBuckets, b.negativeSpans, b.negativeBuckets) &&
    sameBuckets(a.positiveSpans, a.positiveBuckets, b.positiveSpans, b.positiveBuckets)
  );
}

function sameBuckets(
  aSpans: readonly BucketSpan[],
  a: Float64Array,
  bSpans: readonly BucketSpan[],
  b: Float64Array,
): boolean {
  if (a.length !== b.length) return false;
  const bIndices = spanIndices(bSpans);
  return spanIndices(aSpans).every((index, i) => index === bIndices[i] && Object.is(a[i], b[i]));
}
