// Where an extended range begins and ends among the samples around it.

import type { Window } from './range-function.ts';

/** Which of rate, increase and delta is asked, and of which kind of range. */
export interface ExtendedRateOptions {
  readonly counter: boolean;
  readonly perSecond: boolean;
  readonly smoothed: boolean;
}

/** Which samples of a wider window stand for a range: first and last index, the edges included. */
export interface Edges {
  readonly first: number;
  readonly last: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** The edges of the range inside the wider window; null where the range holds nothing. */
export function findEdges(window: Window, smoothed: boolean): Edges | null {
  const { times, from, to, endMs, rangeMs } = window;
  const startMs = endMs - rangeMs;
  let first = from;
  while (first + 1 < to && times[first + 1]! <= startMs) first++;
  let last = to - 1;
  if (smoothed) {
    last = from;
    while (last < to - 1 && times[last]! < endMs) last++;
  }
  if (times[last]! <= startMs || (smoothed && times[first]! > endMs)) return null;
  return { first, last, startMs, endMs };
}
