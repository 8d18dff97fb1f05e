// Tells for each native histogram of a series whether a counter reset came before it, where the store does
// not know: with the hint in place nothing further up needs the buckets to tell.

import type { Labels } from '../../labels/labels.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import { detectReset } from '../histogram/reset.ts';
import type { Distinctness, RangeSeries, RangeSource } from './operator.ts';

/** Passes a source on with the hints filled in. */
export class ResetHintSource implements RangeSource {
  readonly distinct: Distinctness;
  readonly #source: RangeSource;

  constructor(source: RangeSource) {
    this.#source = source;
    this.distinct = source.distinct;
  }

  async next(): Promise<readonly RangeSeries[] | null> {
    const batch = await this.#source.next();
    return batch === null ? null : batch.map(series => new HintedSeries(series));
  }

  close(): void {
    this.#source.close();
  }
}

class HintedSeries implements RangeSeries {
  readonly #series: RangeSeries;

  constructor(series: RangeSeries) {
    this.#series = series;
  }

  get labels(): Labels {
    return this.#series.labels;
  }

  label(name: string): string {
    return this.#series.label(name);
  }

  samples(out: SampleColumns): void {
    this.#series.samples(out);
    if (out.histograms === null) return;
    let last: FloatHistogram | null = null;
    for (let i = 0; i < out.length; i++) {
      const histogram: FloatHistogram | undefined = out.histograms[i];
      if (!histogram) continue;
      if (last && histogram.counterResetHint === 'unknown') {
        const counterResetHint = detectReset(histogram, last) ? 'reset' : 'not-reset';
        out.histograms[i] = { ...histogram, counterResetHint };
      }
      last = histogram;
    }
  }
}
