// Sums and means of native histograms over a window.

import type { RangeContext, Window } from './range-function.ts';
import { unsupported } from './rate-histograms.ts';

export function histogramSum(_context: RangeContext): (window: Window) => number {
  return () => {
    throw unsupported('sum_over_time');
  };
}

export function histogramAvg(_context: RangeContext): (window: Window) => number {
  return () => {
    throw unsupported('avg_over_time');
  };
}
