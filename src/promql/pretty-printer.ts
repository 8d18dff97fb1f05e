// AST to canonical text on as many lines as it needs: an expression that does not fit into a line has its parts
// on lines of their own, two spaces further in. Layout: prometheus/prometheus promql/parser/prettier.go, so
// that texts kept under version control do not change with the server that formats them.

import type { AggregateExpr, BinaryExpr, CallExpr, Expr } from './ast.ts';
import { aggregateHead, binaryHead, printExpr, subqueryTail } from './printer.ts';

/** Bytes of text beyond which an expression is split, its indentation not counted. */
const LINE_BYTES_MAX = 100;

/** The canonical text of an expression, split into lines where it is long. */
export function prettyExpr(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  // A sign stays with its operand, whatever becomes of that.
  if (expr.kind === 'unary') {
    return indent(level) + expr.op + pretty(expr.operand, level).trim();
  }
  const line = printExpr(expr);
  if (Buffer.byteLength(line) > LINE_BYTES_MAX) {
    const lines = split(expr, level);
    if (lines !== null) return lines;
  }
  // Upstream leaves a subquery that fits where it is.
  return expr.kind === 'subquery' ? line : indent(level) + line;
}

/** Null for what is never split. */
function split(expr: Expr, level: number): string | null {
  switch (expr.kind) {
    case 'aggregate':
      return splitAggregate(expr, level);
    case 'binary':
      return splitBinary(expr, level);
    case 'call':
      return splitCall(expr, level);
    case 'parens':
      return `${indent(level)}(\n${pretty(expr.inner, level + 1)}\n${indent(level)})`;
    case 'subquery':
      return pretty(expr.inner, level) + subqueryTail(expr);
    default:
      return null;
  }
}

function splitAggregate(expr: AggregateExpr, level: number): string {
  const param = expr.param ? `${pretty(expr.param, level + 1)},\n` : '';
  const operand = pretty(expr.operand, level + 1);
  return `${indent(level)}${aggregateHead(expr)}(\n${param}${operand}\n${indent(level)})`;
}

function splitBinary(expr: BinaryExpr, level: number): string {
  const left = pretty(expr.left, level + 1);
  return `${left}\n${indent(level)}${binaryHead(expr)}\n${pretty(expr.right, level + 1)}`;
}

function splitCall({ name, args }: CallExpr, level: number): string {
  const inner = args.map(arg => pretty(arg, level + 1)).join(',\n');
  return `${indent(level)}${name}(\n${inner}\n${indent(level)})`;
}

function indent(level: number): string {
  return '  '.repeat(level);
}
