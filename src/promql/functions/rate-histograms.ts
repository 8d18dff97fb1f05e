// The rate family on native histograms.

import type { FloatHistogram } from '../../storage/histogram.ts';
import {
  boundsReconciled,
  mixedFloats,
  mixedSchemas,
  notCounter,
  notGauge,
} from '../histogram/messages.ts';
import { detectReset, equalHistograms } from '../histogram/reset.ts';
import { HistogramSum, IncompatibleSchemas, isCustom } from '../histogram/sum.ts';
import { extrapolationFactor } from './extrapolation.ts';
import type { RangeContext, Window } from './range-function.ts';
import {
  factorFromStart,
  overlapWarning,
  startedAnew,
  startInside,
  startsOverlap,
} from './start-times.ts';

interface RateOptions {
  readonly counter: boolean;
  readonly perSecond: boolean;
}

/** rate, increase or delta over a window with histograms in it. */
export function histogramRate(
  context: RangeContext,
  options: RateOptions,
): (window: Window) => number {
  return window => {
    if (!window.allHistograms) {
      context.annotate('warning', mixedFloats(window.metricName));
      return window.none();
    }
    const start = options.counter ? startInside(window) : 0;
    if (start === 0 && window.to - window.from < 2) return window.none();
    const result = difference(context, window, options.counter);
    if (result === null) return window.none();
    if (start !== 0) return fromStart(window, options, result, start);
    const first = window.histograms![window.from]!.count;
    const fromZero = options.counter && result.count > 0 && first >= 0;
    const zeroShare = fromZero ? first / result.count : Number.POSITIVE_INFINITY;
    let factor = extrapolationFactor(window, zeroShare);
    if (options.perSecond) factor /= window.rangeMs / 1000;
    window.histogram = result.scale(factor).value;
    return 0;
  };
}

/** Growth since the counter began, which was inside the window. */
function fromStart(
  window: Window,
  options: RateOptions,
  result: HistogramSum,
  startMs: number,
): number {
  result.add(window.histograms![window.from]!);
  let factor = factorFromStart(window, startMs);
  if (options.perSecond) factor /= window.rangeMs / 1000;
  window.histogram = result.scale(factor).value;
  return 0;
}

/** True where the counter was reset between samples i − 1 and i of a window of histograms. */
function wasReset(window: Window, index: number, before: FloatHistogram): boolean {
  return startedAnew(window, index) || detectReset(window.histograms![index]!, before);
}

/** Last minus first, what resets took away added again; null with a remark where it cannot be told. */
function difference(context: RangeContext, window: Window, counter: boolean): HistogramSum | null {
  const histograms = window.histograms!.slice(window.from, window.to) as FloatHistogram[];
  const name = window.metricName;
  const last = histograms.at(-1)!;
  remarkKind(context, histograms, counter, name);
  let first: FloatHistogram = histograms[0]!;
  // What was before a reset need not fit what came after.
  const { from } = window;
  if (counter && histograms.length > 1 && wasReset(window, from + 1, first)) {
    first = HistogramSum.emptyLike(histograms[1]!).value;
  }
  const relevant = counter ? histograms.slice(1) : [last];
  if (relevant.some(histogram => isCustom(histogram) !== isCustom(first))) {
    context.annotate('warning', mixedSchemas(name));
    return null;
  }
  const result = new HistogramSum(last);
  result.reduceTo(Math.min(first.schema, ...relevant.map(histogram => histogram.schema)));
  if (result.subtract(first).boundsReconciled) {
    context.annotate('info', boundsReconciled('subtraction'));
  }
  if (counter) addResets(context, window, result, first);
  result.hint = 'gauge';
  return result;
}

function addResets(
  context: RangeContext,
  window: Window,
  result: HistogramSum,
  first: FloatHistogram,
): void {
  if (startsOverlap(window)) context.annotate('warning', overlapWarning(window.metricName));
  for (let i = window.from + 1; i < window.to; i++) {
    const before = i === window.from + 1 ? first : window.histograms![i - 1]!;
    if (!wasReset(window, i, before)) continue;
    if (result.add(before).boundsReconciled) context.annotate('info', boundsReconciled('addition'));
  }
}

function remarkKind(
  context: RangeContext,
  histograms: readonly FloatHistogram[],
  counter: boolean,
  name: string,
): void {
  if (counter) {
    const gauge = histograms.some(histogram => histogram.counterResetHint === 'gauge');
    if (gauge) context.annotate('warning', notCounter(name));
    return;
  }
  const ends = [histograms[0]!, histograms.at(-1)!];
  if (ends.some(end => end.counterResetHint !== 'gauge'))
    context.annotate('warning', notGauge(name));
}

/** irate or idelta where one of the last two samples is a histogram. */
export function histogramInstantDelta(
  context: RangeContext,
  counter: boolean,
): (window: Window) => number {
  return window => {
    const { times, values, histograms, from, to, metricName } = window;
    if (to - from < 2) return window.none();
    const last = histograms![to - 1];
    const before = histograms![to - 2];
    const elapsed = (times[to - 1]! - times[to - 2]!) / 1000;
    if (elapsed === 0) return window.none();
    if (!last && !before) {
      const reset = counter && (values[to - 1]! < values[to - 2]! || startedAnew(window, to - 1));
      return floatDelta(reset ? 0 : values[to - 2]!, values[to - 1]!, counter ? elapsed : null);
    }
    if (!last || !before) {
      context.annotate('warning', mixedFloats(metricName));
      return window.none();
    }
    remarkKind(context, [before, last], counter, metricName);
    const result = new HistogramSum(last);
    if (!counter || !wasReset(window, to - 1, before)) {
      try {
        if (result.subtract(before).boundsReconciled) {
          context.annotate('info', boundsReconciled('subtraction'));
        }
      } catch (thrown) {
        if (!(thrown instanceof IncompatibleSchemas)) throw thrown;
        context.annotate('warning', mixedSchemas(metricName));
        return window.none();
      }
    }
    result.hint = 'gauge';
    window.histogram = (counter ? result.divide(elapsed) : result).value;
    return 0;
  };
}

/** The difference of two floats; per second where `elapsed` is given. */
export function floatDelta(before: number, last: number, elapsed: number | null): number {
  if (elapsed === null) return last - before;
  return (last - before) / elapsed;
}

/** Resets in a window with histograms; a change of kind is one. */
export function histogramResets(window: Window): number {
  return countSteps(window, {
    floats: (before, now, i) => now < before || startedAnew(window, i),
    histograms: (before, _now, i) => wasReset(window, i, before),
  });
}

/** Changes in a window with histograms; a change of kind is one. */
export function histogramChanges(window: Window): number {
  return countSteps(window, {
    floats: (before, now) => before !== now && !(Number.isNaN(before) && Number.isNaN(now)),
    histograms: (before, now) => !equalHistograms(before, now),
  });
}

interface StepTest {
  floats(before: number, now: number, index: number): boolean;
  histograms(before: FloatHistogram, now: FloatHistogram, index: number): boolean;
}

function countSteps(window: Window, test: StepTest): number {
  const { values, histograms, from, to } = window;
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    const before = histograms![i - 1];
    const now = histograms![i];
    const counts =
      before && now
        ? test.histograms(before, now, i)
        : before || now
          ? true
          : test.floats(values[i - 1]!, values[i]!, i);
    if (counts) count++;
  }
  return count;
}
