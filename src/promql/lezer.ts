// The one door to the grammar: text in, a plain tree out. The grammar is error-tolerant, so a tree always
// comes back; nodes that stand for trouble are marked.

import type { SyntaxNode as LezerNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { NESTING_MAX } from './text-limits.ts';

/** One node of the concrete syntax. Offsets are UTF-16 units into the text. */
export interface SyntaxNode {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly error: boolean;
  readonly children: readonly SyntaxNode[];
}

const strictParser = parser.configure({ strict: true });

// The grammar lags behind the language in three places. Where an error node shows one of them, the text
// is parsed again with the offending characters replaced by others of the same length:
// min_of and max_of are functions too, durations' words may be in capitals, and a number may end in a dot.
const STAND_IN = 'vector';
/** Characters beyond a mistake that are read to tell what it is. */
const RECOVERY_LENGTH = 300;
/** Characters that are parsed again for it, all rounds together; then the text is taken as it is. */
const AMENDED_MAX = 200_000;

/** The tree of a whole query. Throws RangeError when it nests deeper than NESTING_MAX. */
export function parseTree(text: string): SyntaxNode {
  let shadow = text;
  for (let left = AMENDED_MAX; ; left -= text.length) {
    const root = grammarTree(shadow);
    const amended = amend(shadow, root);
    if (amended === shadow || left <= 0) return convert(root, 0);
    shadow = amended;
  }
}

/** Recovering from a mistake is slow, so of a text with one only some is read beyond it. */
function grammarTree(text: string): LezerNode {
  try {
    return strictParser.parse(text).topNode;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = Number(/\d+$/.exec(error.message)?.[0] ?? text.length);
    return parser.parse(text.slice(0, at + RECOVERY_LENGTH)).topNode;
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
