// The first byte of a log record says what it holds. Numbers are Prometheus'; those that are not read
// here have a name so that what a replay skips can be reported.

export const RECORD_SERIES = 1;
export const RECORD_SAMPLES = 2;
export const RECORD_TOMBSTONES = 3;
export const RECORD_MMAP_MARKERS = 5;
export const RECORD_EXEMPLARS = 4;
export const RECORD_METADATA = 6;
export const RECORD_HISTOGRAMS = 7;
export const RECORD_FLOAT_HISTOGRAMS = 8;
export const RECORD_CUSTOM_HISTOGRAMS = 9;
export const RECORD_CUSTOM_FLOAT_HISTOGRAMS = 10;

const NAMES = [
  '',
  'series',
  'samples',
  'tombstones',
  'exemplars',
  'mmap-markers',
  'metadata',
  'histograms',
  'float-histograms',
  'custom-bucket-histograms',
  'custom-bucket-float-histograms',
  'samples-v2',
  'histograms-v2',
  'float-histograms-v2',
];

/** True for records of native histograms that are read here. */
export function isHistogramRecord(type: number): boolean {
  return type >= RECORD_HISTOGRAMS && type <= RECORD_CUSTOM_FLOAT_HISTOGRAMS;
}

/** A record type for people. */
export function recordTypeName(type: number): string {
  return NAMES[type] || `type-${type}`;
}
