// How the sides of a binary operation find each other.

import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import type { VectorMatching } from '../ast.ts';
import type { RowLabels } from '../block.ts';

/** Equal exactly for rows that match each other. */
export type MatchKey = (row: RowLabels) => string;

const SEPARATOR = '\ud800';

/** The key function of `on` or `ignoring`. */
export function matchKey(matching: VectorMatching): MatchKey {
  const { labels, on } = matching;
  if (!on) {
    const ignored = [...labels, METRIC_NAME];
    return row => row.labels.without(ignored).key;
  }
  if (labels.length === 1) {
    const [only] = labels;
    return row => row.label(only!);
  }
  return row => labels.map(name => row.label(name)).join(SEPARATOR);
}

/** The labels that a match group has in common. */
export function matchLabels(labels: Labels, matching: VectorMatching): Labels {
  return matching.on
    ? labels.keep(matching.labels)
    : labels.without([...matching.labels, METRIC_NAME]);
}
