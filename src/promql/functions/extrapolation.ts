// Stretching a difference between samples to the window around them.

import type { Window } from './range-function.ts';

/** Gaps up to this many average intervals are bridged in full. */
const THRESHOLD = 1.1;

/**
 * The share by which a difference over the samples is stretched to the window. A counter's line is not drawn
 * below zero: `zeroShare` is its first value over its growth, infinite for anything else.
 */
export function extrapolationFactor(window: Window, zeroShare: number): number {
  const { times, from, to, endMs, rangeMs } = window;
  const firstMs = times[from]!;
  const lastMs = times[to - 1]!;
  let toStart = (firstMs - (endMs - rangeMs)) / 1000;
  let toEnd = (endMs - lastMs) / 1000;
  const sampled = (lastMs - firstMs) / 1000;
  const average = sampled / (to - from - 1);
  const threshold = average * THRESHOLD;
  if (toStart >= threshold) toStart = average / 2;
  const toZero = sampled * zeroShare;
  if (toZero < toStart) toStart = toZero;
  if (toEnd >= threshold) toEnd = average / 2;
  return (sampled + toStart + toEnd) / sampled;
}
