// Rows that are kept, many to one piece of memory: small pieces outside the heap cost more to allocate and
// to collect than to fill.

import type { RowLabels, StepBlock } from '../block.ts';
import { type Row, sliceHistograms } from './rows.ts';

const ROWS_FIRST = 8;
const FLOATS_FIRST = 128;
/** Most cells in a piece of memory. */
const CELLS_MAX = 65_536;

/** The cells of one row: all 0. */
export interface RowCells {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** Hands out rows of one length. They stay valid; memory goes when all rows of a piece are gone. */
export class RowStore {
  readonly #steps: number;
  #rows = 0;
  #used = 0;
  #values = new Float64Array(0);
  #present = new Uint8Array(0);

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** Says that so many rows are about to be taken. */
  expect(rows: number): void {
    if (this.#rows - this.#used < rows) this.#grow(rows);
  }

  /** A new row. */
  take(): RowCells {
    if (this.#used === this.#rows) this.#grow(ROWS_FIRST);
    const at = this.#used++ * this.#steps;
    const end = at + this.#steps;
    return { values: this.#values.subarray(at, end), present: this.#present.subarray(at, end) };
  }

  /** A copy of one row of a block; `labels` must last. */
  copy(block: StepBlock, row: number, labels: RowLabels): Row {
    const { values, present } = this.take();
    const at = row * block.steps;
    const end = at + block.steps;
    values.set(block.values.subarray(at, end));
    present.set(block.present.subarray(at, end));
    const histograms = block.histograms ? sliceHistograms(block.histograms, at, end) : null;
    return { labels, values, present, histograms };
  }

  #grow(wanted: number): void {
    const most = Math.max(1, Math.floor(CELLS_MAX / Math.max(1, this.#steps)));
    this.#rows = Math.min(most, Math.max(wanted, this.#rows * 2));
    this.#used = 0;
    this.#values = new Float64Array(this.#rows * this.#steps);
    this.#present = new Uint8Array(this.#rows * this.#steps);
  }
}

/** Hands out arrays of any length: all 0. */
export class FloatStore {
  #floats = new Float64Array(0);
  #used = 0;

  take(length: number): Float64Array {
    if (this.#used + length > this.#floats.length) {
      const doubled = Math.min(CELLS_MAX, this.#floats.length * 2);
      this.#floats = new Float64Array(Math.max(length, doubled, FLOATS_FIRST));
      this.#used = 0;
    }
    this.#used += length;
    return this.#floats.subarray(this.#used - length, this.#used);
  }
}
