// What may be stored: UTF-8 names, no duplicates, bounded lengths.

import type { Labels } from './labels.ts';
import { METRIC_NAME } from './labels.ts';

const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Longest label name stored, in UTF-16 units. */
export const LABEL_NAME_LENGTH_MAX = 1024;
/** Longest label value stored, in UTF-16 units. */
export const LABEL_VALUE_LENGTH_MAX = 65_536;
/** Most labels a series may have. */
export const LABELS_PER_SERIES_MAX = 256;

/** The pre-UTF-8 character set of metric names. */
export function isLegacyMetricName(name: string): boolean {
  return LEGACY_METRIC.test(name);
}

/** The pre-UTF-8 character set of label names. */
export function isLegacyLabelName(name: string): boolean {
  return LEGACY_LABEL.test(name);
}

/** The reason a label set cannot be stored, or null. */
export function labelsProblem(labels: Labels): string | null {
  if (!labels.has(METRIC_NAME)) return 'the metric name (label "__name__") is missing';
  if (labels.size > LABELS_PER_SERIES_MAX) {
    return `${labels.size} labels, at most ${LABELS_PER_SERIES_MAX} are stored`;
  }
  for (let i = 0; i < labels.pairs.length; i += 2) {
    const problem = labelProblem(labels.pairs[i]!, labels.pairs[i + 1]!);
    if (problem !== null) return problem;
  }
  return null;
}

/** The reason a label cannot be stored in any set, or null. */
export function labelProblem(name: string, value: string): string | null {
  if (name === '') return 'a label name is empty';
  if (!name.isWellFormed() || name.includes('\ufffd'))
    return `label name ${JSON.stringify(name)} is not valid UTF-8`;
  if (!value.isWellFormed()) return `the value of label "${name}" is not valid UTF-8`;
  if (name.length > LABEL_NAME_LENGTH_MAX) {
    return `label name "${name.slice(0, 40)}…" has ${name.length} characters, at most ${LABEL_NAME_LENGTH_MAX}`;
  }
  if (value.length > LABEL_VALUE_LENGTH_MAX) {
    return `the value of label "${name}" has ${value.length} characters, at most ${LABEL_VALUE_LENGTH_MAX}`;
  }
  return null;
}
