// A store in memory for tests: implements every storage role over float columns, judges samples at
// commit as the real store does, and can be told to fail, to forget series and to be full.

import { compareStrings } from '../../src/labels/compare.ts';
import { Labels } from '../../src/labels/labels.ts';
import { type Matcher, matchesAll } from '../../src/labels/matcher.ts';
import { labelsProblem } from '../../src/labels/validate.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type {
  Appendable,
  Appender,
  CommitResult,
  MetadataSource,
  MetricMetadata,
  Refusal,
  RefusalReason,
  SeriesRef,
} from '../../src/storage/appender.ts';
import type { Exemplar, ExemplarQueryable, SeriesExemplars } from '../../src/storage/exemplar.ts';
import { exemplarProblem } from '../../src/storage/exemplar.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import {
  histogramProblem,
  sameHistogram,
  storableHistogram,
} from '../../src/storage/histogram-problem.ts';
import type {
  LabelAnswer,
  Querier,
  Queryable,
  SelectOptions,
} from '../../src/storage/queryable.ts';
import { sameBits } from '../../src/storage/sample-bits.ts';
import { lowerBound, SampleColumns } from '../../src/storage/samples.ts';
import type { Series, SeriesSet } from '../../src/storage/series.ts';
import { appendColumns } from '../../src/storage/series-list.ts';
import { isStale, isStaleAt, setStale } from '../../src/storage/stale.ts';

const BATCH_SERIES = 128;
const EXAMPLES_MAX = 5;

export interface MemoryStorageOptions {
  /** Unix ms; samples later than 10 minutes from now are refused. Absent: no such check. */
  readonly now?: () => number;
  /** Samples before this time are out of bounds. */
  readonly minValidTime?: number;
  /** Most series held. */
  readonly seriesMax?: number;
}

interface MemorySeries {
  readonly ref: SeriesRef;
  readonly labels: Labels;
  readonly samples: SampleColumns;
  readonly exemplars: Exemplar[];
}

/** An exemplar on its way to a series. */
interface QueuedExemplar {
  readonly ref: SeriesRef;
  readonly exemplar: Exemplar;
}

/** Holds everything it is given until `forget`. */
export class MemoryStorage implements Appendable, Queryable, MetadataSource, ExemplarQueryable {
  readonly options: MemoryStorageOptions;
  /** Said by every selection. */
  readonly warnings: string[] = [];
  /** Number of `series` calls so far, to see what a caller's cache spares. */
  seriesCalls = 0;
  readonly #byRef = new Map<SeriesRef, MemorySeries>();
  readonly #byKey = new Map<string, MemorySeries>();
  readonly #metadata = new Map<string, MetricMetadata>();
  #lastRef = 0;
  #commitFailure: unknown;

  constructor(options: MemoryStorageOptions = {}) {
    this.options = options;
  }

  get seriesCount(): number {
    return this.#byRef.size;
  }

  appender(): Appender {
    return new MemoryAppender(this);
  }

  metadata(): ReadonlyMap<string, MetricMetadata> {
    return this.#metadata;
  }

