// What is said about native histograms, in the field's words.

import { quote } from '../literals.ts';

export type HistogramOperationName = 'addition' | 'subtraction' | 'aggregation';

/** A window or vector holds floats and histograms of one metric. */
export function mixedFloats(metricName: string): string {
  return `encountered a mix of histograms and floats for metric name ${quote(metricName)}`;
}

/** Exponential and custom buckets meet in one metric. */
export function mixedSchemas(metricName: string): string {
  return `vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quote(metricName)}`;
}

/** A counter function was given gauge histograms. */
export function notCounter(metricName: string): string {
  return `this native histogram metric is not a counter: ${quote(metricName)}`;
}

/** A gauge function was given counter histograms. */
export function notGauge(metricName: string): string {
  return `this native histogram metric is not a gauge: ${quote(metricName)}`;
}

/** Hints about counter resets contradict each other. */
export function resetCollision(operation: HistogramOperationName): string {
  return `conflicting counter resets during histogram ${operation}`;
}

/** Custom buckets were reduced to the bounds they have in common. */
export function boundsReconciled(operation: HistogramOperationName): string {
  return `mismatched custom buckets were reconciled during ${operation}`;
}
