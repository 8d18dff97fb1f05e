// A store in plain arrays, so that the engine is judged without any other part of the system.

import type { Labels } from '../../src/labels/labels.ts';
import { type Matcher, matchesAll } from '../../src/labels/matcher.ts';
import { detectReset } from '../../src/promql/histogram/reset.ts';
import { sameBounds } from '../../src/promql/histogram/sum.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import type {
  LabelAnswer,
  Querier,
  Queryable,
  SelectOptions,
} from '../../src/storage/queryable.ts';
import { lowerBound, SampleColumns } from '../../src/storage/samples.ts';
import type { Series, SeriesSet } from '../../src/storage/series.ts';
import { setStale } from '../../src/storage/stale.ts';

/** One sample to store. */
export type MemorySample =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'histogram'; readonly histogram: FloatHistogram };

const BATCH = 64;

/** Series by label set; samples are appended in time order. */
export class MemoryStorage implements Queryable {
  readonly #series = new Map<string, MemorySeries>();

  clear(): void {
    this.#series.clear();
  }

  /** `startTime` is when the counter began to count, in Unix ms. */
  append(labels: Labels, time: number, sample: MemorySample, startTime?: number): void {
    let series = this.#series.get(labels.key);
    if (!series) {
      series = new MemorySeries(labels);
      this.#series.set(labels.key, series);
    }
    series.append(time, sample, startTime);
  }

  /** Takes whole columns. */
  appendColumns(labels: Labels, times: Float64Array, values: Float64Array): void {
    const series = new MemorySeries(labels);
    series.columns.append(times, values, 0, times.length);
    this.#series.set(labels.key, series);
  }

  querier(minTime: number, maxTime: number): Querier {
    return new MemoryQuerier([...this.#series.values()], minTime, maxTime);
  }
}

class MemorySeries {
  readonly labels: Labels;
  readonly columns = new SampleColumns(16);
  /** The sample before where it is a histogram. */
  #last: FloatHistogram | null = null;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  append(time: number, sample: MemorySample, startTime: number | undefined): void {
    const { columns } = this;
    columns.push(time, sample.kind === 'float' ? sample.value : 0);
    if (startTime !== undefined) (columns.startTimes ??= [])[columns.length - 1] = startTime;
    if (sample.kind === 'stale') setStale(columns.values, columns.length - 1);
    if (sample.kind !== 'histogram') {
      this.#last = null;
      return;
    }
    columns.histograms ??= [];
    columns.histograms[columns.length - 1] = this.#asRead(sample.histogram);
    this.#last = sample.histogram;
  }

  /**
   * A histogram as a store hands it out: what is known of resets is known within a chunk only, and a new
   * chunk begins with a reset, another layout or another kind of sample.
   */
  #asRead(histogram: FloatHistogram): FloatHistogram {
    if (histogram.counterResetHint === 'gauge') return histogram;
    const last = this.#last;
    const follows =
      last !== null &&
      histogram.counterResetHint !== 'reset' &&
      last.counterResetHint !== 'gauge' &&
      last.schema === histogram.schema &&
      last.zeroThreshold === histogram.zeroThreshold &&
      sameBounds(last.customValues, histogram.customValues) &&
      !detectReset({ ...histogram, counterResetHint: 'unknown' }, last);
    return { ...histogram, counterResetHint: follows ? 'not-reset' : 'unknown' };
  }
}

class MemoryQuerier implements Querier {
  readonly #series: readonly MemorySeries[];
  readonly #minTime: number;
  readonly #maxTime: number;

  constructor(series: readonly MemorySeries[], minTime: number, maxTime: number) {
    this.#series = series;
    this.#minTime = minTime;
    this.#maxTime = maxTime;
  }

  async select(matchers: readonly Matcher[], options?: SelectOptions): Promise<SeriesSet> {
    const found = this.#matching(matchers).map(series => this.#view(series));
    if (options?.hints?.sorted) found.sort((a, b) => a.labels.compareTo(b.labels));
    let at = 0;
    return {
      warnings: [],
      next: async () => {
        const batch = found.slice(at, at + BATCH);
        at += batch.length;
        return batch.length === 0 ? null : batch;
      },
      close: () => {},
    };
  }

  async labelNames(matchers: readonly Matcher[]): Promise<LabelAnswer> {
    const names = this.#matching(matchers).flatMap(({ labels }) => [...labels].map(([n]) => n));
    return { values: [...new Set(names)].sort(), warnings: [] };
  }

  async labelValues(name: string, matchers: readonly Matcher[]): Promise<LabelAnswer> {
    const values = this.#matching(matchers).map(({ labels }) => labels.get(name));
    return { values: [...new Set(values)].filter(Boolean).sort(), warnings: [] };
  }

  close(): void {}

  #matching(matchers: readonly Matcher[]): MemorySeries[] {
    return this.#series.filter(({ labels }) => matchesAll(matchers, name => labels.get(name)));
  }

  #view({ labels, columns }: MemorySeries): Series {
    const from = lowerBound(columns.times, columns.length, this.#minTime);
    const to = lowerBound(columns.times, columns.length, this.#maxTime + 1);
    return {
      labels,
      label: name => labels.get(name),
      chunks: () => null,
      samples(out) {
        const base = out.length;
        out.append(columns.times, columns.values, from, to);
        for (let i = from; i < to; i++) {
          const start = columns.startTimes?.[i];
          if (start !== undefined) (out.startTimes ??= [])[base + i - from] = start;
          const histogram = columns.histograms?.[i];
          if (histogram) (out.histograms ??= [])[base + i - from] = histogram;
        }
      },
    };
  }
}
