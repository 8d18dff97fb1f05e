// Series selectors: a name, conditions in braces, or both.

import { METRIC_NAME } from '../labels/labels.ts';
import { Matcher, type MatchType } from '../labels/matcher.ts';
import type { VectorSelector } from './ast.ts';
import type { SyntaxNode } from './lezer.ts';
import { ParseError } from './parse-error.ts';
import { type Source, stringValue, textOf } from './parser-source.ts';
import { regexProblem } from './text-limits.ts';

const MATCH_TYPES: readonly MatchType[] = ['=', '!=', '=~', '!~'];

/** Reads a selector node. Throws ParseError for expressions that are not RE2. */
export function readSelector(source: Source, node: SyntaxNode): VectorSelector {
  const identifier = node.children.find(child => child.name === 'Identifier');
  const braces = node.children.find(child => child.name === 'LabelMatchers');
  const name = identifier ? textOf(source, identifier) : '';
  const matchers = (braces?.children ?? []).map(child => readMatcher(source, child));
  if (name !== '') matchers.push(new Matcher('=', METRIC_NAME, name));
  return {
    kind: 'vector-selector',
    name,
    matchers,
    offset: null,
    at: null,
    extension: null,
    span: { start: node.start, end: node.end },
  };
}

function readMatcher(source: Source, node: SyntaxNode): Matcher {
  if (node.name === 'QuotedLabelName') {
    return new Matcher('=', METRIC_NAME, stringValue(source, node.children[0]!));
  }
  const [label, op, value] = node.children;
  const name =
    label!.name === 'QuotedLabelName'
      ? stringValue(source, label!.children[0]!)
      : textOf(source, label!);
  const type = MATCH_TYPES.find(known => known === textOf(source, op!))!;
  const text = stringValue(source, value!);
  const problem = type === '=~' || type === '!~' ? regexProblem(text) : null;
  if (problem !== null) throw new ParseError(source.text, node, problem);
  try {
    return new Matcher(type, name, text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ParseError(source.text, node, cause.message);
  }
}
