// Slides a window over each series and asks a range function at each step.

import { type WindowFrame, windowKernels } from '../../kernels/windows.ts';
import { METRIC_NAME } from '../../labels/labels.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import { type RangeContext, type RangeFunction, Window } from '../functions/range-function.ts';
import type { Grid } from '../grid.ts';
import { quote } from '../literals.ts';
import { removeStale } from './lookup.ts';
import type { RowKernel } from './window.ts';
import type { WindowColumns } from './window-columns.ts';

/** Where the windows lie. */
export interface WindowShape {
  /** The windows' ends: evaluation times moved by offset and `@`. */
  readonly ends: Grid;
  readonly rangeMs: number;
  /** How far beyond the range's edges windows reach: for anchored and smoothed ranges. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** True where start times are looked at. */
  readonly startTimes: boolean;
  /** The evaluation times themselves. */
  readonly evaluations: Grid;
  /** The name of every series, where the selector says it. */
  readonly metricName?: string;
}

/** The kernel of one call of a range function. */
export class RangeKernel implements RowKernel {
  readonly #shape: WindowShape;
  readonly #function: RangeFunction;
  readonly #context: RangeContext;
  readonly #window = new Window();
  /** Where the windows lie, for kernels; null where none knows the function. */
  #frame: WindowFrame | null = null;
  // Floats of windows that also hold histograms, for functions that pass over histograms.
  #floatTimes = new Float64Array(0);
  #floatValues = new Float64Array(0);

  constructor(shape: WindowShape, fn: RangeFunction, context: RangeContext) {
    this.#shape = shape;
    this.#function = fn;
    this.#context = context;
    const { ends, rangeMs, beforeMs, afterMs } = shape;
    const plain = beforeMs === 0 && afterMs === 0;
    if (fn.question && plain && windowKernels().takesSteps(ends.count)) {
      this.#frame = { ...ends, reachMs: rangeMs };
    }
  }

  run(columns: WindowColumns, series: RowLabels, block: StepBlock, at: number): boolean {
    const { forKernels } = columns;
    if (forKernels) columns.length = windowKernels().dropStale(columns.length);
    else removeStale(columns);
    const seesStarts = this.#shape.startTimes && columns.startTimes !== null;
    if (this.#frame && forKernels && !seesStarts) {
      const filled = windowKernels().ask(this.#function.question!, this.#frame, columns.length);
      if (filled >= 0) return this.#copy(filled, series, block, at);
    }
    return this.#slide(columns, series, block, at);
  }

  /** Takes over what a kernel has answered. */
  #copy(filled: number, series: RowLabels, block: StepBlock, at: number): boolean {
    if (filled === 0) return false;
    windowKernels().copyRow(block.values, block.present, at);
    this.#function.remark?.(this.#shape.metricName ?? series.label(METRIC_NAME));
    return block.rowPresent(block.rows.length - 1);
  }

  #slide(columns: WindowColumns, series: RowLabels, block: StepBlock, at: number): boolean {
    const window = this.#window;
    const { ends, evaluations, afterMs } = this.#shape;
    const reachMs = this.#shape.rangeMs + this.#shape.beforeMs;
    const { times, length } = columns;
    this.#load(columns, series);
    let from = 0;
    let to = 0;
    let any = false;
    for (let step = 0; step < ends.count; step++) {
      const end = ends.startMs + step * ends.stepMs;
      while (to < length && times[to]! <= end + afterMs) to++;
      while (from < to && times[from]! <= end - reachMs) from++;
      if (from === to) continue;
      window.from = from;
      window.to = to;
      window.endMs = end;
      window.step = step;
      window.evalMs = evaluations.startMs + step * evaluations.stepMs;
      if (this.#ask(block, at + step)) any = true;
    }
    return any;
  }

  #load(columns: WindowColumns, series: RowLabels): void {
    const window = this.#window;
    window.times = columns.times;
    window.values = columns.values;
    window.histograms = columns.histograms;
    window.startTimes = this.#shape.startTimes ? columns.startTimes : null;
    window.length = columns.length;
    window.rangeMs = this.#shape.rangeMs;
    window.metricName = series.label(METRIC_NAME);
    this.#function.begin?.(window);
  }

  /** Writes one cell; false where the function has no answer. */
  #ask(block: StepBlock, cell: number): boolean {
    const window = this.#window;
    window.absent = false;
    window.histogram = null;
    const value =
      window.histograms === null || window.allFloats
        ? this.#function.floats(window)
        : this.#function.mixed
          ? this.#function.mixed(window)
          : this.#passOverHistograms();
    if (window.absent) return false;
    if (window.histogram !== null) {
      block.setHistogram(cell, window.histogram);
    } else {
      block.values[cell] = value;
      block.present[cell] = 1;
    }
    return true;
  }

  #passOverHistograms(): number {
    const window = this.#window;
    const { times, values, histograms, from, to } = window;
    if (this.#floatTimes.length < to - from) {
      this.#floatTimes = new Float64Array(2 * (to - from));
      this.#floatValues = new Float64Array(2 * (to - from));
    }
    let count = 0;
    for (let i = from; i < to; i++) {
      if (histograms![i] !== undefined) continue;
      this.#floatTimes[count] = times[i]!;
      this.#floatValues[count] = values[i]!;
      count++;
    }
    if (count === 0) return window.none();
    this.#context.annotate(
      'info',
      `ignored histograms in a range containing both floats and histograms for metric name ${quote(window.metricName)}`,
    );
    window.times = this.#floatTimes;
    window.values = this.#floatValues;
    window.from = 0;
    window.to = count;
    const value = this.#function.floats(window);
    window.times = times;
    window.values = values;
    return value;
  }
}
