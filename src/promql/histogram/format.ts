// Native histograms as text: `{count:…, sum:…, [lower,upper):n, …}`.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { unsupported } from '../functions/rate-histograms.ts';

/** The histogram as one label value. */
export function formatHistogram(_histogram: FloatHistogram): string {
  throw unsupported('count_values');
}
