// Sorted buffers of histograms that came late. Few series have any, so they are objects, beside the floats'
// flat buffers.

import type { FloatHistogram } from '../../../storage/histogram.ts';
import { SampleColumns } from '../../../storage/samples.ts';

const CAPACITY_MIN = 4;
/** What holding a buffer, a histogram and a span costs beside the buckets' bytes, about. */
const BUFFER_BYTES = 256;
const HISTOGRAM_BYTES = 800;
const SPAN_BYTES = 40;

/** Buffers by number; those that nothing was put into do not exist. */
export class HistogramBuffers {
  readonly #buffers = new Map<number, SampleColumns>();
  #bytes = 0;

  /** Bytes of memory held, about. */
  get bytes(): number {
    return this.#bytes + this.#buffers.size * BUFFER_BYTES;
  }

  /** The buffer's histograms by time; null where there never were any. Read only, until the next insertion. */
  get(buffer: number): SampleColumns | null {
    return this.#buffers.get(buffer) ?? null;
  }

  /** Puts a histogram at its place; none of the buffer has its time. Its reset hint, but for gauges', goes. */
  insert(buffer: number, time: number, histogram: FloatHistogram): void {
    let columns = this.#buffers.get(buffer);
    if (!columns) this.#buffers.set(buffer, (columns = new SampleColumns(CAPACITY_MIN)));
    const count = columns.length;
    const histograms = (columns.histograms ??= []);
    columns.push(time, 0);
    let at = count;
    // Late samples mostly come in order among themselves.
    while (at > 0 && columns.times[at - 1]! > time) at--;
    columns.times.copyWithin(at + 1, at, count);
    columns.times[at] = time;
    histograms.copyWithin(at + 1, at, count);
    histograms[at] = unhinted(histogram);
    this.#bytes += bytesOf(histogram);
  }

  /** Empties the buffer. */
  clear(buffer: number): void {
    const columns = this.#buffers.get(buffer);
    for (const histogram of columns?.histograms ?? []) this.#bytes -= bytesOf(histogram!);
    columns?.clear();
  }
}

/** The hint speaks of the sample that its sender sent before, which another may come to stand behind. */
function unhinted(histogram: FloatHistogram): FloatHistogram {
  const { counterResetHint: hint } = histogram;
  if (hint === 'gauge' || hint === 'unknown') return histogram;
  return { ...histogram, counterResetHint: 'unknown' };
}

function bytesOf(histogram: FloatHistogram): number {
  const { positiveBuckets, negativeBuckets, customValues } = histogram;
  const numbers = positiveBuckets.length + negativeBuckets.length + customValues.length;
  const spans = histogram.positiveSpans.length + histogram.negativeSpans.length;
  return HISTOGRAM_BYTES + numbers * 8 + spans * SPAN_BYTES;
}
