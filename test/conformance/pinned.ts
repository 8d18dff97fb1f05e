// A query whose answer does not depend on when it is asked: every selector gets an `@`.

import { childrenOf, type Expr } from '../../src/promql/ast.ts';
import { parseQuery } from '../../src/promql/parser.ts';
import { printExpr } from '../../src/promql/printer.ts';

const TIME_DEPENDENT = new Set(
  'days_in_month day_of_month day_of_week day_of_year end hour minute month year predict_linear range start step time timestamp'.split(
    ' ',
  ),
);

/** The pinned text; null where a function depends on the time whatever its arguments. */
export function pinnedQuery(text: string, timeMs: number): string | null {
  const expr = parseQuery(text);
  return dependsOnTime(expr) ? null : printExpr(pin(expr, timeMs));
}

function dependsOnTime(expr: Expr): boolean {
  if (expr.kind === 'call' && TIME_DEPENDENT.has(expr.name)) return true;
  return childrenOf(expr).some(dependsOnTime);
}

function pin(expr: Expr, timeMs: number): Expr {
  const at = { kind: 'time', timeMs } as const;
  switch (expr.kind) {
    case 'vector-selector':
      return { ...expr, at: expr.at ?? at };
    case 'matrix-selector':
      return { ...expr, selector: { ...expr.selector, at: expr.selector.at ?? at } };
    // What lies inside is evaluated at the subquery's own steps.
    case 'subquery':
      return { ...expr, at: expr.at ?? at };
    case 'parens':
      return { ...expr, inner: pin(expr.inner, timeMs) };
    case 'unary':
      return { ...expr, operand: pin(expr.operand, timeMs) };
    case 'binary':
      return { ...expr, left: pin(expr.left, timeMs), right: pin(expr.right, timeMs) };
    case 'aggregate':
      return {
        ...expr,
        operand: pin(expr.operand, timeMs),
        param: expr.param && pin(expr.param, timeMs),
      };
    case 'call':
      return { ...expr, args: expr.args.map(arg => pin(arg, timeMs)) };
    default:
      return expr;
  }
}
