// Scalars: one number per step.

import type { ArithmeticOp, ComparisonOp } from '../ast.ts';
import type { Grid } from '../grid.ts';
import { scalarOperation } from './arithmetic.ts';
import type { ScalarOperator, VectorOperator } from './operator.ts';

/** The same number at every step. */
export class ConstantScalar implements ScalarOperator {
  readonly #value: number;
  readonly #steps: number;

  constructor(value: number, steps: number) {
    this.#value = value;
    this.#steps = steps;
  }

  async values(): Promise<Float64Array> {
    return new Float64Array(this.#steps).fill(this.#value);
  }

  close(): void {}
}

/** The evaluation time in seconds. */
export class TimeScalar implements ScalarOperator {
  readonly #grid: Grid;

  constructor(grid: Grid) {
    this.#grid = grid;
  }

  async values(): Promise<Float64Array> {
    const { startMs, stepMs, count } = this.#grid;
    return Float64Array.from({ length: count }, (_, step) => (startMs + step * stepMs) / 1000);
  }

  close(): void {}
}

/** A function of one or two scalars, step by step. */
export class ComputedScalar implements ScalarOperator {
  readonly #inputs: readonly [ScalarOperator, ScalarOperator];
  readonly #compute: (left: number, right: number) => number;

  constructor(
    left: ScalarOperator,
    right: ScalarOperator,
    compute: (left: number, right: number) => number,
  ) {
    this.#inputs = [left, right];
    this.#compute = compute;
  }

  async values(): Promise<Float64Array> {
    const left = await this.#inputs[0].values();
    const right = await this.#inputs[1].values();
    for (let step = 0; step < left.length; step++) {
      left[step] = this.#compute(left[step]!, right[step]!);
    }
    return left;
  }

  close(): void {
    for (const input of this.#inputs) input.close();
  }
}

/** A function of one scalar, step by step. */
export class MappedScalar implements ScalarOperator {
  readonly #input: ScalarOperator;
  readonly #compute: (value: number) => number;

  constructor(input: ScalarOperator, compute: (value: number) => number) {
    this.#input = input;
    this.#compute = compute;
  }

  async values(): Promise<Float64Array> {
    return (await this.#input.values()).map(this.#compute);
  }

  close(): void {
    this.#input.close();
  }
}

/** An arithmetic or comparing operation between scalars. */
export function scalarBinary(
  op: ArithmeticOp | ComparisonOp,
  left: ScalarOperator,
  right: ScalarOperator,
): ScalarOperator {
  return new ComputedScalar(left, right, scalarOperation(op));
}

/** `scalar(v)`: the value of the only float, NaN where there is none or more than one. */
export class VectorScalar implements ScalarOperator {
  readonly #input: VectorOperator;
  readonly #steps: number;

  constructor(input: VectorOperator, steps: number) {
    this.#input = input;
    this.#steps = steps;
  }

  async values(): Promise<Float64Array> {
    const steps = this.#steps;
    const values = new Float64Array(steps).fill(Number.NaN);
    const seen = new Uint8Array(steps);
    for (;;) {
      const block = await this.#input.next();
      if (block === null) return values;
      for (let cell = 0; cell < block.rows.length * steps; cell++) {
        if (block.present[cell] === 0 || block.histograms?.[cell]) continue;
        const step = cell % steps;
        values[step] = seen[step] === 0 ? block.values[cell]! : Number.NaN;
        seen[step] = 1;
      }
    }
  }

  close(): void {
    this.#input.close();
  }
}

/** Repeats a scalar of one step. */
export class RepeatedScalar implements ScalarOperator {
  readonly #input: ScalarOperator;
  readonly #steps: number;

  constructor(input: ScalarOperator, steps: number) {
    this.#input = input;
    this.#steps = steps;
  }

  async values(): Promise<Float64Array> {
    const [value] = await this.#input.values();
    return new Float64Array(this.#steps).fill(value!);
  }

  close(): void {
    this.#input.close();
  }
}
