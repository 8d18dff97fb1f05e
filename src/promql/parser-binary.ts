// Binary operations with their modifiers.

import type { BinaryExpr, BinaryOp, Cardinality, Expr, VectorMatching } from './ast.ts';
import { isSetOp } from './ast.ts';
import type { SyntaxNode } from './lezer.ts';
import { labelNames, numberOrDuration, type Source, textOf } from './parser-source.ts';

/** The parts a binary expression is made of; `node` holds operator and modifiers. */
export interface BinaryParts {
  readonly op: BinaryOp;
  readonly node: SyntaxNode;
  readonly left: Expr;
  readonly right: Expr;
}

/** Puts a binary expression together. Throws ParseError for label names that cannot be. */
export function readBinary(source: Source, parts: BinaryParts): BinaryExpr {
  const { op, node, left, right } = parts;
  const modifiers = node.children.slice(2, -1);
  const operator = node.children[1]!;
  return {
    kind: 'binary',
    op,
    left,
    right,
    bool: modifiers.some(child => child.name === 'BoolModifier'),
    matching: readMatching(source, op, modifiers),
    span: { start: left.span.start, end: right.span.end },
    opSpan: { start: operator.start, end: (modifiers.at(-1) ?? operator).end },
  };
}

function readMatching(
  source: Source,
  op: BinaryOp,
  modifiers: readonly SyntaxNode[],
): VectorMatching {
  const clause = modifiers.find(child => child.name === 'MatchingModifierClause');
  const fills = modifiers.find(child => child.name === 'FillModifier')?.children ?? [];
  const parts = clause?.children ?? [];
  const group = parts.findIndex(part => part.name === 'GroupLeft' || part.name === 'GroupRight');
  const include = group >= 0 ? parts[group + 1] : undefined;
  const both = fillValue(source, fills, 'FillClause');
  return {
    cardinality: cardinalityOf(op, parts[group]?.name),
    labels: parts[1] ? labelNames(source, parts[1]) : [],
    on: parts[0]?.name === 'On',
    include: include ? labelNames(source, include) : [],
    fillLeft: both ?? fillValue(source, fills, 'FillLeftClause'),
    fillRight: both ?? fillValue(source, fills, 'FillRightClause'),
  };
}

function cardinalityOf(op: BinaryOp, group: string | undefined): Cardinality {
  if (group === 'GroupLeft') return 'many-to-one';
  if (group === 'GroupRight') return 'one-to-many';
  return isSetOp(op) ? 'many-to-many' : 'one-to-one';
}

function fillValue(source: Source, fills: readonly SyntaxNode[], name: string): number | null {
  const number = fills.find(fill => fill.name === name)?.children[1];
  if (!number) return null;
  const text = textOf(source, number);
  const { value } = numberOrDuration(source, number, text.replace(/^[+-]\s*/, ''));
  return text.startsWith('-') ? -value : value;
}
