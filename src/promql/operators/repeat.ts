// Step-invariant parts are evaluated once and repeated at every step.

import { type RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import type { Distinctness, ScalarOperator, VectorOperator } from './operator.ts';

/** Repeats the only step of its input. */
export class RepeatOperator implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  readonly #block: StepBlock;
  #pending: StepBlock | null = null;
  #row = 0;

  constructor(execution: Execution, input: VectorOperator, steps: number) {
    this.#execution = execution;
    this.#input = input;
    this.#block = new StepBlock(steps);
    this.distinct = input.distinct;
  }

  async next(): Promise<StepBlock | null> {
    const block = this.#block;
    block.clear();
    if (this.#pending === null || this.#row >= this.#pending.rows.length) {
      this.#pending = await this.#input.next();
      this.#row = 0;
      if (this.#pending === null) return null;
    }
    while (this.#row < this.#pending.rows.length && !block.full) {
      this.#repeat(this.#pending, this.#row++);
    }
    await this.#execution.breathe();
    return block;
  }

  close(): void {
    this.#input.close();
  }

  #repeat(source: StepBlock, row: number): void {
    const block = this.#block;
    const at = block.addRow(source.rows[row]!);
    const histogram = source.histograms?.[row];
    block.values.fill(source.values[row]!, at, at + block.steps);
    block.present.fill(source.present[row]!, at, at + block.steps);
    if (!histogram) return;
    for (let step = 0; step < block.steps; step++) block.setHistogram(at + step, histogram);
  }
}

/** `vector(s)`: one row without labels. */
export class ScalarVector implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #input: ScalarOperator;
  readonly #row: RowLabels;
  #done = false;

  constructor(input: ScalarOperator, row: RowLabels, distinct: Distinctness) {
    this.#input = input;
    this.#row = row;
    this.distinct = distinct;
  }

  async next(): Promise<StepBlock | null> {
    if (this.#done) return null;
    this.#done = true;
    const values = await this.#input.values();
    if (values.length === 0) return null;
    const block = new StepBlock(values.length);
    const at = block.addRow(this.#row);
    block.values.set(values, at);
    block.present.fill(1, at, at + values.length);
    return block;
  }

  close(): void {
    this.#input.close();
  }
}
