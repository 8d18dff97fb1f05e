// Text to AST. The grammar's tree is taken for its words, not for its shape: it binds `offset`, `@` and
// ranges more loosely than operators and is ambiguous on signs, so operands and operators are flattened
// and joined again by precedence here.

import type { AggregateOp, BinaryOp, Expr, Span, VectorSelector } from './ast.ts';
import { checkExpr } from './check.ts';
import { parseTree, type SyntaxNode } from './lezer.ts';
import { ParseError } from './parse-error.ts';
import { readBinary } from './parser-binary.ts';
import { applyPostfix, isPostfix } from './parser-modifiers.ts';
import { readSelector } from './parser-selector.ts';
import { labelNames, numberLiteral, type Source, stringValue } from './parser-source.ts';
import { syntaxError } from './syntax-error.ts';
import { textProblem } from './text-limits.ts';

/**
 * Reads and type-checks a query. `refuse` sees it between the two, and throws for what must not be asked.
 * Throws ParseError.
 */
export function parseQuery(text: string, refuse?: (text: string, expr: Expr) => void): Expr {
  const root = readTree(text);
  const source: Source = { text };
  const expr = readExpr(source, root.children[0]!);
  refuse?.(text, expr);
  checkExpr(text, expr);
  return expr;
}

/** Reads a selector alone: no range, no modifiers, and not one for everything. Throws ParseError. */
export function parseSelector(text: string): VectorSelector {
  const selector = parseAnySelector(text);
  checkExpr(text, selector);
  return selector;
}

/** Reads a selector alone, which may be one for everything. Throws ParseError. */
export function parseAnySelector(text: string): VectorSelector {
  if (text.trim() === '') {
    throw new ParseError(text, { start: 0, end: text.length }, 'unexpected end of input');
  }
  const expr = readExpr({ text }, readTree(text).children[0]!);
  if (expr.kind !== 'vector-selector' || expr.at || expr.offset || expr.extension) {
    throw new ParseError(text, expr.span, 'expected a series selector and nothing else');
  }
  return expr;
}

function readTree(text: string): SyntaxNode {
  const problem = textProblem(text);
  if (problem !== null) throw new ParseError(text, { start: 0, end: text.length }, problem);
  let root: SyntaxNode;
  try {
    root = parseTree(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ParseError(text, { start: 0, end: text.length }, 'the query nests too deeply');
  }
  if (hasError(root) || root.children.length !== 1) throw syntaxError(text, root);
  return root;
}

function hasError(node: SyntaxNode): boolean {
  return node.error || node.children.some(hasError);
}

/** One element of a flattened chain of operators. */
type Item =
  | { readonly kind: 'prefix'; readonly op: '+' | '-'; readonly start: number }
  | { readonly kind: 'operand'; expr: Expr }
  | { readonly kind: 'operator'; readonly op: BinaryOp; readonly node: SyntaxNode };

const POWER = 6;
const PRECEDENCE: Readonly<Record<BinaryOp, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '>': 3,
  '<': 3,
  '>=': 3,
  '<=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': POWER,
};

function readExpr(source: Source, node: SyntaxNode): Expr {
  const items: Item[] = [];
  flatten(source, node, items);
  const cursor = { at: 0 };
  return climb(source, items, cursor, 0);
}

/** Appends the chain of operators under a node, in the order of the text. */
function flatten(source: Source, node: SyntaxNode, items: Item[]): void {
  const [first, second] = node.children;
  if (node.name === 'BinaryExpr') {
    flatten(source, first!, items);
    items.push({ kind: 'operator', op: binaryOp(source, second!), node });
    flatten(source, node.children.at(-1)!, items);
  } else if (node.name === 'UnaryExpr') {
    items.push(prefix(source, first!.start));
    flatten(source, second!, items);
  } else if (isPostfix(node)) {
    flatten(source, first!, items);
    const last = items.at(-1)!;
    if (last.kind === 'operand') last.expr = applyPostfix(source, node, last.expr);
  } else if (node.name === 'NumberDurationLiteral') {
    const signed = /^[+-]/.test(source.text.slice(node.start, node.start + 1));
    if (signed) items.push(prefix(source, node.start));
    items.push({ kind: 'operand', expr: numberLiteral(source, node, signed) });
  } else {
    items.push({ kind: 'operand', expr: readOperand(source, node) });
  }
}

