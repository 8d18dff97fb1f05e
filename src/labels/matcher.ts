// Label matchers. Most expressions that dashboards send are a set of literals or a prefix; those are
// recognised once at construction so that no regular expression runs per value.

import { type AnchoredRegex, compileAnchored } from './regex.ts';

/** `=`, `!=`, `=~`, `!~`. */
export type MatchType = '=' | '!=' | '=~' | '!~';

const META = /[\\^$.|?*+()[\]{}]/;
const MEMO_ENTRIES_MAX = 4096;

/** One condition on one label. An absent label counts as the empty value. */
export class Matcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
  /** The only values that can match, where the condition is `=` or `=~` over literals; else null. */
  readonly literals: readonly string[] | null;
  /** True where a series without the label matches. */
  readonly matchesEmpty: boolean;
  readonly #test: (value: string) => boolean;

  /** Throws SyntaxError when `value` is not RE2 in a regex matcher. */
  constructor(type: MatchType, name: string, value: string) {
    this.type = type;
    this.name = name;
    this.value = value;
    const literals = type === '=' || type === '!=' ? [value] : literalAlternatives(value);
    this.literals = type === '=' || type === '=~' ? literals : null;
    this.#test = literals ? literalTest(literals) : regexTest(value);
    this.matchesEmpty = this.matches('');
  }

  /** Tests one value. */
  matches(value: string): boolean {
    const positive = this.type === '=' || this.type === '=~';
    return this.#test(value) === positive;
  }

  /** The matcher that accepts exactly the values this one refuses. */
  inverse(): Matcher {
    const inverses = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' } as const;
    return new Matcher(inverses[this.type], this.name, this.value);
  }

  toString(): string {
    return `${this.name}${this.type}${JSON.stringify(this.value)}`;
  }
}

/** `a|b|c` without metacharacters, as a list; null for anything else. */
function literalAlternatives(pattern: string): string[] | null {
  const parts = pattern.split('|');
  return parts.some(part => META.test(part)) ? null : parts;
}

function literalTest(literals: readonly string[]): (value: string) => boolean {
  if (literals.length === 1) {
    const [only] = literals;
    return value => value === only;
  }
  const set = new Set(literals);
  return value => set.has(value);
}

function regexTest(pattern: string): (value: string) => boolean {
  if (pattern === '.*') return () => true;
  if (pattern === '.+') return value => value !== '';
  const prefix = affix(pattern, /^([^\\^$.|?*+()[\]{}]+)\.\*$/);
  if (prefix !== null) return value => value.startsWith(prefix);
  const suffix = affix(pattern, /^\.\*([^\\^$.|?*+()[\]{}]+)$/);
  if (suffix !== null) return value => value.endsWith(suffix);
  const middle = affix(pattern, /^\.\*([^\\^$.|?*+()[\]{}]+)\.\*$/);
  if (middle !== null) return value => value.includes(middle);
  return memoised(compileAnchored(pattern));
}

function affix(pattern: string, shape: RegExp): string | null {
  return shape.exec(pattern)?.[1] ?? null;
}

// Label values repeat across series; remembering verdicts turns most regex runs into a Map lookup.
function memoised(regex: AnchoredRegex): (value: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return value => {
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const verdict = regex.matches(value);
    if (verdicts.size >= MEMO_ENTRIES_MAX) verdicts.clear();
    verdicts.set(value, verdict);
    return verdict;
  };
}

/** True where every matcher accepts the label set described by `get`. */
export function matchesAll(matchers: readonly Matcher[], get: (name: string) => string): boolean {
  for (const matcher of matchers) if (!matcher.matches(get(matcher.name))) return false;
  return true;
}
