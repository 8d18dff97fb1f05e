// What a text may be before the grammar sees it. The grammar recovers from mistakes, which costs it much
// more than reading what is right, so its input is bounded by a scan that costs next to nothing.

/** Most characters outside of strings and comments; a regular expression may be longer. */
export const CODE_LENGTH_MAX = 50_000;
/** Deepest nesting that is read; deeper text is an error rather than a stack overflow. */
export const NESTING_MAX = 1000;

const STRING_OR_COMMENT = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?|#[^\n]*/gs;

/** Why a text is not read at all; null where nothing stands against it. */
export function textProblem(text: string): string | null {
  if (text.length <= NESTING_MAX) return null;
  const code = text.replace(STRING_OR_COMMENT, '');
  if (code.length > CODE_LENGTH_MAX) {
    return `the query has more than ${CODE_LENGTH_MAX} characters outside of its strings`;
  }
  let depth = 0;
  for (let i = 0; i < code.length; i++) {
    const character = code[i]!;
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    if (depth > NESTING_MAX) return 'the query nests too deeply';
  }
  return null;
}

/**
 * Longest regular expression, in characters. Some tens of milliseconds compile it; RE2 itself
 * bounds what repetitions can make of it. Alternatives of plain text need no compiling and may be longer.
 */
export const REGEX_LENGTH_MAX = 65_536;

const REGEX_META = /[\\^$.?*+()[\]{}]/;

/** Why a regular expression is not compiled at all; null where nothing stands against it. */
export function regexProblem(pattern: string): string | null {
  if (pattern.length <= REGEX_LENGTH_MAX || !REGEX_META.test(pattern)) return null;
  return `the regular expression is ${pattern.length} characters long: the limit is ${REGEX_LENGTH_MAX}, which no flag changes; plain alternatives such as a|b|c may be longer`;
}