function prefix(source: Source, start: number): Item {
  return { kind: 'prefix', op: source.text[start] === '-' ? '-' : '+', start };
}

function binaryOp(source: Source, node: SyntaxNode): BinaryOp {
  const text = source.text.slice(node.start, node.end).toLowerCase();
  const known = Object.keys(PRECEDENCE).find((op): op is BinaryOp => op === text);
  if (!known) throw new ParseError(source.text, node, `unexpected <op:${text}>`);
  return known;
}

/** Precedence climbing over the flat items. */
function climb(
  source: Source,
  items: readonly Item[],
  cursor: { at: number },
  floor: number,
): Expr {
  let left = climbUnary(source, items, cursor);
  for (;;) {
    const item = items[cursor.at];
    if (item?.kind !== 'operator' || PRECEDENCE[item.op] < floor) return left;
    cursor.at++;
    const precedence = PRECEDENCE[item.op];
    const right = climb(source, items, cursor, item.op === '^' ? precedence : precedence + 1);
    left = readBinary(source, { op: item.op, node: item.node, left, right });
  }
}

function climbUnary(source: Source, items: readonly Item[], cursor: { at: number }): Expr {
  const item = items[cursor.at++]!;
  if (item.kind === 'operand') return item.expr;
  if (item.kind === 'operator')
    throw new ParseError(source.text, item.node, `unexpected <op:${item.op}>`);
  // A sign binds like multiplication: -1^2 is -(1^2), -1*2 is (-1)*2.
  const operand = climb(source, items, cursor, POWER);
  const span = { start: item.start, end: operand.span.end };
  if (operand.kind === 'number') {
    return { ...operand, value: item.op === '-' ? -operand.value : operand.value, span };
  }
  return { kind: 'unary', op: item.op, operand, span };
}

function readOperand(source: Source, node: SyntaxNode): Expr {
  const span: Span = { start: node.start, end: node.end };
  switch (node.name) {
    case 'ParenExpr':
      return { kind: 'parens', inner: readExpr(source, node.children[0]!), span };
    case 'StringLiteral':
      return { kind: 'string', value: stringValue(source, node), span };
    case 'VectorSelector':
      return readSelector(source, node);
    case 'FunctionCall':
      return readCall(source, node);
    case 'AggregateExpr':
      return readAggregate(source, node);
    default:
      throw new ParseError(source.text, span, `unexpected ${node.name}`);
  }
}

function readCall(source: Source, node: SyntaxNode): Expr {
  const [name, body] = node.children;
  return {
    kind: 'call',
    name: source.text.slice(name!.start, name!.end),
    args: body!.children.map(child => readExpr(source, child)),
    span: { start: node.start, end: node.end },
  };
}

const WITH_PARAM: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);
const AGGREGATE_OPS: readonly AggregateOp[] = [
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
];

function readAggregate(source: Source, node: SyntaxNode): Expr {
  const span: Span = { start: node.start, end: node.end };
  const word = node.children[0]!;
  const text = source.text.slice(word.start, word.end).toLowerCase();
  const op = AGGREGATE_OPS.find(known => known === text)!;
  const body = node.children.find(child => child.name === 'FunctionCallBody')!;
  const modifier = node.children.find(child => child.name === 'AggregateModifier');
  const args = body.children.map(child => readExpr(source, child));
  if (args.length === 0) {
    throw new ParseError(source.text, span, 'no arguments for aggregate expression provided');
  }
  const wanted = WITH_PARAM.has(op) ? 2 : 1;
  if (args.length !== wanted) {
    throw new ParseError(
      source.text,
      span,
      `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
    );
  }
  return {
    kind: 'aggregate',
    op,
    operand: args[wanted - 1]!,
    param: wanted === 2 ? args[0]! : null,
    grouping: modifier ? labelNames(source, modifier.children[1]!) : [],
    without: modifier?.children[0]?.name === 'Without',
    span,
  };
}
