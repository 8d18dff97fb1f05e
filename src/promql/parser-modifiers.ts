// What may follow a selector: ranges, subqueries, offset, `@`, anchored and smoothed.

import type { AtModifier, Expr, RangeExtension, Span } from './ast.ts';
import type { SyntaxNode } from './lezer.ts';
import { ParseError } from './parse-error.ts';
import { readDuration, readPositiveDuration } from './parser-duration.ts';
import { numberOrDuration, type Source, textOf } from './parser-source.ts';

const POSTFIX: ReadonlySet<string> = new Set([
  'OffsetExpr',
  'StepInvariantExpr',
  'MatrixSelector',
  'SubqueryExpr',
  'AnchoredExpr',
  'SmoothedExpr',
]);

/** True for nodes that put something behind an expression. */
export function isPostfix(node: SyntaxNode): boolean {
  return POSTFIX.has(node.name);
}

/** The expression with the node's addition. */
export function applyPostfix(source: Source, node: SyntaxNode, expr: Expr): Expr {
  switch (node.name) {
    case 'OffsetExpr':
      return withOffset(source, node, expr);
    case 'StepInvariantExpr':
      return withAt(source, node, expr);
    case 'MatrixSelector':
      return withRange(source, node, expr);
    case 'SubqueryExpr':
      return withSubquery(source, node, expr);
    default:
      return withExtension(source, expr, node.name === 'AnchoredExpr' ? 'anchored' : 'smoothed');
  }
}

function fail(source: Source, span: Span, detail: string): never {
  throw new ParseError(source.text, span, detail);
}

function withOffset(source: Source, node: SyntaxNode, expr: Expr): Expr {
  const offset = readDuration(source, node.children[2]!);
  const span = { start: expr.span.start, end: node.end };
  const twice = 'offset may not be set multiple times';
  if (expr.kind === 'matrix-selector') {
    if (expr.selector.offset) fail(source, expr.span, twice);
    return { ...expr, selector: { ...expr.selector, offset }, span };
  }
  if (expr.kind !== 'vector-selector' && expr.kind !== 'subquery') {
    return fail(
      source,
      expr.span,
      'offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    );
  }
  if (expr.offset) fail(source, expr.span, twice);
  return { ...expr, offset, span };
}

function withAt(source: Source, node: SyntaxNode, expr: Expr): Expr {
  const at = readAt(source, node.children[2]!, expr.span);
  const span = { start: expr.span.start, end: node.end };
  const twice = '@ <timestamp> may not be set multiple times';
  if (expr.kind === 'matrix-selector') {
    if (expr.selector.at) fail(source, expr.span, twice);
    return { ...expr, selector: { ...expr.selector, at }, span };
  }
  if (expr.kind !== 'vector-selector' && expr.kind !== 'subquery') {
    return fail(
      source,
      expr.span,
      '@ modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    );
  }
  if (expr.at) fail(source, expr.span, twice);
  return { ...expr, at, span };
}

function readAt(source: Source, node: SyntaxNode, span: Span): AtModifier {
  if (node.name === 'AtModifierPreprocessors') {
    return { kind: node.children[0]!.name === 'AtStart' ? 'start' : 'end' };
  }
  const text = textOf(source, node);
  const unsigned = text.replace(/^[+-]\s*/, '');
  const { value } = numberOrDuration(source, node, unsigned);
  const seconds = text.startsWith('-') ? -value : value;
  if (!(Math.abs(seconds) < 2 ** 63)) {
    fail(source, span, `timestamp out of bounds for @ modifier: ${seconds}`);
  }
  return { kind: 'time', timeMs: roundHalfAway(seconds * 1000) };
}

function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

function withRange(source: Source, node: SyntaxNode, expr: Expr): Expr {
  const brackets = { start: source.text.indexOf('[', expr.span.end), end: node.end };
  if (expr.kind !== 'vector-selector') {
    return fail(source, brackets, 'ranges only allowed for vector selectors');
  }
  if (expr.offset) fail(source, brackets, 'no offset modifiers allowed before range');
  if (expr.at) fail(source, brackets, 'no @ modifiers allowed before range');
  const range = readPositiveDuration(source, node.children[1]!);
  return {
    kind: 'matrix-selector',
    selector: expr,
    range,
    span: { start: expr.span.start, end: node.end },
  };
}

function withSubquery(source: Source, node: SyntaxNode, expr: Expr): Expr {
  const [, range, step] = node.children;
  return {
    kind: 'subquery',
    inner: expr,
    range: readPositiveDuration(source, range!),
    step: step ? readPositiveDuration(source, step) : null,
    offset: null,
    at: null,
    span: { start: expr.span.start, end: node.end },
  };
}

function withExtension(source: Source, expr: Expr, extension: RangeExtension): Expr {
  if (expr.kind === 'subquery') {
    return fail(source, expr.span, `${extension} modifier is not supported for subqueries`);
  }
  const selector = expr.kind === 'matrix-selector' ? expr.selector : expr;
  if (selector.kind !== 'vector-selector') {
    return fail(source, expr.span, `${extension} modifier not implemented`);
  }
  if (selector.extension !== null && selector.extension !== extension) {
    fail(source, expr.span, 'anchored and smoothed modifiers cannot be used together');
  }
  return expr.kind === 'matrix-selector'
    ? { ...expr, selector: { ...expr.selector, extension } }
    : { ...selector, extension };
}
