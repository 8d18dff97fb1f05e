// Counters whose store knows when they began to count. A start time inside a window says that the counter
// was zero then, which is better than drawing a line to the window's edge; a start time after the sample
// before says that the counter was reset.

import { quote } from '../literals.ts';
import type { Window } from './range-function.ts';

/** The start time of a sample in Unix ms, 0 where it is unknown. */
export function startOf(window: Window, index: number): number {
  return window.startTimes?.[index] ?? 0;
}

/** True where the start times say that the counter was reset between samples i − 1 and i. */
export function startedAnew(window: Window, index: number): boolean {
  const start = startOf(window, index);
  const before = window.times[index - 1]!;
  // A start at or after the sample itself means nothing.
  if (start === 0 || start >= window.times[index]!) return false;
  if (start !== before) return start > before;
  // A start at the sample before is a delta, or a counter that does not know when it began.
  const startBefore = startOf(window, index - 1);
  return startBefore !== 0 && startBefore < before;
}

/** True where a sample claims to have begun to count before the sample before was taken. */
export function startsOverlap(window: Window): boolean {
  for (let i = window.from + 1; i < window.to; i++) {
    const start = startOf(window, i);
    if (start !== 0 && start < window.times[i - 1]! && start !== startOf(window, i - 1))
      return true;
  }
  return false;
}

/** The start of the first sample where it lies inside the window, else 0: the counter was zero then. */
export function startInside(window: Window): number {
  const start = startOf(window, window.from);
  const inside = start > window.endMs - window.rangeMs && start < window.times[window.from]!;
  return start !== 0 && inside ? start : 0;
}

/** The share by which growth since `startMs` is stretched to the window's end. */
export function factorFromStart(window: Window, startMs: number): number {
  const { times, from, to, endMs } = window;
  const lastMs = times[to - 1]!;
  const sampled = (lastMs - startMs) / 1000;
  const count = to - from - 1;
  const average = count > 0 ? (lastMs - times[from]!) / 1000 / count : 0;
  const toEnd = (endMs - lastMs) / 1000;
  const bridged = toEnd >= average * 1.1 ? average / 2 : toEnd;
  return sampled === 0 ? 1 : (sampled + bridged) / sampled;
}

/** The remark on overlapping start times. */
export function overlapWarning(metricName: string): string {
  return `sample has start time that overlaps with previous sample timestamp for metric ${quote(metricName)}`;
}
