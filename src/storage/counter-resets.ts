// Counters as running totals: what deduplication compares where a function of increases is asked for.

import type { SampleColumns } from './samples.ts';

/**
 * Replaces the floats of one replica by their total since its first sample, across resets; NaN and stale
 * markers are dropped. Rates and increases stay the same, and two replicas of which only one has seen a
 * reset can be compared. Histograms are kept as they are.
 */
export function applyCounterResets(columns: SampleColumns): void {
  const { times, values, histograms } = columns;
  let kept = 0;
  let total = 0;
  let last = 0;
  for (let i = 0; i < columns.length; i++) {
    const histogram = histograms?.[i];
    const value = values[i]!;
    if (!histogram && Number.isNaN(value)) continue;
    if (!histogram) {
      total += value < last ? value : value - last;
      last = value;
    }
    times[kept] = times[i]!;
    values[kept] = total;
    if (histograms) histograms[kept] = histogram;
    kept++;
  }
  columns.length = kept;
  if (histograms) histograms.length = kept;
}
