// The writing role. Samples are queued as columns and judged together at commit, so that one log record
// and one kernel call serve the whole batch.

import type { Labels } from '../labels/labels.ts';
import type { Exemplar } from './exemplar.ts';
import type { FloatHistogram } from './histogram.ts';

/** A store's own number for a series; valid while the store lives and the series is in it. */
export type SeriesRef = number;

/**
 * Why a sample was not stored. Where a store takes samples out of order, `too-old` are those beyond its
 * window, whatever they would be refused for without one.
 */
export type RefusalReason =
  | 'out-of-order'
  | 'duplicate-sample'
  | 'too-old'
  | 'out-of-bounds'
  | 'too-far-in-future'
  | 'unknown-series'
  | 'series-limit'
  | 'invalid-histogram';

/** One refused sample, kept as an example for the error text. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly labels: Labels;
  readonly time: number;
  /** What is wrong with the sample itself, where something is. */
  readonly detail?: string;
}

/** What became of a batch. A sample equal to the stored one (same time, same bits) counts as stored. */
export interface CommitResult {
  /** Floats, histograms and staleness markers. */
  readonly stored: number;
  /** How many of the stored samples are histograms; a marker behind histograms is one. */
  readonly histograms: number;
  /** Exemplars stored, and exemplars that were not; one that is there already is neither. */
  readonly exemplars: number;
  readonly exemplarsRefused: number;
  /** Counts per reason; a reason that did not occur is absent. */
  readonly refused: ReadonlyMap<RefusalReason, number>;
  /** The first few refusals. */
  readonly examples: readonly Refusal[];
}

/** Metadata of a metric family. */
export interface MetricMetadata {
  /** counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown. */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** Label sets as numbers of labels, so that what many of them have in common is looked at once. */
export interface LabelSets {
  readonly count: number;
  /** Name and value of each label in turn; none is empty. */
  readonly texts: readonly string[];
  /** The numbers of the labels of set after set, each set sorted by name and without duplicates. */
  readonly runs: Uint32Array;
  /** Where each set ends in `runs`. */
  readonly ends: Uint32Array;
}

/**
 * Collects one batch. Order of calls: series and samples in any order, then commit or rollback once;
 * the appender is then spent. One batch holds samples of a series in time order.
 */
export interface Appender {
  /**
   * The series' reference, created where the store has not seen it. Throws OutpostError
   * `bad-data` for label sets that cannot be stored and `limit-exceeded` when the store is full.
   */
  series(labels: Labels): SeriesRef;
  /**
   * Writes the references of many label sets to `refs`, in their order, creating series as `series` does. Where
   * there is none `refs` keeps what it has, and `series` says why. Stores may leave this out.
   */
  seriesOf?(sets: LabelSets, refs: Uint32Array): void;
  /** Queues one sample; time in Unix ms. The value's bits are kept. */
  append(ref: SeriesRef, time: number, value: number): void;
  /** Queues a staleness marker; one that is older than the series' newest sample is never stored. */
  appendStale(ref: SeriesRef, time: number): void;
  /**
   * Queues whole columns: sample i belongs to refs[i]. A time column of length 1 serves all samples.
   * The columns are copied.
   */
  appendColumns(refs: Uint32Array, times: Float64Array, values: Float64Array, count: number): void;
  /**
   * Queues a native histogram, with integer counts where it says `integer`; it belongs to the store from now
   * on. One that makes no sense is refused as `invalid-histogram`; one whose sum has the staleness marker's
   * bits is a marker. A series may hold floats and histograms, one sample for each time.
   */
  appendHistogram(ref: SeriesRef, time: number, histogram: FloatHistogram): void;
  /**
   * Queues an exemplar of a series. Those that are too long, or older than the series' newest one, are
   * counted and dropped; no sample is refused for them. Stores without exemplars count all as refused.
   */
  appendExemplar(ref: SeriesRef, exemplar: Exemplar): void;
  /** Remembers a family's metadata; the newest wins. */
  metadata(metricName: string, metadata: MetricMetadata): void;
  /**
   * Logs and applies the batch. Once it resolves, what it counts as stored survives the death of the
   * process. Rejects with `unavailable` (nothing stored, worth trying again) when the log cannot be
   * written, for instance on a full disk.
   */
  commit(): Promise<CommitResult>;
  /** Drops the queued samples. Series created stay until they are collected as empty. */
  rollback(): void;
}

/** A store that can be written. */
export interface Appendable {
  appender(): Appender;
}

/** Reads back what appenders were told. */
export interface MetadataSource {
  /** Families by metric name. */
  metadata(): ReadonlyMap<string, MetricMetadata>;
}
