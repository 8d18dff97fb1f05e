// The leaves of the syntax: numbers, strings and label names.

import { parseDuration } from '../encoding/units.ts';
import type { NumberLiteral } from './ast.ts';
import type { SyntaxNode } from './lezer.ts';
import { parseNumber, unquote } from './literals.ts';
import { ParseError } from './parse-error.ts';

/** What every reader needs: the text that offsets point into. */
export interface Source {
  readonly text: string;
}

/** The text of a node. */
export function textOf(source: Source, node: SyntaxNode): string {
  return source.text.slice(node.start, node.end);
}

/** The value in seconds, or the plain number, of number or duration text. */
export function numberOrDuration(
  source: Source,
  node: SyntaxNode,
  text: string,
): { value: number; duration: boolean } {
  if (/[smhdwy]$/.test(text) && !/^0x/i.test(text)) {
    const ms = parseDuration(text);
    if (ms === null) throw new ParseError(source.text, node, 'duration out of range');
    return { value: ms / 1000, duration: true };
  }
  const value = parseNumber(text);
  if (Number.isNaN(value) && text.toLowerCase() !== 'nan') {
    throw new ParseError(
      source.text,
      node,
      `bad number or duration syntax: ${JSON.stringify(text)}`,
    );
  }
  return { value, duration: false };
}

/** A number; where `signed`, the sign before it is left to the caller. */
export function numberLiteral(source: Source, node: SyntaxNode, signed: boolean): NumberLiteral {
  const text = textOf(source, node)
    .slice(signed ? 1 : 0)
    .trimStart();
  const span = { start: node.end - text.length, end: node.end };
  return { kind: 'number', ...numberOrDuration(source, node, text), span };
}

/** What a string literal says. */
export function stringValue(source: Source, node: SyntaxNode): string {
  const text = textOf(source, node);
  const terminated = text.length >= 2 && text.at(-1) === text[0];
  if (!terminated || (text[0] !== '`' && text.includes('\n'))) {
    const what = text[0] === '`' ? 'unterminated raw string' : 'unterminated quoted string';
    throw new ParseError(source.text, node, what);
  }
  try {
    return unquote(text);
  } catch (cause) {
    throw new ParseError(source.text, node, cause instanceof Error ? cause.message : String(cause));
  }
}

/** The names of a `GroupingLabels` node. */
export function labelNames(source: Source, node: SyntaxNode): string[] {
  return node.children.map(child => {
    if (child.name !== 'QuotedLabelName') return textOf(source, child);
    const name = stringValue(source, child.children[0]!);
    if (name === '' || !name.isWellFormed()) {
      throw new ParseError(
        source.text,
        child,
        `invalid label name for grouping: ${JSON.stringify(name)}`,
      );
    }
    return name;
  });
}
