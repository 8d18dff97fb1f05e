// A histogram on the wire that is a staleness marker. What is late of it is stored as other late samples are:
// it is a sample of its sender's, not the end of one of our own series.

import type { Appender, SeriesRef } from '../storage/appender.ts';
import { setStale } from '../storage/stale.ts';

const MARKER = new Float64Array(1);
setStale(MARKER, 0);

/** Queues a staleness marker that somebody sent; time in Unix ms. */
export function appendSentMarker(appender: Appender, ref: SeriesRef, time: number): void {
  appender.appendColumns(Uint32Array.of(ref), Float64Array.of(time), MARKER, 1);
}
