// anchored and smoothed ranges. Anchored takes the last sample before the range as its left edge; smoothed
// draws a line between the samples around each edge. Neither extrapolates.

import type { RangeExtension } from '../ast.ts';
import { mixedFloats } from '../histogram/messages.ts';
import { type Edges, type ExtendedRateOptions, findEdges } from './extended-edges.ts';
import { ExtendedHistograms } from './extended-histograms.ts';
import type {
  RangeContext,
  RangeFunction,
  RangeFunctionFactory,
  Window,
} from './range-function.ts';

/** The functions that may be asked of an extended range. */
export const EXTENDED_FUNCTIONS: Readonly<Record<RangeExtension, readonly string[]>> = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
};

/** The value at a time on the line between two samples; a counter that fell started from zero. */
function between(window: Window, index: number, timeMs: number, counter: boolean): number {
  const { times, values } = window;
  const right = values[index + 1]!;
  const left = counter && right < values[index]! ? 0 : values[index]!;
  return left + ((right - left) * (timeMs - times[index]!)) / (times[index + 1]! - times[index]!);
}

class ExtendedRate implements RangeFunction {
  readonly #options: ExtendedRateOptions;
  readonly #context: RangeContext;
  readonly #histograms: ExtendedHistograms;

  constructor(options: ExtendedRateOptions, context: RangeContext) {
    this.#options = options;
    this.#context = context;
    this.#histograms = new ExtendedHistograms(options, context);
  }

  floats(window: Window): number {
    const { counter, perSecond, smoothed } = this.#options;
    const edges = findEdges(window, smoothed);
    if (edges === null) return window.none();
    const { times, values } = window;
    const { first, last, startMs, endMs } = edges;
    const left =
      smoothed && times[first]! < startMs
        ? between(window, first, startMs, counter)
        : values[first]!;
    const right =
      smoothed && last > window.from && times[last]! > endMs
        ? between(window, last - 1, endMs, counter)
        : values[last]!;
    let result = right - left;
    if (counter) result += corrections(values, edges, times, { left, right });
    return perSecond ? result / (window.rangeMs / 1000) : result;
  }

  mixed(window: Window): number {
    if (!window.allHistograms) {
      this.#context.annotate('warning', mixedFloats(window.metricName));
      return window.none();
    }
    return this.#histograms.rate(window);
  }
}

/** What resets strictly inside the range took away. */
function corrections(
  values: Float64Array,
  edges: Edges,
  times: Float64Array,
  ends: { readonly left: number; readonly right: number },
): number {
  const start = times[edges.first]! <= edges.startMs ? edges.first + 1 : edges.first;
  const stop = times[edges.last]! >= edges.endMs ? edges.last - 1 : edges.last;
  let correction = 0;
  let before = ends.left;
  for (let i = start; i <= stop; i++) {
    if (values[i]! < before) correction += before;
    before = values[i]!;
  }
  return ends.right < before ? correction + before : correction;
}

/** Counts over the range and the one sample before it. */
function anchoredCount(plain: RangeFunction): RangeFunction {
  const ask = (window: Window, answer: (window: Window) => number): number => {
    const startMs = window.endMs - window.rangeMs;
    if (window.times[window.to - 1]! <= startMs) return window.none();
    while (window.from + 1 < window.to && window.times[window.from + 1]! <= startMs) window.from++;
    return answer(window);
  };
  return {
    floats: window => ask(window, plain.floats),
    mixed: window => ask(window, plain.mixed!),
  };
}

/** The function for an extended range. */
export function extendedFunction(
  name: string,
  extension: RangeExtension,
  plain: RangeFunctionFactory,
): RangeFunctionFactory {
  if (name === 'changes' || name === 'resets') return context => anchoredCount(plain(context));
  const options = {
    counter: name !== 'delta',
    perSecond: name === 'rate',
    smoothed: extension === 'smoothed',
  };
  return context => new ExtendedRate(options, context);
}
