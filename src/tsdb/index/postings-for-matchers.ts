// From matchers to series. A matcher that refuses the empty value names series to keep; one that accepts
// it can only be told by the series to leave out, because series without the label are in no list.

import type { Matcher } from '../../labels/matcher.ts';
import { intersect, without } from './postings.ts';

/** A list that is at hand or has to be read. */
export type Awaitable<T> = T | Promise<T>;

/** Anything that keeps postings: a head in memory or a block's index. Lists are sorted and unique. */
export interface PostingsSource {
  /** Every series. */
  allPostings(signal?: AbortSignal): Awaitable<Uint32Array>;
  /** Series where the label has one of the values; values nobody has add nothing. */
  postings(name: string, values: readonly string[], signal?: AbortSignal): Awaitable<Uint32Array>;
  /** Series that have the label with a value the test accepts. The test runs once for each value. */
  postingsWhere(
    name: string,
    accepts: (value: string) => boolean,
    signal?: AbortSignal,
  ): Awaitable<Uint32Array>;
  /** Gives way to the event loop where that is due; absent where lists come with a wait anyway. */
  breathe?(): Promise<void> | undefined;
}

/** Ids of the series every matcher accepts; without matchers, all. */
export async function postingsForMatchers(
  source: PostingsSource,
  matchers: readonly Matcher[],
  signal?: AbortSignal,
): Promise<Uint32Array> {
  const required: Uint32Array[] = [];
  for (const matcher of cheapestFirst(matchers.filter(m => !m.matchesEmpty))) {
    const list = await postingsOf(source, matcher, signal);
    if (list.length === 0) return list;
    required.push(list);
    await source.breathe?.();
  }
  let out = required.length > 0 ? intersect(required) : await source.allPostings(signal);
  for (const matcher of cheapestFirst(matchers.filter(m => m.matchesEmpty))) {
    if (out.length === 0 || acceptsEverything(matcher)) continue;
    const refused = await postingsOf(source, matcher.inverse(), signal);
    await source.breathe?.();
    out = without(out, refused);
  }
  return out;
}

function postingsOf(
  source: PostingsSource,
  matcher: Matcher,
  signal: AbortSignal | undefined,
): Awaitable<Uint32Array> {
  if (matcher.literals) {
    const values = matcher.literals.filter(value => value !== '');
    return source.postings(matcher.name, values, signal);
  }
  return source.postingsWhere(matcher.name, value => matcher.matches(value), signal);
}

// Literals are looked up directly; anything else is tested against every value of its label.
function cheapestFirst(matchers: readonly Matcher[]): Matcher[] {
  const rank = (m: Matcher): number => ((m.matchesEmpty ? m.inverse() : m).literals ? 0 : 1);
  return [...matchers].sort((a, b) => rank(a) - rank(b));
}

function acceptsEverything(matcher: Matcher): boolean {
  return matcher.type === '=~' && matcher.value === '.*';
}
