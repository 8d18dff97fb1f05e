// The *_over_time family on floats.

import { formatShort } from '../../encoding/format-float.ts';
import type { Span } from '../ast.ts';
import { KahanSum } from '../go-math.ts';
import { quantileOf, sortForQuantile } from '../quantile.ts';
import { histogramAvg, histogramSum } from './over-time-histograms.ts';
import type {
  RangeContext,
  RangeFunction,
  RangeFunctionFactory,
  Window,
} from './range-function.ts';
import { ExtremePlace, medianDistance, SortedWindow } from './sliding.ts';

const kahan = new KahanSum();

// The sums below keep Neumaier's compensation in locals: they are what dashboards spend their time in.

function sum(window: Window): number {
  const { values, to } = window;
  let sum = 0;
  let compensation = 0;
  for (let i = window.from; i < to; i++) {
    const value = values[i]!;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) compensation = 0;
    else if (Math.abs(sum) >= Math.abs(value)) compensation += sum - total + value;
    else compensation += value - total + sum;
    sum = total;
  }
  return sum + compensation;
}

/** The direct mean, until the sum would overflow; from there the running mean. */
function mean(window: Window): number {
  const { values, from, to } = window;
  let sum = values[from]!;
  let compensation = 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) {
      const seen = i - from;
      kahan.sum = sum / seen;
      kahan.compensation = compensation / seen;
      return runningMean(window, i);
    }
    if (Math.abs(sum) >= Math.abs(value)) compensation += sum - total + value;
    else compensation += value - total + sum;
    sum = total;
  }
  const count = to - from;
  return sum / count + compensation / count;
}

/** Goes on from sample `start` with the mean of the samples before it in `kahan`. */
function runningMean(window: Window, start: number): number {
  const { values, from, to } = window;
  for (let i = start; i < to; i++) {
    const count = i - from + 1;
    const share = (count - 1) / count;
    kahan.sum *= share;
    kahan.compensation *= share;
    kahan.add(values[i]! / count);
  }
  return kahan.value;
}

const deviation = new KahanSum();

function variance(window: Window): number {
  const { values, from, to } = window;
  kahan.reset();
  deviation.reset();
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const delta = value - kahan.value;
    kahan.add(delta / (i - from + 1));
    deviation.add(delta * (value - kahan.value));
  }
  return deviation.value / (to - from);
}

function extreme(window: Window, sign: 1 | -1): number {
  return window.values[extremeIndex(window, sign)]!;
}

/** Index of the greatest (sign 1) or least value; the first among equals, NaN only where all are. */
function extremeIndex(window: Window, sign: 1 | -1): number {
  const { values, from, to } = window;
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    const current = values[best]!;
    if (sign * value > sign * current || Number.isNaN(current)) best = i;
  }
  return best;
}

/** Median of the distances from the median. */
function medianDeviation(sorted: Float64Array): number {
  if (Number.isNaN(sorted[0])) return Number.NaN;
  const median = quantileOf(0.5, sorted);
  if (Number.isFinite(sorted[0]) && Number.isFinite(sorted.at(-1))) {
    return medianDistance(sorted, median);
  }
  return quantileOf(0.5, sortForQuantile(sorted.map(value => Math.abs(value - median))));
}

/** Warns of a quantile outside 0…1. */
export function checkQuantile(context: RangeContext, value: number, span: Span): void {
  if (value >= 0 && value <= 1) return;
  context.annotateAt(
    'warning',
    `quantile value should be between 0 and 1, got ${formatShort(value)}`,
    span,
  );
}

/** The last sample, whichever kind it is. */
function sampleAt(window: Window, index: number): number {
  const histogram = window.histograms?.[index];
  if (histogram) window.histogram = histogram;
  return window.values[index]!;
}

function ofEither(answer: (window: Window) => number): RangeFunctionFactory {
  return () => ({ floats: answer, mixed: answer });
}

function ofSorted(answer: (sorted: Float64Array) => number): RangeFunctionFactory {
  return () => {
    const sorted = new SortedWindow();
    return { begin: w => sorted.begin(w), floats: w => answer(sorted.of(w)) };
  };
}

function ofExtremeTime(sign: 1 | -1): RangeFunctionFactory {
  return () => {
    const place = new ExtremePlace(sign);
    return { begin: w => place.begin(w), floats: w => w.times[place.of(w)]! / 1000 };
  };
}

function quantileOverTime(context: RangeContext): RangeFunction {
  const sorted = new SortedWindow();
  return {
    begin: window => sorted.begin(window),
    floats(window) {
      const q = context.scalars[0]![window.step]!;
      checkQuantile(context, q, context.argSpans[0]!);
      return quantileOf(q, sorted.of(window));
    },
  };
}

function ofFloats(answer: (window: Window) => number): RangeFunctionFactory {
  return () => ({ floats: answer });
}

const count = (window: Window): number => window.to - window.from;
const last = (window: Window): number => sampleAt(window, window.to - 1);
const first = (window: Window): number => sampleAt(window, window.from);

export const OVER_TIME: Readonly<Record<string, RangeFunctionFactory>> = {
  sum_over_time: context => ({ question: 'sum', floats: sum, mixed: histogramSum(context) }),
  avg_over_time: context => ({ question: 'mean', floats: mean, mixed: histogramAvg(context) }),
  count_over_time: () => ({ question: 'count', floats: count, mixed: count }),
  present_over_time: ofEither(() => 1),
  last_over_time: ofEither(last),
  first_over_time: ofEither(first),
  min_over_time: () => ({ question: 'least', floats: window => extreme(window, -1) }),
  max_over_time: () => ({ question: 'greatest', floats: window => extreme(window, 1) }),
  stddev_over_time: ofFloats(window => Math.sqrt(variance(window))),
  stdvar_over_time: ofFloats(variance),
  mad_over_time: ofSorted(medianDeviation),
  ts_of_min_over_time: ofExtremeTime(-1),
  ts_of_max_over_time: ofExtremeTime(1),
  ts_of_first_over_time: ofEither(w => w.times[w.from]! / 1000),
  ts_of_last_over_time: ofEither(w => w.times[w.to - 1]! / 1000),
  quantile_over_time: quantileOverTime,
};
