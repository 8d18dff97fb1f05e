// Binary operators where a side is a native histogram.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { AnnotationKind } from '../annotations.ts';
import type { ElementOp } from '../operators/arithmetic.ts';
import { boundsReconciled, resetCollision } from './messages.ts';
import { equalHistograms } from './reset.ts';
import { HistogramSum, IncompatibleSchemas, type Reconciliation } from './sum.ts';
import { trimHistogram } from './trim.ts';

export interface HistogramOperands {
  readonly left: number | FloatHistogram;
  readonly right: number | FloatHistogram;
  annotate(kind: AnnotationKind, message: string): void;
}

/** What came of the operation; without `keep`, the element is filtered out. */
export interface HistogramOutcome {
  readonly histogram: FloatHistogram | null;
  readonly keep: boolean;
}

/** The outcome; null where the operator does not take such operands. */
export function histogramOperation(
  op: ElementOp,
  operands: HistogramOperands,
): HistogramOutcome | null {
  const { left, right } = operands;
  if (typeof left === 'number') {
    if (typeof right === 'number' || op !== '*') return null;
    return kept(new HistogramSum(right).scale(left).value);
  }
  if (typeof right === 'number') return withNumber(op, left, right);
  return withHistogram(op, left, right, operands);
}

function kept(histogram: FloatHistogram): HistogramOutcome {
  return { histogram, keep: true };
}

function withNumber(op: ElementOp, left: FloatHistogram, right: number): HistogramOutcome | null {
  switch (op) {
    case '*':
      return kept(new HistogramSum(left).scale(right).value);
    case '/':
      return kept(new HistogramSum(left).divide(right).value);
    case '</':
      return kept(trimHistogram(left, right, 'above'));
    case '>/':
      return kept(trimHistogram(left, right, 'below'));
    default:
      return null;
  }
}

function withHistogram(
  op: ElementOp,
  left: FloatHistogram,
  right: FloatHistogram,
  { annotate }: HistogramOperands,
): HistogramOutcome | null {
  if (op === '==') return { histogram: left, keep: equalHistograms(left, right) };
  if (op === '!=') return { histogram: left, keep: !equalHistograms(left, right) };
  if (op !== '+' && op !== '-') return null;
  const result = new HistogramSum(left);
  let outcome: Reconciliation;
  try {
    outcome = op === '+' ? result.add(right) : result.subtract(right);
  } catch (thrown) {
    if (!(thrown instanceof IncompatibleSchemas)) throw thrown;
    annotate('warning', `incompatible bucket layout encountered for binary operator ${op}`);
    return { histogram: null, keep: false };
  }
  const name = op === '+' ? 'addition' : 'subtraction';
  if (outcome.resetCollision) annotate('warning', resetCollision(name));
  if (outcome.boundsReconciled) annotate('info', boundsReconciled(name));
  if (op === '-') result.hint = 'gauge';
  return kept(result.value);
}
