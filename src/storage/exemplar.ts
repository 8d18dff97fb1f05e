// Exemplars: single observations, most often with the id of a trace, that stand for many. They are kept in
// bounded number and never fail the samples they come with.

import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';

/** One exemplar of a series. */
export interface Exemplar {
  /** Labels of its own, beside those of the series. */
  readonly labels: Labels;
  readonly value: number;
  /** Unix ms. */
  readonly time: number;
}

/** Most code points that the names and values of an exemplar's labels have together (OpenMetrics 1.0). */
export const EXEMPLAR_LABELS_LENGTH_MAX = 128;

/** The exemplars of one series, by time. */
export interface SeriesExemplars {
  readonly labels: Labels;
  readonly exemplars: readonly Exemplar[];
}

/** A store that can be asked for exemplars. */
export interface ExemplarQueryable {
  /**
   * Exemplars with minTime ≤ t ≤ maxTime of the series that one of the matcher lists accepts, in label
   * order; series without any are left out.
   */
  exemplars(
    minTime: number,
    maxTime: number,
    selectors: readonly (readonly Matcher[])[],
  ): Promise<readonly SeriesExemplars[]>;
}

/** The reason an exemplar cannot be stored, or null. */
export function exemplarProblem({ labels, time }: Exemplar): string | null {
  if (!Number.isSafeInteger(time)) return `its time is ${time}`;
  let length = 0;
  for (const [name, value] of labels) {
    if (name === '') return 'a label name is empty';
    if (!name.isWellFormed() || !value.isWellFormed()) return 'a label is not valid UTF-8';
    length += codePoints(name) + codePoints(value);
    if (length > EXEMPLAR_LABELS_LENGTH_MAX) {
      return `its labels have more than ${EXEMPLAR_LABELS_LENGTH_MAX} characters`;
    }
  }
  return null;
}

function codePoints(text: string): number {
  if (text.length > EXEMPLAR_LABELS_LENGTH_MAX * 2) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}
