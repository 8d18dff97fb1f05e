// Native histograms as text: `{count:…, sum:…, (lower,upper]:n, …}`.

import { formatShort } from '../../encoding/format-float.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import { allBuckets } from './buckets.ts';
import { isCustom } from './sum.ts';

/** The histogram on one line, empty buckets left out. */
export function formatHistogram(histogram: FloatHistogram): string {
  const parts = [`count:${formatShort(histogram.count)}`, `sum:${formatShort(histogram.sum)}`];
  const custom = isCustom(histogram);
  for (const { lower, upper, count } of allBuckets(histogram)) {
    if (count === 0) continue;
    const zero = !custom && lower <= 0 && upper >= 0;
    const open = zero || lower < 0 ? '[' : '(';
    const close = zero || upper > 0 ? ']' : ')';
    const bounds = `${formatShort(lower)},${formatShort(upper)}`;
    parts.push(`${open}${bounds}${close}:${formatShort(count, true)}`);
  }
  return `{${parts.join(', ')}}`;
}
