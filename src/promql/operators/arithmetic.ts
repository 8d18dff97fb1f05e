// Binary operators on numbers, and between the cells of a block and a scalar.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { ArithmeticOp, BinaryOp, ComparisonOp, Span, TrimOp } from '../ast.ts';
import { isComparison } from '../ast.ts';
import type { StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { pow } from '../go-math.ts';
import { histogramOperation } from '../histogram/operation.ts';
import type { BlockChange } from './map.ts';

/** An operator that computes or compares. */
export type ElementOp = ArithmeticOp | ComparisonOp | TrimOp;

type Compute = (left: number, right: number) => number;

const ARITHMETIC: Readonly<Record<ArithmeticOp, Compute>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': pow,
  atan2: Math.atan2,
};

type Compare = (left: number, right: number) => boolean;

const COMPARISON: Readonly<Record<ComparisonOp, Compare>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

/** The operation between two scalars; comparisons give 1 or 0. */
export function scalarOperation(op: ArithmeticOp | ComparisonOp): Compute {
  if (!isComparison(op)) return ARITHMETIC[op];
  const compare = COMPARISON[op];
  return (left, right) => (compare(left, right) ? 1 : 0);
}

function isArithmetic(op: BinaryOp): op is ArithmeticOp {
  return op in ARITHMETIC;
}

/** True where the operation yields another metric than its left side. */
export function changesSchema(op: BinaryOp): boolean {
  return isArithmetic(op);
}

/** What one element operation gave; reused between calls. */
export class Element {
  value = 0;
  histogram: FloatHistogram | null = null;
  /** Where false, the operator filters the element out. */
  keep = false;
  /** True where the operator does not take such operands. */
  refused = false;
}

/** Element by element operation on floats and histograms. */
export class ElementOperation {
  readonly op: ElementOp;
  readonly result = new Element();
  readonly #execution: Execution;
  readonly #span: Span;
  readonly #arithmetic: Compute | null;
  readonly #comparison: Compare | null;

  constructor(execution: Execution, op: ElementOp, span: Span) {
    this.op = op;
    this.#execution = execution;
    this.#span = span;
    this.#arithmetic = isArithmetic(op) ? ARITHMETIC[op] : null;
    this.#comparison = isComparison(op) ? COMPARISON[op] : null;
  }

  /** Two floats: `result.value`, and `result.keep` where the operator lets the element pass. */
  floats(left: number, right: number): Element {
    const { result } = this;
    result.histogram = null;
    result.refused = false;
    if (this.#arithmetic) {
      result.value = this.#arithmetic(left, right);
      result.keep = true;
    } else if (this.#comparison) {
      result.value = left;
      result.keep = this.#comparison(left, right);
    } else {
      result.keep = false;
      result.refused = true;
      this.#incompatible('float', 'float');
    }
    return result;
  }

  /** Where at least one side is a histogram. */
  mixed(
    left: number,
    leftHistogram: FloatHistogram | null,
    right: number,
    rightHistogram: FloatHistogram | null,
  ): Element {
    const { result } = this;
    result.histogram = null;
    result.refused = false;
    result.value = 0;
    const outcome = histogramOperation(this.op, {
      left: leftHistogram ?? left,
      right: rightHistogram ?? right,
      annotate: (kind, text) => this.#execution.annotations.add(kind, text, this.#span),
    });
    if (outcome === null) {
      result.keep = false;
      result.refused = true;
      this.#incompatible(
        leftHistogram ? 'histogram' : 'float',
        rightHistogram ? 'histogram' : 'float',
      );
      return result;
    }
    result.keep = outcome.keep;
    result.histogram = outcome.histogram;
    return result;
  }

  #incompatible(left: string, right: string): void {
    this.#execution.annotations.add(
      'info',
      `incompatible sample types encountered for binary operator "${this.op}": ${left} ${this.op} ${right}`,
      this.#span,
    );
  }
}

export interface VectorScalarOptions {
  readonly bool: boolean;
  /** True where the scalar is on the left. */
  readonly swapped: boolean;
}

/** The change that a vector–scalar operation makes; the scalar is the map's first. */
export function vectorScalarChange(
  operation: ElementOperation,
  options: VectorScalarOptions,
): BlockChange {
  const { bool, swapped } = options;
  const { op } = operation;
  const plain = isArithmetic(op) ? ARITHMETIC[op] : null;
  return (block, scalars) => {
    const scalar = scalars[0]!;
    if (plain && block.histograms === null) arithmeticCells(block, scalar, plain, swapped);
    else generalCells(block, scalar, operation, { bool, swapped });
  };
}

function arithmeticCells(
  block: StepBlock,
  scalar: Float64Array,
  compute: Compute,
  swapped: boolean,
): void {
  const { values, steps } = block;
  for (let row = 0; row < block.rows.length; row++) {
    const at = row * steps;
    for (let step = 0; step < steps; step++) {
      const value = values[at + step]!;
      const other = scalar[step]!;
      values[at + step] = swapped ? compute(other, value) : compute(value, other);
    }
  }
}

function generalCells(
  block: StepBlock,
  scalar: Float64Array,
  operation: ElementOperation,
  options: VectorScalarOptions,
): void {
  const { values, present, steps } = block;
  const { bool, swapped } = options;
  const comparing = isComparison(operation.op);
  for (let cell = 0; cell < block.rows.length * steps; cell++) {
    if (present[cell] === 0) continue;
    const value = values[cell]!;
    const histogram = block.histograms?.[cell] ?? null;
    const other = scalar[cell % steps]!;
    const result = histogram
      ? swapped
        ? operation.mixed(other, null, 0, histogram)
        : operation.mixed(0, histogram, other, null)
      : swapped
        ? operation.floats(other, value)
        : operation.floats(value, other);
    if (bool) {
      if (result.refused) present[cell] = 0;
      values[cell] = result.keep ? 1 : 0;
      if (block.histograms) block.histograms[cell] = undefined;
    } else if (!result.keep) {
      present[cell] = 0;
    } else if (histogram || !comparing) {
      values[cell] = result.value;
      if (block.histograms) block.histograms[cell] = result.histogram ?? undefined;
    }
  }
}
