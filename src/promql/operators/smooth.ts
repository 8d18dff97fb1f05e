// Smoothed instant selectors: the value on the line between the samples around each step.

import { METRIC_NAME } from '../../labels/labels.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import type { Span } from '../ast.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import type { Grid } from '../grid.ts';
import { interpolateHistograms } from '../histogram/interpolate.ts';
import { boundsReconciled, mixedFloats, mixedSchemas } from '../histogram/messages.ts';
import { isCustom } from '../histogram/sum.ts';
import { removeStale } from './lookup.ts';
import type { RowKernel } from './window.ts';

/** Looks back and ahead by the lookback; carries the last value on where nothing follows. */
export class SmoothKernel implements RowKernel {
  readonly #execution: Execution;
  readonly #grid: Grid;
  readonly #span: Span;

  constructor(execution: Execution, grid: Grid, span: Span) {
    this.#execution = execution;
    this.#grid = grid;
    this.#span = span;
  }

  run(columns: SampleColumns, series: RowLabels, block: StepBlock, at: number): boolean {
    removeStale(columns);
    const { times, length } = columns;
    const { startMs, stepMs, count } = this.#grid;
    const lookback = this.#execution.lookbackMs;
    let from = 0;
    let to = 0;
    let next = 0;
    let any = false;
    for (let step = 0; step < count; step++) {
      const time = startMs + step * stepMs;
      while (from < length && times[from]! <= time - lookback) from++;
      while (to < length && times[to]! <= time + lookback) to++;
      while (next < length && times[next]! < time) next++;
      if (from >= to || !this.#sameKind(columns, from, to, series)) continue;
      if (this.#write(columns, { from, to, next }, time, { block, cell: at + step, series })) {
        any = true;
      }
    }
    return any;
  }

  #annotate(kind: 'warning' | 'info', message: string): void {
    this.#execution.annotations.add(kind, message, this.#span);
  }

  #sameKind(columns: SampleColumns, from: number, to: number, series: RowLabels): boolean {
    const { histograms } = columns;
    if (histograms === null) return true;
    const first = histograms[from] === undefined;
    for (let i = from + 1; i < to; i++) {
      if ((histograms[i] === undefined) === first) continue;
      this.#annotate('warning', mixedFloats(series.label(METRIC_NAME)));
      return false;
    }
    return true;
  }

  #write(
    columns: SampleColumns,
    { from, to, next }: { readonly from: number; readonly to: number; readonly next: number },
    time: number,
    target: { readonly block: StepBlock; readonly cell: number; readonly series: RowLabels },
  ): boolean {
    const { times, values, histograms } = columns;
    const { block, cell } = target;
    const follows = next < to;
    if (next <= from && !(follows && times[next] === time)) return false;
    const index = follows && times[next] === time ? next : next - 1;
    if (histograms?.[index]) return this.#writeHistogram(columns, index, follows, time, target);
    block.present[cell] = 1;
    if (!follows || index === next) {
      block.values[cell] = values[index]!;
      return true;
    }
    const share = (time - times[index]!) / (times[next]! - times[index]!);
    block.values[cell] = values[index]! + (values[next]! - values[index]!) * share;
    return true;
  }

  #writeHistogram(
    columns: SampleColumns,
    index: number,
    follows: boolean,
    time: number,
    target: { readonly block: StepBlock; readonly cell: number; readonly series: RowLabels },
  ): boolean {
    const { times } = columns;
    const histograms = columns.histograms!;
    const { block, cell, series } = target;
    const left = histograms[index]!;
    if (times[index] === time) {
      block.setHistogram(cell, left);
      return true;
    }
    if (!follows) {
      block.setHistogram(cell, { ...left, counterResetHint: 'unknown' });
      return true;
    }
    const right = histograms[index + 1]!;
    if (isCustom(left) !== isCustom(right)) {
      this.#annotate('warning', mixedSchemas(series.label(METRIC_NAME)));
      return false;
    }
    const counter = left.counterResetHint !== 'gauge' || right.counterResetHint !== 'gauge';
    const made = interpolateHistograms(
      { timeMs: times[index]!, histogram: left },
      { timeMs: times[index + 1]!, histogram: right },
      time,
      counter,
    );
    if (made.boundsReconciled) this.#annotate('info', boundsReconciled('subtraction'));
    block.setHistogram(cell, made.histogram);
    return true;
  }
}
