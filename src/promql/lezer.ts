// The one door to the grammar: text in, a plain tree out. The grammar is error-tolerant, so a tree always
// comes back; nodes that stand for trouble are marked.

import type { SyntaxNode as LezerNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One node of the concrete syntax. Offsets are UTF-16 units into the text. */
export interface SyntaxNode {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly error: boolean;
  readonly children: readonly SyntaxNode[];
}

/** Deepest nesting that is read; deeper text is an error rather than a stack overflow. */
export const NESTING_MAX = 1000;

// The grammar lags behind the language in three places. Where an error node shows one of them, the text
// is parsed again with the offending characters replaced by others of the same length:
// min_of and max_of are functions too, durations' words may be in capitals, and a number may end in a dot.
const STAND_IN = 'vector';

/** The tree of a whole query. Throws RangeError when it nests deeper than NESTING_MAX. */
export function parseTree(text: string): SyntaxNode {
  let shadow = text;
  for (;;) {
    const root = parser.parse(shadow).topNode;
    const amended = amend(shadow, root);
    if (amended === shadow) return convert(root, 0);
    shadow = amended;
  }
}

function amend(shadow: string, root: LezerNode): string {
  let out = shadow;
  const cursor = root.cursor();
  do {
    if (cursor.type.isError) out = amendError(out, cursor.node);
  } while (cursor.next());
  return out;
}

function amendError(shadow: string, error: LezerNode): string {
  const before = error.prevSibling;
  const { from } = error;
  if (before?.name === 'Identifier' && isMissingFunction(shadow, before, from)) {
    return replaceAt(shadow, before.from, STAND_IN);
  }
  if (shadow[from] === '.' && /\d/.test(shadow[from - 1] ?? ''))
    return replaceAt(shadow, from, ' ');
  const word = /^(?:step|range|min_of|max_of)(?=\s*\()/i.exec(
    shadow.slice(from, error.to + 1),
  )?.[0];
  return word === undefined ? shadow : replaceAt(shadow, from, word.toLowerCase());
}

function isMissingFunction(shadow: string, name: LezerNode, end: number): boolean {
  return /^(?:min_of|max_of)$/.test(shadow.slice(name.from, name.to)) && shadow[end] === '(';
}

function replaceAt(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + by.length);
}

function convert(node: LezerNode, depth: number): SyntaxNode {
  if (depth > NESTING_MAX) throw new RangeError('the query nests too deeply');
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(convert(child, depth + 1));
  }
  return {
    name: node.name,
    start: node.from,
    end: node.to,
    error: node.type.isError,
    children,
  };
}
