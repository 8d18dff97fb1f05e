// What operators hand to each other: some series over all steps of a grid, in flat columns.

import type { Labels } from '../labels/labels.ts';
import type { FloatHistogram } from '../storage/histogram.ts';

/** The identity of a row. A row from storage is valid only until the block's producer moves on. */
export interface RowLabels {
  readonly labels: Labels;
  label(name: string): string;
  /** True where the metric name is still there but falls away at the end of the query. */
  readonly nameDropped?: boolean;
}

/** Most cells in a block: 1 MiB of values. */
export const BLOCK_CELLS_MAX = 131_072;
/** Most rows in a block: what one operator does with them fits into a slice of time, label sets included. */
export const BLOCK_ROWS_MAX = 4096;
const ROWS_FIRST = 8;

/**
 * Rows × steps. Cell (row, step) lies at row·steps + step and counts where `present` is 1; it is a histogram
 * where `histograms` has one there. A block belongs to its producer and is valid until the producer's next
 * `next()`; its consumer may change cells and rows in place.
 *
 * Several rows may carry the same labels as long as no step is present in two of them.
 */
export class StepBlock {
  readonly steps: number;
  readonly rowsMax: number;
  rows: RowLabels[] = [];
  values: Float64Array;
  present: Uint8Array;
  histograms: (FloatHistogram | undefined)[] | null = null;

  constructor(steps: number) {
    this.steps = steps;
    const fitting = Math.floor(BLOCK_CELLS_MAX / Math.max(1, steps));
    this.rowsMax = Math.max(1, Math.min(BLOCK_ROWS_MAX, fitting));
    this.values = new Float64Array(0);
    this.present = new Uint8Array(0);
  }

  get full(): boolean {
    return this.rows.length >= this.rowsMax;
  }

  /** Forgets all rows. */
  clear(): void {
    this.present.fill(0, 0, this.rows.length * this.steps);
    this.rows = [];
    this.histograms = null;
  }

  /** Makes room for so many rows at once, where there are none yet. */
  expect(rows: number): void {
    const wanted = Math.min(this.rowsMax, rows);
    if (this.rows.length > 0 || wanted * this.steps <= this.values.length) return;
    this.values = new Float64Array(wanted * this.steps);
    this.present = new Uint8Array(wanted * this.steps);
  }

  /** Makes a next row with no cell present and returns the index of its first cell. */
  addRow(labels: RowLabels): number {
    const at = this.rows.length * this.steps;
    if (at + this.steps > this.values.length) this.#grow();
    this.rows.push(labels);
    return at;
  }

  /** Takes the last row back. */
  dropLastRow(): void {
    this.rows.pop();
    const at = this.rows.length * this.steps;
    this.present.fill(0, at, at + this.steps);
    if (this.histograms) this.histograms.length = Math.min(this.histograms.length, at);
  }

  setHistogram(cell: number, histogram: FloatHistogram): void {
    this.histograms ??= [];
    this.histograms[cell] = histogram;
    this.present[cell] = 1;
  }

  /** True where the row has any cell present. */
  rowPresent(row: number): boolean {
    const at = row * this.steps;
    const found = this.present.indexOf(1, at);
    return found >= 0 && found < at + this.steps;
  }

  #grow(): void {
    const rows = Math.min(this.rowsMax, Math.max(ROWS_FIRST, this.rows.length * 2));
    const values = new Float64Array(rows * this.steps);
    const present = new Uint8Array(rows * this.steps);
    values.set(this.values);
    present.set(this.present);
    this.values = values;
    this.present = present;
  }
}
