// What queries see of downsampled chunks: counters as one running total over all chunks of a series, and
// averages from sums and counts.

import { OutpostError } from '../lifecycle/errors.ts';
import type { FloatHistogram } from '../storage/histogram.ts';
import { SampleColumns } from '../storage/samples.ts';
import { decodeAggregate } from './aggregate-chunk.ts';

/**
 * Joins counter aggregates of consecutive chunks. Each ends with a sample at the time of the one before it
 * that holds the last raw value; the next chunk is compared with that to see whether the counter was reset
 * between them. The totals never fall. Histograms are handed on as they are.
 */
export class CounterReader {
  readonly #chunk = new SampleColumns();
  #time = Number.NEGATIVE_INFINITY;
  #last = 0;
  #total = 0;
  #started = false;

  /**
   * Appends the totals of the series' next chunk to `out`; samples that go back in time are passed over, as
   * are NaN. Throws OutpostError `corrupt`, and `execution` where the chunk has no counter.
   */
  read(data: Uint8Array, out: SampleColumns): void {
    const chunk = this.#chunk;
    chunk.clear();
    if (!decodeAggregate(data, 'counter', chunk)) throw absent('counter');
    for (let i = 0; i < chunk.length; i++) {
      const time = chunk.times[i]!;
      const histogram = chunk.histograms?.[i];
      if (histogram) this.#addHistogram(time, histogram, out);
      else if (!Number.isNaN(chunk.values[i]!)) this.#addFloat(time, chunk.values[i]!, out);
    }
  }

  #addHistogram(time: number, histogram: FloatHistogram, out: SampleColumns): void {
    if (time <= this.#time) return;
    this.#time = time;
    (out.histograms ??= [])[out.length] = histogram;
    out.push(time, 0);
  }

  #addFloat(time: number, value: number, out: SampleColumns): void {
    if (this.#started && time < this.#time) return;
    if (!this.#started) this.#total = value;
    else if (time > this.#time) {
      this.#total += value < this.#last ? value : value - this.#last;
    }
    const repeated = this.#started && time === this.#time;
    this.#started = true;
    this.#time = time;
    this.#last = value;
    if (!repeated) out.push(time, this.#total);
  }
}

/**
 * Appends sum ÷ count of one chunk. Throws OutpostError `corrupt` where the two do not have the same times,
 * and `execution` where the chunk lacks one of them.
 */
export function readAverage(data: Uint8Array, out: SampleColumns): void {
  const counts = new SampleColumns();
  const sums = new SampleColumns();
  if (!decodeAggregate(data, 'count', counts)) throw absent('count');
  if (!decodeAggregate(data, 'sum', sums)) throw absent('sum');
  if (counts.length !== sums.length) {
    throw unaligned(`${counts.length} counts and ${sums.length} sums`);
  }
  for (let i = 0; i < sums.length; i++) {
    const time = sums.times[i]!;
    if (time !== counts.times[i]) throw unaligned(`count at ${counts.times[i]}, sum at ${time}`);
    const count = counts.values[i]!;
    const sum = sums.histograms?.[i];
    if (sum) (out.histograms ??= [])[out.length] = divided(sum, count);
    out.push(time, sum ? 0 : sums.values[i]! / count);
  }
}

function divided(histogram: FloatHistogram, by: number): FloatHistogram {
  return {
    ...histogram,
    zeroCount: histogram.zeroCount / by,
    count: histogram.count / by,
    sum: histogram.sum / by,
    positiveBuckets: histogram.positiveBuckets.map(count => count / by),
    negativeBuckets: histogram.negativeBuckets.map(count => count / by),
  };
}

function absent(aggregate: string): OutpostError {
  return new OutpostError('execution', `read aggregate chunk: it has no ${aggregate}`);
}

function unaligned(what: string): OutpostError {
  return new OutpostError('corrupt', `read average: ${what}`);
}
