// What tombstones do to chunks and to decoded samples.

import { doubtReset } from '../../storage/reset-doubt.ts';
import { lowerBound, type SampleColumns } from '../../storage/samples.ts';
import type { TimeInterval } from './tombstones.ts';

/** True where one of the sorted, separate intervals covers minTime … maxTime, both inclusive. */
export function isCovered(
  minTime: number,
  maxTime: number,
  intervals: readonly TimeInterval[],
): boolean {
  return intervals.some(deleted => deleted.minTime <= minTime && deleted.maxTime >= maxTime);
}

/** Removes the samples from index `from` on that lie in one of the sorted intervals; bits are kept. */
export function dropIntervals(
  out: SampleColumns,
  from: number,
  intervals: readonly TimeInterval[],
): void {
  const { length } = out;
  // Samples of other series may come before, so only this one's are in time order.
  const times = out.times.subarray(from, length);
  const indexOf = (time: number): number => from + lowerBound(times, times.length, time);
  let kept = from;
  let at = from;
  for (const { minTime, maxTime } of intervals) {
    kept = move(out, kept, at, indexOf(minTime));
    const next = indexOf(maxTime + 1);
    if (next > at) doubtReset(out, next);
    at = next;
  }
  kept = move(out, kept, at, length);
  out.length = kept;
  const { histograms, startTimes } = out;
  if (histograms && histograms.length > kept) histograms.length = kept;
  if (startTimes && startTimes.length > kept) startTimes.length = kept;
}

/** Moves samples from…to−1 down to `target` and returns the index after them. */
function move(out: SampleColumns, target: number, from: number, to: number): number {
  if (target !== from) {
    out.times.copyWithin(target, from, to);
    out.values.copyWithin(target, from, to);
    out.histograms?.copyWithin(target, from, to);
    out.startTimes?.copyWithin(target, from, to);
  }
  return target + to - from;
}
