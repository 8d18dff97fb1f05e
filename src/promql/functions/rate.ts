// rate, increase and delta with extrapolation to the window's edges; irate, idelta, resets and changes.

import type { WindowQuestion } from '../../kernels/windows.ts';
import { COUNTER_NAME, notCounterInfo } from './counter-hints.ts';
import { extrapolationFactor } from './extrapolation.ts';
import type {
  RangeContext,
  RangeFunction,
  RangeFunctionFactory,
  Window,
} from './range-function.ts';
import {
  floatDelta,
  histogramChanges,
  histogramInstantDelta,
  histogramRate,
  histogramResets,
} from './rate-histograms.ts';

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

class ExtrapolatedRate implements RangeFunction {
  readonly #options: RateOptions;
  readonly #context: RangeContext;
  readonly question: WindowQuestion;
  /** Indices i where the value falls below the one before, in the series at hand. */
  #resets = new Int32Array(16);
  #resetCount = 0;
  #nextReset = 0;
  #remarkedName: string | null = null;
  readonly mixed: (window: Window) => number;

  constructor(options: RateOptions, context: RangeContext) {
    this.#options = options;
    this.#context = context;
    this.question = options.perSecond ? 'rate' : options.counter ? 'increase' : 'delta';
    this.mixed = histogramRate(context, options);
  }

  begin(window: Window): void {
    this.#resetCount = 0;
    this.#nextReset = 0;
    if (!this.#options.counter) return;
    const { values, length } = window;
    for (let i = 1; i < length; i++) {
      if (values[i]! < values[i - 1]!) this.#addReset(i);
    }
  }

  remark(metricName: string): void {
    if (!this.#options.counter || metricName === this.#remarkedName) return;
    this.#remarkedName = metricName;
    if (metricName === '' || COUNTER_NAME.test(metricName)) return;
    this.#context.annotate('info', notCounterInfo(metricName));
  }

  floats(window: Window): number {
    const { values, from, to, rangeMs } = window;
    this.remark(window.metricName);
    if (window.startTimes !== null && this.#options.counter) return this.#withStarts(window);
    if (to - from < 2) return window.none();
    const first = values[from]!;
    let result = values[to - 1]! - first;
    if (this.#resetCount > 0) result = this.#corrected(window, result);
    const fromZero = this.#options.counter && result > 0 && first >= 0;
    let factor = extrapolationFactor(window, fromZero ? first / result : Number.POSITIVE_INFINITY);
    if (this.#options.perSecond) factor /= rangeMs / 1000;
    return result * factor;
  }

  /** The same where start times tell of resets, and of the zero a counter began at. */
  #withStarts(window: Window): number {
    const { values, from, to, rangeMs } = window;
    if (startsOverlap(window)) {
      this.#context.annotate('warning', overlapWarning(window.metricName));
    }
    const first = values[from]!;
    let result = values[to - 1]! - first;
    for (let i = from + 1; i < to; i++) {
      if (values[i]! < values[i - 1]! || startedAnew(window, i)) result += values[i - 1]!;
    }
    const start = startInside(window);
    if (start === 0 && to - from < 2) return window.none();
    let factor: number;
    if (start === 0) {
      const fromZero = result > 0 && first >= 0;
      factor = extrapolationFactor(window, fromZero ? first / result : Number.POSITIVE_INFINITY);
    } else {
      result += first;
      factor = factorFromStart(window, start);
    }
    if (this.#options.perSecond) factor /= rangeMs / 1000;
    return result * factor;
  }

  /** Adds what each reset inside the window took away. */
  #corrected(window: Window, difference: number): number {
    const { values, from, to } = window;
    const resets = this.#resets;
    while (this.#nextReset < this.#resetCount && resets[this.#nextReset]! <= from)
      this.#nextReset++;
    let result = difference;
    for (let r = this.#nextReset; r < this.#resetCount && resets[r]! < to; r++) {
      result += values[resets[r]! - 1]!;
    }
    return result;
  }

  #addReset(index: number): void {
    if (this.#resetCount === this.#resets.length) {
      const grown = new Int32Array(this.#resets.length * 2);
      grown.set(this.#resets);
      this.#resets = grown;
    }
    this.#resets[this.#resetCount++] = index;
  }
}

function instantDelta(counter: boolean): RangeFunctionFactory {
  return context => ({
    floats(window) {
      const { times, values, from, to } = window;
      if (to - from < 2) return window.none();
      const last = values[to - 1]!;
      const before = values[to - 2]!;
      const elapsed = times[to - 1]! - times[to - 2]!;
      if (elapsed === 0) return window.none();
      const reset = counter && (last < before || startedAnew(window, to - 1));
      return floatDelta(reset ? 0 : before, last, counter ? elapsed / 1000 : null);
    },
    mixed: histogramInstantDelta(context, counter),
  });
}

function resets(window: Window): number {
  const { values, from, to } = window;
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    if (values[i]! < values[i - 1]! || startedAnew(window, i)) count++;
  }
  return count;
}

function changes(window: Window): number {
  const { values, from, to } = window;
  let count = 0;
  for (let i = from + 1; i < to; i++) {
    const a = values[i - 1]!;
    const b = values[i]!;
    if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) count++;
  }
  return count;
}

export const RATES: Readonly<Record<string, RangeFunctionFactory>> = {
  rate: context => new ExtrapolatedRate({ counter: true, perSecond: true }, context),
  increase: context => new ExtrapolatedRate({ counter: true, perSecond: false }, context),
  delta: context => new ExtrapolatedRate({ counter: false, perSecond: false }, context),
  irate: instantDelta(true),
  idelta: instantDelta(false),
  resets: () => ({ floats: resets, mixed: histogramResets }),
  changes: () => ({ floats: changes, mixed: histogramChanges }),
};
