// Sums and means of native histograms over a window.

import {
  boundsReconciled,
  mixedFloats,
  mixedSchemas,
  resetCollision,
} from '../histogram/messages.ts';
import { HistogramTotal } from '../histogram/total.ts';
import type { RangeContext, Window } from './range-function.ts';

/** sum_over_time where the window holds histograms. */
export function histogramSum(context: RangeContext): (window: Window) => number {
  return window => total(context, window, false);
}

/** avg_over_time where the window holds histograms. */
export function histogramAvg(context: RangeContext): (window: Window) => number {
  return window => total(context, window, true);
}

function total(context: RangeContext, window: Window, mean: boolean): number {
  if (!window.allHistograms) {
    context.annotate('warning', mixedFloats(window.metricName));
    return window.none();
  }
  const sum = new HistogramTotal(mean);
  for (let i = window.from; i < window.to; i++) sum.add(window.histograms![i]!);
  if (sum.incompatible) {
    context.annotate('warning', mixedSchemas(window.metricName));
    return window.none();
  }
  if (sum.resetCollision) context.annotate('warning', resetCollision('aggregation'));
  if (sum.boundsReconciled) context.annotate('info', boundsReconciled('aggregation'));
  window.histogram = sum.value;
  return 0;
}
