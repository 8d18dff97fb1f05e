// Quantiles and fractions of native histograms.

import type { FloatHistogram } from '../../storage/histogram.ts';
import type { AnnotationKind } from '../annotations.ts';
import { unsupported } from '../functions/rate-histograms.ts';

/** Takes remarks about the histogram. */
export type Remark = (kind: AnnotationKind, message: string) => void;

export function nativeQuantile(_q: number, _histogram: FloatHistogram, _remark: Remark): number {
  throw unsupported('histogram_quantile');
}

export function nativeFraction(
  _bounds: { readonly lower: number; readonly upper: number },
  _histogram: FloatHistogram,
  _remark: Remark,
): number {
  throw unsupported('histogram_fraction');
}
