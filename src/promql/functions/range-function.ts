// Functions over windows of samples. A function is asked window by window, with one Window object that is
// changed between calls; windows only move forward within a series.

import type { WindowQuestion } from '../../kernels/windows.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { AnnotationKind } from '../annotations.ts';
import type { Span } from '../ast.ts';

/** The samples a ≤ i < b of a series: those in (endMs − rangeMs, endMs], stale markers left out. */
export class Window {
  times: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  /** Histograms by sample index, null where the series has none. */
  histograms: (FloatHistogram | undefined)[] | null = null;
  /** Start times by sample index, null where they are unknown or not looked at. */
  startTimes: (number | undefined)[] | null = null;
  /** First index of the window. */
  from = 0;
  /** One past its last index. */
  to = 0;
  /** All samples of the series that were read: first index is 0. */
  length = 0;
  endMs = 0;
  rangeMs = 0;
  /** The time of the evaluation, before offset and `@`. */
  evalMs = 0;
  step = 0;
  /** Set by a function that has no answer for a window. */
  absent = false;
  /** Set by a function whose answer is a histogram. */
  histogram: FloatHistogram | null = null;
  /** The metric's name, '' where it has none. */
  metricName = '';

  /** True where the window holds nothing but floats. */
  get allFloats(): boolean {
    const { histograms } = this;
    if (histograms === null) return true;
    for (let i = this.from; i < this.to; i++) if (histograms[i] !== undefined) return false;
    return true;
  }

  /** True where the window holds nothing but histograms. */
  get allHistograms(): boolean {
    for (let i = this.from; i < this.to; i++) if (this.histograms?.[i] === undefined) return false;
    return true;
  }

  /** The answer "nothing". */
  none(): number {
    this.absent = true;
    return 0;
  }
}

/** What a function may use beside the window. */
export interface RangeContext {
  /** Scalar arguments in the order of the call, one value per step each. */
  readonly scalars: readonly Float64Array[];
  annotate(kind: AnnotationKind, message: string): void;
  /** The same at the place of an argument. */
  annotateAt(kind: AnnotationKind, message: string, span: Span): void;
  /** Places of the call's arguments. */
  readonly argSpans: readonly Span[];
}

/** One range function, made anew for each call in a query. */
export interface RangeFunction {
  /** What the window kernels are asked for series of floats without start times, where they know it. */
  readonly question?: WindowQuestion;
  /** Told the metric's name of a series with a window that a kernel has answered. */
  remark?(metricName: string): void;
  /** Called once per series before its first window. */
  begin?(window: Window): void;
  /** The answer for a non-empty window of floats. */
  floats(window: Window): number;
  /**
   * The answer for a non-empty window with histograms in it: a float returned, or `histogram` set. Absent
   * where histograms are passed over: then `floats` sees the floats alone, and a remark is made.
   */
  mixed?(window: Window): number;
}

export type RangeFunctionFactory = (context: RangeContext) => RangeFunction;
