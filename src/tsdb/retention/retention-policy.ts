// What a retention policy is, and which policy each series of a block falls under. Policies are asked in
// order and the first that matches decides; series that none matches keep to the general retention.

import type { Matcher } from '../../labels/matcher.ts';
import type { IndexReader } from '../index/index-reader.ts';
import { without } from '../index/postings.ts';
import { postingsForMatchers } from '../index/postings-for-matchers.ts';

/** How long the series that match are kept. */
export interface RetentionPolicy {
  /** At least one of them refuses the empty value. */
  readonly matchers: readonly Matcher[];
  /** 0 is for ever. */
  readonly retentionMs: number;
}

/** Retention of each class of series: those of each policy, and last of all the rest. */
export function retentionsOf(
  policies: readonly RetentionPolicy[],
  generalMs: number,
): readonly number[] {
  return [...policies.map(policy => policy.retentionMs), generalMs];
}

/** The longest of retentions where 0 is for ever. */
export function longestRetention(retentions: readonly number[]): number {
  return retentions.includes(0) ? 0 : Math.max(...retentions);
}

/** The index's series by class, in the order of `retentionsOf`; each series is in one of them. */
export async function classify(
  index: IndexReader,
  policies: readonly RetentionPolicy[],
  signal?: AbortSignal,
): Promise<readonly Uint32Array[]> {
  let rest = await index.allPostings(signal);
  const classes: Uint32Array[] = [];
  for (const { matchers } of policies) {
    const matching = await postingsForMatchers(index, matchers, signal);
    const left = without(rest, matching);
    classes.push(left.length === rest.length ? NONE : without(rest, left));
    rest = left;
  }
  return [...classes, rest];
}

const NONE = new Uint32Array(0);
