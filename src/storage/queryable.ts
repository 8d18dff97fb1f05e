// The reading roles. The engine, the HTTP API, StoreAPI and the ruler see these and nothing else, whether
// the answer comes from a head, a block, a bucket or a peer.

import type { Matcher } from '../labels/matcher.ts';
import type { SeriesSet } from './series.ts';

/** What the reader will do with the series, so that a store can prune. All optional. */
export interface SelectHints {
  /** Evaluation step in ms; 0 for instant queries. */
  readonly stepMs?: number;
  /** Name of the function or aggregation directly around the selector, '' for none. */
  readonly func?: string;
  /** Range of a range selector in ms. */
  readonly rangeMs?: number;
  /** Labels of the surrounding aggregation, and whether they are its `by`. */
  readonly grouping?: readonly string[];
  readonly by?: boolean;
  /** Most series wanted; 0 is no limit. */
  readonly limit?: number;
  /** True where only the label sets are read. */
  readonly labelsOnly?: boolean;
  /**
   * True where only the newest sample of the range is looked at: a store may leave out those before it where
   * that is less work, and only then.
   */
  readonly newestOnly?: boolean;
  /** True where the caller needs series in label order (for merging); else any order will do. */
  readonly sorted?: boolean;
}

export interface SelectOptions {
  readonly hints?: SelectHints;
  readonly signal?: AbortSignal;
  /** Told of bytes that come from elsewhere for this selection; what it throws ends the selection. */
  readonly onReceived?: (bytes: number) => void;
}

/** Names or values, sorted by UTF-8 bytes and unique, with what could not be read. */
export interface LabelAnswer {
  readonly values: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads one time range of one store. Close it when done; sets taken from it end with it. */
export interface Querier {
  /** Series that every matcher accepts. At least one matcher must refuse the empty value. */
  select(matchers: readonly Matcher[], options?: SelectOptions): Promise<SeriesSet>;
  labelNames(matchers: readonly Matcher[], options?: SelectOptions): Promise<LabelAnswer>;
  labelValues(
    name: string,
    matchers: readonly Matcher[],
    options?: SelectOptions,
  ): Promise<LabelAnswer>;
  close(): void;
}

/** A store that can be read. */
export interface Queryable {
  /** A reader of minTime ≤ t ≤ maxTime, both Unix ms and inclusive. */
  querier(minTime: number, maxTime: number): Querier;
}
