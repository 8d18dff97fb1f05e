// What other servers know beside their series, as a mode gathers it for one request.

import type { Labels } from '../labels/labels.ts';
import type { MetricMetadata } from '../storage/appender.ts';
import type { SeriesExemplars } from '../storage/exemplar.ts';
import type { ApiRequest } from './route.ts';
import type { ApiTarget } from './sources.ts';

/** An answer with sentences about what is missing from it. */
export interface Gathered<Value> {
  readonly value: Value;
  readonly warnings: readonly string[];
}

/** A target as servers tell each other of it. */
export type GatheredTarget = Omit<ApiTarget, 'intervalMs' | 'timeoutMs' | 'metadata'>;

/** Whoever asks the others. Each throws OutpostError, `bad-data` for parameters of its own that are wrong. */
export interface GatheredSource {
  /** Descriptions by metric name, in order; `metric` '' asks for all, a negative limit is none. */
  metadata(
    ask: { readonly metric: string; readonly limit: number },
    request: ApiRequest,
  ): Promise<Gathered<ReadonlyMap<string, readonly MetricMetadata[]>>>;
  /** Exemplars of the series that a query reads. Times are Unix ms, inclusive. */
  exemplars(
    ask: { readonly query: string; readonly minTime: number; readonly maxTime: number },
    request: ApiRequest,
  ): Promise<Gathered<readonly SeriesExemplars[]>>;
  targets(request: ApiRequest): Promise<
    Gathered<{
      readonly active: readonly GatheredTarget[];
      readonly dropped: readonly Labels[];
    }>
  >;
}
