// Binary operators where a side is a native histogram.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { AnnotationKind } from '../annotations.ts';
import { unsupported } from '../functions/rate-histograms.ts';
import type { ElementOp } from '../operators/arithmetic.ts';

export interface HistogramOperands {
  readonly left: number | FloatHistogram;
  readonly right: number | FloatHistogram;
  annotate(kind: AnnotationKind, message: string): void;
}

/** The outcome; null where the operator does not take such operands. */
export function histogramOperation(
  op: ElementOp,
  _operands: HistogramOperands,
): { histogram: FloatHistogram | null; keep: boolean } | null {
  throw unsupported(`operator ${op}`);
}
