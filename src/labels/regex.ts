// The one door to the RE2 engine. PromQL's regular expressions are RE2, fully anchored, with a dot that
// matches newlines; V8's engine differs in syntax and can be made to backtrack for minutes.

import { RE2JS } from 're2js';

/** A compiled, fully anchored expression. */
export interface AnchoredRegex {
  /** True where the whole of `text` matches. */
  matches(text: string): boolean;
  /** Group values by position (0 is the whole) and by name where `text` matches, else null. */
  capture(text: string): CaptureGroups | null;
}

/** What an expression captured; a group that took no part is ''. */
export interface CaptureGroups {
  readonly byIndex: readonly string[];
  readonly byName: ReadonlyMap<string, string>;
}

/** Compiles `^(?s:pattern)$`. Throws a SyntaxError with RE2's message when the pattern is not RE2. */
export function compileAnchored(pattern: string): AnchoredRegex {
  const regex = compile(pattern);
  const names = Object.entries(regex.namedGroups() as Record<string, number>);
  return {
    matches: text => regex.matches(text),
    capture(text) {
      const matcher = regex.matcher(text);
      if (!matcher.matches()) return null;
      const byIndex: string[] = [];
      for (let i = 0; i <= matcher.groupCount(); i++) byIndex.push(matcher.group(i) ?? '');
      return { byIndex, byName: new Map(names.map(([name, i]) => [name, byIndex[i] ?? ''])) };
    },
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`invalid regular expression ${JSON.stringify(pattern)}: ${text}`, {
      cause,
    });
  }
}
