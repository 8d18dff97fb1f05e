// Series to rows: decodes each series once and lets a kernel write its row.

import { type RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { NameDrop } from './names.ts';
import type { Distinctness, RangeSeries, RangeSource, VectorOperator } from './operator.ts';
import { WindowColumns } from './window-columns.ts';

/** Computes one row from a series' samples. */
export interface RowKernel {
  /**
   * Writes the cells of the row that starts at `at`. The columns may be changed. True where any cell is
   * present.
   */
  run(columns: WindowColumns, series: RowLabels, block: StepBlock, at: number): boolean;
}

export interface WindowOptions {
  readonly steps: number;
  readonly keepName: boolean;
  /** Evaluates what the kernel needs, before the first series. */
  readonly prepare?: () => Promise<void>;
  /** Releases what `prepare` evaluates. */
  readonly dispose?: () => void;
}

/** Runs a kernel over every series of a source. Series without a present cell are left out. */
export class WindowOperator implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #source: RangeSource;
  readonly #kernel: RowKernel;
  readonly #block: StepBlock;
  readonly #columns = new WindowColumns();
  /** Samples of the longest series so far. */
  #longest = 0;
  readonly #names: NameDrop | null;
  #prepare: (() => Promise<void>) | undefined;
  readonly #dispose: (() => void) | undefined;
  #batch: readonly RangeSeries[] = [];
  #cursor = 0;
  #held = 0;

  constructor(
    execution: Execution,
    source: RangeSource,
    kernel: RowKernel,
    options: WindowOptions,
  ) {
    this.#execution = execution;
    this.#source = source;
    this.#kernel = kernel;
    this.#block = new StepBlock(options.steps);
    this.#prepare = options.prepare;
    this.#dispose = options.dispose;
    this.#names = options.keepName ? null : new NameDrop(execution, source.distinct);
    this.distinct = this.#names?.distinct ?? source.distinct;
  }

  async next(): Promise<StepBlock | null> {
    const block = this.#block;
    block.clear();
    const prepare = this.#prepare;
    this.#prepare = undefined;
    await prepare?.();
    while (block.rows.length === 0) {
      if (this.#cursor >= this.#batch.length) {
        const batch = await this.#source.next();
        if (batch === null) {
          this.close();
          return null;
        }
        this.#batch = batch;
        this.#cursor = 0;
        block.expect(batch.length);
      }
      this.#fill(block);
      await this.#execution.breathe();
    }
    this.#count(block.rows.length * block.steps + this.#longest);
    await this.#names?.apply(block);
    return block;
  }

  close(): void {
    this.#execution.release(this.#held);
    this.#held = 0;
    this.#batch = [];
    this.#source.close();
    this.#dispose?.();
  }

  /** Takes series of the batch at hand, as many as one slice of time allows; rows refer to series of this batch only. */
  #fill(block: StepBlock): void {
    const columns = this.#columns;
    while (this.#cursor < this.#batch.length && !block.full) {
      const series = this.#batch[this.#cursor++]!;
      columns.clear();
      series.samples(columns);
      const { length } = columns;
      this.#execution.samplesRead += length;
      if (length === 0) continue;
      if (length > this.#longest) this.#longest = length;
      const at = block.addRow(series);
      if (!this.#kernel.run(columns, series, block, at)) block.dropLastRow();
      if (this.#execution.dueAfter(length + block.steps)) return;
    }
  }

  #count(held: number): void {
    this.#execution.release(this.#held);
    this.#held = held;
    this.#execution.hold(held);
  }
}
