// Where the plugin host puts what plugins deliver. The agent implements it over its database and its
// exporter; the host knows neither.

import type { Labels } from '../../src/labels/labels.ts';
import type { MetricType } from '../../src/telemetry/metrics.ts';

/** A metric family as a plugin describes it. */
export interface FamilyDescription {
  /** Full metric name as exposed, `_total` included where the type wants it. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
  /** The collector within the plugin it belongs to, for `collect[]`. */
  readonly collector: string;
}

/** The plugin's number for one of its series; small, dense, valid until the source is closed. */
export type SeriesId = number;

/** One running plugin instance as a source of samples. */
export interface SampleSource {
  /** Announces a family; once, before its series. */
  family(family: FamilyDescription): void;
  /**
   * Announces a series; once, before its first sample. `labels` is without the metric name, which is the
   * family's and after it `suffix` ("_bucket", "_sum", "_count" or nothing).
   */
  series(id: SeriesId, familyName: string, labels: Labels, suffix?: string): void;
  /**
   * Takes one collection: sample i is values[i] of series ids[i], all at `time` (Unix ms). Columns are
   * borrowed until the promise settles. A series of the previous collection that is missing here has
   * ended and is marked stale. Never rejects because of single samples; those are counted.
   */
  collected(time: number, ids: Uint32Array, values: Float64Array, count: number): Promise<void>;
  /**
   * Takes samples as `collected` does, but series that are missing go on; those in `ended` have ended.
   */
  added(
    time: number,
    columns: { readonly ids: Uint32Array; readonly values: Float64Array; readonly count: number },
    ended: readonly SeriesId[],
  ): Promise<void>;
  /** Marks everything stale at `time` and forgets all series: the plugin died, hung or was stopped. */
  close(time: number): Promise<void>;
}

/** Makes sources. `plugin` is the plugin's configured name. */
export interface SampleSink {
  source(plugin: string): SampleSource;
}

/** Something worth telling an operator; the agent counts, logs and stores it. */
export interface HostEvent {
  /** Low-cardinality name such as `plugin.exited`. */
  readonly name: string;
  readonly severity: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}
