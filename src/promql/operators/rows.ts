// Rows held in memory, handed out as blocks.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { type RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import type { Distinctness, VectorOperator } from './operator.ts';

/** One row over all steps of a grid. */
export interface Row {
  readonly labels: RowLabels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms: (FloatHistogram | undefined)[] | null;
}

/** The histograms from…to−1, null where there is none. */
export function sliceHistograms(
  histograms: readonly (FloatHistogram | undefined)[],
  from: number,
  to: number,
): (FloatHistogram | undefined)[] | null {
  const part = histograms.slice(from, to);
  return part.some(histogram => histogram !== undefined) ? part : null;
}

/** Writes a row into a block that has room. */
export function writeRow(block: StepBlock, row: Row): void {
  const at = block.addRow(row.labels);
  block.values.set(row.values, at);
  block.present.set(row.present, at);
  row.histograms?.forEach((histogram, step) => {
    if (histogram) block.setHistogram(at + step, histogram);
  });
}

/** Where the rows of a `RowsOperator` come from. */
export interface RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness;
  /** All rows; those without a present cell are passed over. Called once. */
  collect(): Promise<Iterable<Row>>;
  close(): void;
}

/** Computes all its rows when first asked, then hands them out. */
export class RowsOperator implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #producer: RowsProducer;
  readonly #block: StepBlock;
  #rows: Iterator<Row> | null = null;

  constructor(execution: Execution, producer: RowsProducer) {
    this.#execution = execution;
    this.#producer = producer;
    this.#block = new StepBlock(producer.steps);
    this.distinct = producer.distinct;
  }

  all(): Promise<Iterable<Row>> {
    return this.#producer.collect();
  }

  async next(): Promise<StepBlock | null> {
    this.#rows ??= (await this.#producer.collect())[Symbol.iterator]();
    const block = this.#block;
    block.clear();
    while (!block.full) {
      const row = this.#rows.next();
      if (row.done) break;
      writeRow(block, row.value);
      if (!block.rowPresent(block.rows.length - 1)) block.dropLastRow();
      else if (this.#execution.due) break;
    }
    if (block.rows.length === 0) {
      this.close();
      return null;
    }
    await this.#execution.breathe();
    return block;
  }

  close(): void {
    this.#producer.close();
  }
}
