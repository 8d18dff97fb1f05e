// What a query answers. Values stay in typed columns until they are written out.

import type { Labels } from '../labels/labels.ts';
import type { FloatHistogram } from '../storage/histogram.ts';
import type { OperatorTimes } from './operator-times.ts';

/** One series of an instant vector. Exactly one of value and histogram counts. */
export interface VectorSample {
  readonly labels: Labels;
  readonly value: number;
  readonly histogram: FloatHistogram | null;
}

/** One series of a matrix: times in Unix ms ascending; index i is a histogram where one is present. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms: readonly (FloatHistogram | undefined)[] | null;
}

export type ResultValue =
  | { readonly type: 'scalar'; readonly time: number; readonly value: number }
  | { readonly type: 'string'; readonly time: number; readonly value: string }
  | { readonly type: 'vector'; readonly time: number; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] };

/** What the evaluation cost. Durations in ms. */
export interface QueryStats {
  readonly queueMs: number;
  readonly prepareMs: number;
  readonly evalMs: number;
  /** Samples read from storage. */
  readonly samplesRead: number;
  /** Samples asked for at each step, as Prometheus counts them; null where the caller did not want to know. */
  readonly samplesPerStep: Float64Array | null;
  /** Most samples held at one time. */
  readonly peakSamples: number;
  readonly seriesRead: number;
  /** Most bytes held at one time, as the limits count them. */
  readonly peakBytes: number;
}

/** An answer with what the reader should know about it. */
export interface QueryResult {
  readonly value: ResultValue;
  /** The answer may be wrong or incomplete: sentences, those of the engine with their position. */
  readonly warnings: readonly string[];
  /** Hints that change nothing about the answer. */
  readonly infos: readonly string[];
  readonly stats: QueryStats;
  /** The time of each part of the query; null where the caller did not want to know. */
  readonly times: OperatorTimes | null;
  /** Takes the answer out of the account of what queries hold; safe more than once. */
  release(): void;
}
