// What a store's external labels do to requests and series. Pure.

import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';

/**
 * Tests the matchers that aim at external labels and removes them; what is left is for the store. Null
 * where one does not match, so that nothing of the store is wanted.
 */
export function stripExternal(
  matchers: readonly Matcher[],
  external: Labels,
): readonly Matcher[] | null {
  const rest: Matcher[] = [];
  for (const matcher of matchers) {
    const value = external.get(matcher.name);
    if (value === '') rest.push(matcher);
    else if (!matcher.matches(value)) return null;
  }
  return rest;
}

/** A series' labels as they are sent: without the replica labels, external ones winning. */
export function sentLabels(
  own: Labels,
  external: Labels,
  replicaLabels: readonly string[],
): Labels {
  const merged = own.merge(external);
  return replicaLabels.length === 0 ? merged : merged.without(replicaLabels);
}
