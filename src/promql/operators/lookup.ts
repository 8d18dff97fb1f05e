// Instant selectors: the newest sample no older than the lookback, unless it says that the series ended.

import { type WindowFrame, windowKernels } from '../../kernels/windows.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import { STALE_HIGH, STALE_LOW } from '../../storage/stale.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Grid } from '../grid.ts';
import type { RowKernel } from './window.ts';
import type { WindowColumns } from './window-columns.ts';

/** What a cell tells of the sample that was found. */
export type LookupAnswer = 'sample' | 'time' | 'start-time';

/** Newest sample with time in (t − lookback, t] at each time of the grid. */
export class LookupKernel implements RowKernel {
  readonly #grid: Grid;
  readonly #lookbackMs: number;
  readonly #answer: LookupAnswer;
  /** Where the windows lie, for the kernel; null where it does not know the answer. */
  #frame: WindowFrame | null = null;

  /** Times are given in seconds; a start time that is unknown is 0. */
  constructor(grid: Grid, lookbackMs: number, answer: LookupAnswer) {
    this.#grid = grid;
    this.#lookbackMs = lookbackMs;
    this.#answer = answer;
    if (answer === 'sample' && windowKernels().takesSteps(grid.count)) {
      this.#frame = { ...grid, reachMs: lookbackMs };
    }
  }

  run(columns: WindowColumns, _series: RowLabels, block: StepBlock, at: number): boolean {
    if (!this.#frame || !columns.forKernels) return this.#walk(columns, block, at);
    const found = windowKernels().newest(this.#frame, columns.length);
    if (found > 0) windowKernels().copyRow(block.values, block.present, at);
    return found > 0;
  }

  #walk(columns: SampleColumns, block: StepBlock, at: number): boolean {
    const { times, values, length, histograms } = columns;
    const words = new Uint32Array(values.buffer, values.byteOffset, length * 2);
    const { startMs, stepMs, count } = this.#grid;
    const out = block.values;
    const present = block.present;
    let next = 0;
    let any = false;
    for (let step = 0; step < count; step++) {
      const time = startMs + step * stepMs;
      while (next < length && times[next]! <= time) next++;
      const i = next - 1;
      if (i < 0 || times[i]! <= time - this.#lookbackMs) continue;
      const value = values[i]!;
      const histogram = histograms?.[i];
      if (histogram !== undefined) {
        if (isStaleHistogram(histogram.sum)) continue;
        if (this.#answer === 'sample') {
          block.setHistogram(at + step, histogram);
          any = true;
          continue;
        }
      } else if (
        Number.isNaN(value) &&
        words[2 * i] === STALE_LOW &&
        words[2 * i + 1] === STALE_HIGH
      ) {
        continue;
      }
      out[at + step] = this.#answer === 'sample' ? value : this.#timeOf(columns, i);
      present[at + step] = 1;
      any = true;
    }
    return any;
  }

  #timeOf(columns: SampleColumns, index: number): number {
    if (this.#answer === 'time') return columns.times[index]! / 1000;
    return (columns.startTimes?.[index] ?? 0) / 1000;
  }
}

const cell = new Float64Array(1);
const cellWords = new Uint32Array(cell.buffer);

function isStaleHistogram(sum: number): boolean {
  if (!Number.isNaN(sum)) return false;
  cell[0] = sum;
  return cellWords[0] === STALE_LOW && cellWords[1] === STALE_HIGH;
}

/** Removes stale markers in place, as windows see the samples. */
export function removeStale(columns: SampleColumns): void {
  const { times, values, length, histograms, startTimes } = columns;
  const words = new Uint32Array(values.buffer, values.byteOffset, length * 2);
  let kept = 0;
  for (let i = 0; i < length; i++) {
    const histogram = histograms?.[i];
    const value = values[i]!;
    const stale = histogram
      ? isStaleHistogram(histogram.sum)
      : Number.isNaN(value) && words[2 * i] === STALE_LOW && words[2 * i + 1] === STALE_HIGH;
    if (stale) continue;
    if (kept !== i) {
      times[kept] = times[i]!;
      values[kept] = value;
      if (histograms) histograms[kept] = histogram;
      if (startTimes) startTimes[kept] = startTimes[i];
    }
    kept++;
  }
  columns.length = kept;
}
