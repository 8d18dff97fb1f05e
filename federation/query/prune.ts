// Which endpoints can have part of an answer. Pure: decided by what they announced alone.

import type { Labels } from '../../src/labels/labels.ts';
import { type Matcher, matchesAll } from '../../src/labels/matcher.ts';
import type { StoreInfo } from '../../src/storeapi/info.ts';

/** The label by which `storeMatch[]` selects endpoints. */
export const ADDRESS_LABEL = '__address__';

/** What is asked. Times are Unix ms, inclusive. */
export interface PruneQuery {
  readonly minTime: number;
  readonly maxTime: number;
  readonly matchers: readonly Matcher[];
  /** Selectors of endpoints; any one has to match. None at all selects every endpoint. */
  readonly storeMatch: readonly (readonly Matcher[])[];
}

/** Why an endpoint need not be asked; null where it has to be. */
export function pruneReason(address: string, info: StoreInfo, query: PruneQuery): string | null {
  if (!info.store) return 'it does not serve series';
  if (!selected(address, query.storeMatch)) return 'storeMatch does not select it';
  if (info.store.maxTime < query.minTime || info.store.minTime > query.maxTime) {
    return 'its time range lies outside';
  }
  if (!anySetCanMatch(info.labelSets, query.matchers)) return 'its external labels do not match';
  return null;
}

/** True where some selector accepts the address, or there are no selectors. */
export function selected(address: string, storeMatch: PruneQuery['storeMatch']): boolean {
  if (storeMatch.length === 0) return true;
  const get = (name: string): string => (name === ADDRESS_LABEL ? address : '');
  return storeMatch.some(matchers => matchesAll(matchers, get));
}

/** A label that a set lacks may still be in the series, so only labels it has can refuse. */
export function anySetCanMatch(
  labelSets: readonly Labels[],
  matchers: readonly Matcher[],
): boolean {
  if (labelSets.length === 0) return true;
  return labelSets.some(labels =>
    matchers.every(matcher => {
      const value = labels.get(matcher.name);
      return value === '' || matcher.matches(value);
    }),
  );
}
