// What a StoreAPI server reads from, and the numbers that bound one request.

import type { Queryable } from '../storage/queryable.ts';

/** Reads a store as one request wants it. */
export interface StoreSource {
  /**
   * True where `open` removes replica labels and keeps the order, as a fan-out does that passes them on;
   * false where the server has to.
   */
  readonly stripsReplicaLabels: boolean;
  open(request: SourceRequest): Queryable;
}

export interface SourceRequest {
  readonly replicaLabels: readonly string[];
  readonly partialResponse: boolean;
}

/** A database as a source. */
export function localSource(queryable: Queryable): StoreSource {
  return { stripsReplicaLabels: false, open: () => queryable };
}

/** 0 is no limit. */
export interface StoreLimits {
  readonly seriesPerRequest: number;
  /** Estimated as 120 for each chunk. */
  readonly samplesPerRequest: number;
  /** Series calls that run at the same time; others wait. */
  readonly concurrentSeries: number;
  /** Calls that may wait; more are refused. */
  readonly queuedSeries: number;
}

/** Generous, yet an end: what one request may cost before it is refused. */
export const DEFAULT_STORE_LIMITS: StoreLimits = {
  seriesPerRequest: 0,
  samplesPerRequest: 0,
  concurrentSeries: 20,
  queuedSeries: 200,
};
