// What every format is to whoever stores it: a cursor over samples and metadata in which a series is named
// by bytes, so that one that was seen before costs no text.

import type { Labels } from '../../labels/labels.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { MetricType } from '../../telemetry/metrics.ts';

/** What `next` found. */
export type ScanKind = 'sample' | 'histogram' | 'type' | 'help' | 'unit' | 'end';

/** An exemplar as it was exposed. */
export interface ScannedExemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Unix ms, or null. */
  readonly time: number | null;
}

/**
 * A cursor over one exposition. `while ((kind = scanner.next()) !== 'end')`; everything read from it holds
 * until the next call. Whatever is malformed throws `bad-data` with its place.
 */
export interface SampleScanner {
  next(): ScanKind;
  /** Names the series of a sample, or the whole entry of metadata: equal bytes, equal meaning. */
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** One cell with the sample's value, bits kept. */
  readonly value: Float64Array;
  /** The sample's own time in Unix ms; NaN where it has none. */
  readonly time: number;
  /** The labels of the current sample or histogram, metric name included; bounds in canonical form. */
  labels(): Labels;
  /** The current histogram; it is the caller's. */
  histogram(): FloatHistogram;
  readonly hasExemplars: boolean;
  exemplars(): readonly ScannedExemplar[];
  /** When the series of the current sample began, Unix ms; NaN where that is not told with it. */
  readonly created: number;
  /** The family of an entry of metadata. */
  metricName(): string;
  /** Help or unit. */
  text(): string;
  /** The type of a `type` entry. */
  readonly type: MetricType;
}

/** What is exposed by which content type. */
export type ScrapeFormat = 'text' | 'openmetrics' | 'protobuf';
