// What is said about native histograms, in the field's words.

import { quote } from '../literals.ts';

export type HistogramOperationName = 'addition' | 'subtraction' | 'aggregation';

export function mixedFloats(metricName: string): string {
  return `encountered a mix of histograms and floats for metric name ${quote(metricName)}`;
}

export function mixedSchemas(metricName: string): string {
  return `vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quote(metricName)}`;
}

export function notCounter(metricName: string): string {
  return `this native histogram metric is not a counter: ${quote(metricName)}`;
}

export function notGauge(metricName: string): string {
  return `this native histogram metric is not a gauge: ${quote(metricName)}`;
}

export function resetCollision(operation: HistogramOperationName): string {
  return `conflicting counter resets during histogram ${operation}`;
}

export function boundsReconciled(operation: HistogramOperationName): string {
  return `mismatched custom buckets were reconciled during ${operation}`;
}
