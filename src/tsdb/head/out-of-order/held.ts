// A sample that came late beside what is held at its time.

import type { FloatHistogram } from '../../../storage/histogram.ts';
import { sameBits } from '../../../storage/sample-bits.ts';
import { sameObservations } from '../histograms/same-observations.ts';

/** What is held at a sample's time. */
export const Held = {
  nothing: 0,
  /** The same float bits, or a histogram with the same observations. */
  identical: 1,
  /** Another value. */
  different: 2,
} as const;

/** Samples by index: histograms where there are any, floats elsewhere. */
export interface LateValues {
  readonly values: Float64Array;
  readonly histograms: readonly (FloatHistogram | undefined)[] | null;
}

/** Compares sample `at` of what is held with a late one of the same time; never `nothing`. */
export function compareSamples(
  held: LateValues,
  at: number,
  late: LateValues,
  index: number,
): number {
  const ours = held.histograms?.[at];
  const theirs = late.histograms?.[index];
  const same =
    ours && theirs
      ? sameObservations(ours, theirs)
      : !ours && !theirs && sameBits(held.values, at, late.values, index);
  return same ? Held.identical : Held.different;
}