  querier(minTime: number, maxTime: number): Querier {
    const all = [...this.#byRef.values()].sort((a, b) => a.labels.compareTo(b.labels));
    return new MemoryQuerier(all, minTime, maxTime, this.warnings);
  }

  /** The label sets of all series. */
  allLabels(): Labels[] {
    return [...this.#byRef.values()].map(({ labels }) => labels);
  }

  /** Drops a series; its reference becomes unknown, as after a head's garbage collection. */
  forget(labels: Labels): void {
    const series = this.#byKey.get(labels.key);
    if (!series) return;
    this.#byKey.delete(labels.key);
    this.#byRef.delete(series.ref);
  }

  /** Every later commit rejects with `error` until called with undefined. */
  failCommits(error: unknown): void {
    this.#commitFailure = error;
  }

  /** The samples of one series, for assertions. */
  samplesOf(labels: Labels): { times: number[]; values: Float64Array } {
    const samples = this.#byKey.get(labels.key)?.samples ?? new SampleColumns(0);
    return {
      times: [...samples.times.subarray(0, samples.length)],
      values: samples.values.slice(0, samples.length),
    };
  }

  /** The histograms of one series by sample, for assertions; floats and markers are undefined. */
  histogramsOf(labels: Labels): (FloatHistogram | undefined)[] {
    const samples = this.#byKey.get(labels.key)?.samples ?? new SampleColumns(0);
    return Array.from({ length: samples.length }, (_, i) => samples.histograms?.[i]);
  }

  /** The exemplars of one series, for assertions. */
  exemplarsOf(labels: Labels): readonly Exemplar[] {
    return this.#byKey.get(labels.key)?.exemplars ?? [];
  }

  async exemplars(
    minTime: number,
    maxTime: number,
    selectors: readonly (readonly Matcher[])[],
  ): Promise<readonly SeriesExemplars[]> {
    return [...this.#byRef.values()]
      .filter(({ labels }) => selectors.some(one => matchesAll(one, name => labels.get(name))))
      .map(({ labels, exemplars }) => {
        const inRange = exemplars.filter(({ time }) => time >= minTime && time <= maxTime);
        return { labels, exemplars: inRange };
      })
      .filter(({ exemplars }) => exemplars.length > 0)
      .sort((a, b) => a.labels.compareTo(b.labels));
  }

  /** Creates or finds a series, as the role says. */
  resolve(labels: Labels): SeriesRef {
    this.seriesCalls++;
    const known = this.#byKey.get(labels.key);
    if (known) return known.ref;
    const problem = labelsProblem(labels);
    if (problem !== null) throw new OutpostError('bad-data', `store series: ${problem}`);
    if (this.#byRef.size >= (this.options.seriesMax ?? Number.POSITIVE_INFINITY)) {
      throw new OutpostError('limit-exceeded', `store series: ${this.#byRef.size} series are held`);
    }
    const series = { ref: ++this.#lastRef, labels, samples: new SampleColumns(16), exemplars: [] };
    this.#byRef.set(series.ref, series);
    this.#byKey.set(labels.key, series);
    return series.ref;
  }

  setMetadata(metricName: string, metadata: MetricMetadata): void {
    this.#metadata.set(metricName, metadata);
  }

  /** Judges and stores a batch. */
  apply(
    refs: readonly SeriesRef[],
    queued: SampleColumns,
    exemplars: readonly QueuedExemplar[],
  ): CommitResult {
    if (this.#commitFailure !== undefined) throw this.#commitFailure;
    const refused = new Map<RefusalReason, number>();
    const examples: Refusal[] = [];
    let stored = 0;
    let histograms = 0;
    for (let i = 0; i < queued.length; i++) {
      const series = this.#byRef.get(refs[i]!);
      const time = queued.times[i]!;
      const reason = this.#judge(series, queued, i);
      if (reason === 'stored') {
        stored++;
        if (isHistogram(series!.samples)) histograms++;
      } else {
        refused.set(reason, (refused.get(reason) ?? 0) + 1);
        const labels = series?.labels ?? Labels.empty;
        const histogram = queued.histograms?.[i];
        const detail = histogram ? histogramProblem(histogram) : null;
        if (examples.length >= EXAMPLES_MAX) continue;
        examples.push({ reason, labels, time, ...(detail !== null && { detail }) });
      }
    }
    return { stored, histograms, ...this.#addExemplars(exemplars), refused, examples };
  }

  #addExemplars(queued: readonly QueuedExemplar[]): {
    exemplars: number;
    exemplarsRefused: number;
  } {
    let exemplars = 0;
    for (const { ref, exemplar } of queued) {
      const held = this.#byRef.get(ref)?.exemplars;
      if (!held || exemplarProblem(exemplar) !== null) continue;
      if (exemplar.time < (held.at(-1)?.time ?? Number.NEGATIVE_INFINITY)) continue;
      held.push(exemplar);
      exemplars++;
    }
    return { exemplars, exemplarsRefused: queued.length - exemplars };
  }

  #judge(
    series: MemorySeries | undefined,
    queued: SampleColumns,
    i: number,
  ): RefusalReason | 'stored' {
    if (!series) return 'unknown-series';
    const time = queued.times[i]!;
    const histogram = queued.histograms?.[i];
    if (histogram && histogramProblem(histogram) !== null) return 'invalid-histogram';
    if (time < (this.options.minValidTime ?? Number.NEGATIVE_INFINITY)) return 'out-of-bounds';
    if (this.options.now && time > this.options.now() + 600_000) return 'too-far-in-future';
    const held = series.samples;
    const last = held.length === 0 ? Number.NEGATIVE_INFINITY : held.times[held.length - 1]!;
    if (time < last) return 'out-of-order';
    if (time === last) {
      return sameSample(held, held.length - 1, queued, i) ? 'stored' : 'duplicate-sample';
    }
    appendColumns(held, queued, i, i + 1);
    return 'stored';
  }
}

/** Whether the newest sample is a histogram, or a marker behind one. */
function isHistogram({ histograms, values, length }: SampleColumns): boolean {
  let at = length - 1;
  while (at >= 0 && isStaleAt(values, at)) at--;
  return histograms?.[at] !== undefined;
}

function sameSample(a: SampleColumns, i: number, b: SampleColumns, j: number): boolean {
  const x = a.histograms?.[i];
  const y = b.histograms?.[j];
  if (x || y) return x !== undefined && y !== undefined && sameHistogram(x, y);
  return sameBits(a.values, i, b.values, j);
}

class MemoryAppender implements Appender {
  readonly #store: MemoryStorage;
  readonly #refs: SeriesRef[] = [];
  readonly #queued = new SampleColumns(64);
  readonly #exemplars: QueuedExemplar[] = [];
  readonly #metadata = new Map<string, MetricMetadata>();
  #spent = false;

  constructor(store: MemoryStorage) {
    this.#store = store;
  }

  series(labels: Labels): SeriesRef {
    return this.#store.resolve(labels);
  }

  append(ref: SeriesRef, time: number, value: number): void {
    this.#refs.push(ref);
    this.#queued.push(time, value);
  }

  appendStale(ref: SeriesRef, time: number): void {
    this.append(ref, time, 0);
    setStale(this.#queued.values, this.#queued.length - 1);
  }

  appendColumns(refs: Uint32Array, times: Float64Array, values: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#refs.push(refs[i]!);
      this.#queued.push(times.length === 1 ? times[0]! : times[i]!, 0);
    }
    this.#queued.values.set(values.subarray(0, count), this.#queued.length - count);
  }

  appendHistogram(ref: SeriesRef, time: number, histogram: FloatHistogram): void {
    if (isStale(histogram.sum)) {
      this.appendStale(ref, time);
      return;
    }
    this.append(ref, time, 0);
    const broken = histogramProblem(histogram) !== null;
    const kept = broken ? histogram : storableHistogram(histogram);
    (this.#queued.histograms ??= [])[this.#queued.length - 1] = kept;
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): void {
    this.#exemplars.push({ ref, exemplar });
  }

  metadata(metricName: string, metadata: MetricMetadata): void {
    this.#metadata.set(metricName, metadata);
  }

  async commit(): Promise<CommitResult> {
    this.#spend();
    const result = this.#store.apply(this.#refs, this.#queued, this.#exemplars);
    for (const [name, metadata] of this.#metadata) this.#store.setMetadata(name, metadata);
    return result;
  }

  rollback(): void {
    this.#spend();
  }

  #spend(): void {
    if (this.#spent) throw new Error('BUG: the appender is spent');
    this.#spent = true;
  }
}

class MemoryQuerier implements Querier {
  readonly #all: readonly MemorySeries[];
  readonly #minTime: number;
  readonly #maxTime: number;
  readonly #warnings: readonly string[];

  constructor(
    all: readonly MemorySeries[],
    minTime: number,
    maxTime: number,
    warnings: readonly string[],
  ) {
    this.#all = all;
    this.#minTime = minTime;
    this.#maxTime = maxTime;
    this.#warnings = warnings;
  }

  async select(matchers: readonly Matcher[], options: SelectOptions = {}): Promise<SeriesSet> {
    const found = this.#matching(matchers).map(series => this.#view(series));
    const warnings = this.#warnings;
    const { signal } = options;
    let at = 0;
    return {
      warnings,
      close: () => {
        at = found.length;
      },
      async next() {
        if (signal?.aborted) throw OutpostError.from(signal.reason);
        if (at >= found.length) return null;
        at += BATCH_SERIES;
        return found.slice(at - BATCH_SERIES, at);
      },
    };
  }

  async labelNames(matchers: readonly Matcher[]): Promise<LabelAnswer> {
    const names = this.#matching(matchers).flatMap(({ labels }) => [...labels].map(([n]) => n));
    return { values: sortedUnique(names), warnings: this.#warnings };
  }

  async labelValues(name: string, matchers: readonly Matcher[]): Promise<LabelAnswer> {
    const values = this.#matching(matchers).map(({ labels }) => labels.get(name));
    return { values: sortedUnique(values.filter(v => v !== '')), warnings: this.#warnings };
  }

  close(): void {}

  #matching(matchers: readonly Matcher[]): MemorySeries[] {
    return this.#all.filter(({ labels, samples }) => {
      if (!matchesAll(matchers, name => labels.get(name))) return false;
      const from = lowerBound(samples.times, samples.length, this.#minTime);
      return from < samples.length && samples.times[from]! <= this.#maxTime;
    });
  }

  #view({ labels, samples }: MemorySeries): Series {
    return {
      labels,
      label: name => labels.get(name),
      chunks: () => null,
      samples: out => {
        const from = lowerBound(samples.times, samples.length, this.#minTime);
        let to = from;
        while (to < samples.length && samples.times[to]! <= this.#maxTime) to++;
        appendColumns(out, samples, from, to);
      },
    };
  }
}

function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort(compareStrings);
}
