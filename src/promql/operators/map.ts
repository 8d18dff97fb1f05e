// Operators that change blocks cell by cell on their way through.

import type { StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { NameDrop } from './names.ts';
import type { Distinctness, ScalarOperator, VectorOperator } from './operator.ts';

/** Changes a block in place; `scalars` holds one value per step for each scalar argument. */
export type BlockChange = (block: StepBlock, scalars: readonly Float64Array[]) => void;

export interface MapOptions {
  readonly change: BlockChange;
  readonly scalars: readonly ScalarOperator[];
  readonly keepName: boolean;
  /** Looks at the scalars before anything is read. */
  readonly check?: (scalars: readonly Float64Array[]) => void;
}

/** Applies one change to every block; rows that lose their last cell are left out. */
export class MapOperator implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  readonly #options: MapOptions;
  readonly #names: NameDrop | null;
  #scalars: Float64Array[] | null = null;

  constructor(execution: Execution, input: VectorOperator, options: MapOptions) {
    this.#execution = execution;
    this.#input = input;
    this.#options = options;
    this.#names = options.keepName ? null : new NameDrop(execution, input.distinct);
    this.distinct = this.#names?.distinct ?? input.distinct;
  }

  async next(): Promise<StepBlock | null> {
    this.#scalars ??= await this.#prepare();
    for (;;) {
      const block = await this.#input.next();
      if (block === null) return null;
      this.#options.change(block, this.#scalars);
      compact(block);
      if (block.rows.length === 0) continue;
      await this.#names?.apply(block);
      await this.#execution.breathe();
      return block;
    }
  }

  async #prepare(): Promise<Float64Array[]> {
    const scalars = await evaluateAll(this.#options.scalars);
    this.#options.check?.(scalars);
    return scalars;
  }

  close(): void {
    this.#input.close();
    for (const scalar of this.#options.scalars) scalar.close();
  }
}

/** The values of several scalars, one after the other. */
export async function evaluateAll(scalars: readonly ScalarOperator[]): Promise<Float64Array[]> {
  const all: Float64Array[] = [];
  for (const scalar of scalars) all.push(await scalar.values());
  return all;
}

/** Removes rows without any present cell. */
export function compact(block: StepBlock): void {
  const { steps, rows } = block;
  let kept = 0;
  for (let row = 0; row < rows.length; row++) {
    if (!block.rowPresent(row)) continue;
    if (kept !== row) moveRow(block, row, kept);
    kept++;
  }
  if (kept === rows.length) return;
  block.present.fill(0, kept * steps, rows.length * steps);
  rows.length = kept;
  if (block.histograms) block.histograms.length = Math.min(block.histograms.length, kept * steps);
}

function moveRow(block: StepBlock, from: number, to: number): void {
  const { steps, histograms } = block;
  block.rows[to] = block.rows[from]!;
  block.values.copyWithin(to * steps, from * steps, (from + 1) * steps);
  block.present.copyWithin(to * steps, from * steps, (from + 1) * steps);
  if (!histograms) return;
  for (let i = 0; i < steps; i++) histograms[to * steps + i] = histograms[from * steps + i];
}
