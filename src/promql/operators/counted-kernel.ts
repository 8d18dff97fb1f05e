// Kernels that count what their windows hold, for queries whose statistics are asked for.

import type { RowLabels, StepBlock } from '../block.ts';
import {
  type CountedWindows,
  countCells,
  countWindows,
  type SampleCounts,
} from '../sample-counts.ts';
import type { RowKernel } from './window.ts';
import type { WindowColumns } from './window-columns.ts';

/** What is known of the samples. */
export interface Counted {
  readonly counts: SampleCounts;
  /** Of histograms only the totals are looked at. */
  readonly bare: boolean;
}

/** Counts one sample for each cell that a kernel fills; with `weighs`, histograms by their size. */
export class CountedCells implements RowKernel {
  readonly #kernel: RowKernel;
  readonly #counted: Counted;
  readonly #weighs: boolean;

  constructor(kernel: RowKernel, counted: Counted, weighs: boolean) {
    this.#kernel = kernel;
    this.#counted = counted;
    this.#weighs = weighs;
  }

  run(columns: WindowColumns, series: RowLabels, block: StepBlock, at: number): boolean {
    if (!this.#kernel.run(columns, series, block, at)) return false;
    const { counts, bare } = this.#counted;
    countCells(counts, block, at, { bare, weighs: this.#weighs });
    return true;
  }
}

/** Counts the samples in every window of a kernel that takes stale markers out of its columns. */
export class CountedRanges implements RowKernel {
  readonly #kernel: RowKernel;
  readonly #counted: Counted;
  readonly #windows: CountedWindows;

  constructor(kernel: RowKernel, counted: Counted, windows: CountedWindows) {
    this.#kernel = kernel;
    this.#counted = counted;
    this.#windows = windows;
  }

  run(columns: WindowColumns, series: RowLabels, block: StepBlock, at: number): boolean {
    const any = this.#kernel.run(columns, series, block, at);
    const { counts, bare } = this.#counted;
    countWindows(counts, columns, this.#windows, bare);
    return any;
  }
}
