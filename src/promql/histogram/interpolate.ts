// A native histogram between two others.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { detectReset } from './reset.ts';
import { HistogramSum } from './sum.ts';

/** A histogram at a time. */
export interface TimedHistogram {
  readonly timeMs: number;
  readonly histogram: FloatHistogram;
}

/** What came out, and whether custom bounds had to be brought together. */
export interface Interpolated {
  readonly histogram: FloatHistogram;
  readonly boundsReconciled: boolean;
}

/**
 * The histogram on the line between two; a counter that was reset started from zero. Throws
 * IncompatibleSchemas.
 */
export function interpolateHistograms(
  left: TimedHistogram,
  right: TimedHistogram,
  timeMs: number,
  counter: boolean,
): Interpolated {
  if (timeMs === left.timeMs) return { histogram: left.histogram, boundsReconciled: false };
  if (timeMs === right.timeMs) return { histogram: right.histogram, boundsReconciled: false };
  const share = (timeMs - left.timeMs) / (right.timeMs - left.timeMs);
  const result = new HistogramSum(right.histogram);
  if (counter && detectReset(right.histogram, left.histogram)) {
    return { histogram: result.scale(share).value, boundsReconciled: false };
  }
  const { boundsReconciled } = result.subtract(left.histogram);
  result.scale(share).add(left.histogram);
  return { histogram: result.value, boundsReconciled };
}
