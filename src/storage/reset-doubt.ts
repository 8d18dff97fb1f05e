// Hints about counter resets speak of the sample before. Where another one comes to stand there, they no
// longer say anything.

import type { SampleColumns } from './samples.ts';

/** Says that nobody knows whether the histogram at `index`, if there is one, follows a reset. */
export function doubtReset(columns: SampleColumns, index: number): void {
  const { histograms } = columns;
  const histogram = histograms?.[index];
  if (!histograms || !histogram || index >= columns.length) return;
  const { counterResetHint: hint } = histogram;
  if (hint === 'unknown' || hint === 'gauge') return;
  histograms[index] = { ...histogram, counterResetHint: 'unknown' };
}
