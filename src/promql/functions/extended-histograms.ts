// anchored and smoothed rates of native histograms.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { interpolateHistograms } from '../histogram/interpolate.ts';
import { boundsReconciled, mixedSchemas, notCounter, notGauge } from '../histogram/messages.ts';
import { detectReset } from '../histogram/reset.ts';
import { HistogramSum, IncompatibleSchemas, isCustom } from '../histogram/sum.ts';
import { type Edges, type ExtendedRateOptions, findEdges } from './extended-edges.ts';
import type { RangeContext, Window } from './range-function.ts';

/** Answers windows that hold nothing but histograms. */
export class ExtendedHistograms {
  readonly #options: ExtendedRateOptions;
  readonly #context: RangeContext;

  constructor(options: ExtendedRateOptions, context: RangeContext) {
    this.#options = options;
    this.#context = context;
  }

  /** Sets the window's histogram, or nothing. */
  rate(window: Window): number {
    const edges = findEdges(window, this.#options.smoothed);
    if (edges === null) return window.none();
    const histograms = window.histograms!;
    const inside: FloatHistogram[] = [];
    for (let i = edges.first; i <= edges.last; i++) inside.push(histograms[i]!);
    const name = window.metricName;
    if (inside.some(histogram => isCustom(histogram) !== isCustom(inside[0]!))) {
      this.#context.annotate('warning', mixedSchemas(name));
      return window.none();
    }
    const { counter, perSecond } = this.#options;
    if (counter && inside.some(histogram => histogram.counterResetHint === 'gauge')) {
      this.#context.annotate('warning', notCounter(name));
    }
    try {
      const result = this.#difference(window, edges);
      result.hint = 'gauge';
      if (perSecond) result.divide(window.rangeMs / 1000);
      window.histogram = result.value;
    } catch (thrown) {
      if (!(thrown instanceof IncompatibleSchemas)) throw thrown;
      this.#context.annotate('warning', mixedSchemas(name));
      return window.none();
    }
    return 0;
  }

  #difference(window: Window, edges: Edges): HistogramSum {
    const { counter, smoothed } = this.#options;
    const { first, last, startMs, endMs } = edges;
    const { times } = window;
    const histograms = window.histograms!;
    const left =
      smoothed && times[first]! < startMs
        ? this.#between(window, first, startMs)
        : histograms[first]!;
    const right =
      smoothed && last > window.from && times[last]! > endMs
        ? this.#between(window, last - 1, endMs)
        : histograms[last]!;
    if (!counter && (left.counterResetHint !== 'gauge' || right.counterResetHint !== 'gauge')) {
      this.#context.annotate('warning', notGauge(window.metricName));
    }
    const result = new HistogramSum(right);
    this.#remark(result.subtract(left).boundsReconciled, 'subtraction');
    if (counter) {
      for (const lost of this.#lost(window, edges, left, right)) {
        this.#remark(result.add(lost).boundsReconciled, 'addition');
      }
    }
    return result;
  }

  #between(window: Window, index: number, timeMs: number): FloatHistogram {
    const { times } = window;
    const histograms = window.histograms!;
    const made = interpolateHistograms(
      { timeMs: times[index]!, histogram: histograms[index]! },
      { timeMs: times[index + 1]!, histogram: histograms[index + 1]! },
      timeMs,
      this.#options.counter,
    );
    this.#remark(made.boundsReconciled, 'subtraction');
    return made.histogram;
  }

  /** The histograms before each reset in the range. */
  #lost(
    window: Window,
    edges: Edges,
    left: FloatHistogram,
    right: FloatHistogram,
  ): FloatHistogram[] {
    const { first, last, startMs } = edges;
    const histograms = window.histograms!;
    let next = first + 1;
    let before = left;
    const crossed =
      this.#options.smoothed &&
      window.times[first]! < startMs &&
      detectReset(histograms[first + 1]!, histograms[first]!);
    if (crossed) {
      // The line at the left edge has taken this reset into account.
      before = histograms[first + 1]!;
      next++;
    }
    if (next > last) return [];
    const lost: FloatHistogram[] = [];
    for (let i = next; i < last; i++) {
      if (detectReset(histograms[i]!, before)) lost.push(before);
      before = histograms[i]!;
    }
    if (detectReset(right, before)) lost.push(before);
    return lost;
  }

  #remark(reconciled: boolean, operation: 'addition' | 'subtraction'): void {
    if (reconciled) this.#context.annotate('info', boundsReconciled(operation));
  }
}
