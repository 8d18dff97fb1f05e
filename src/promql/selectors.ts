// The selectors of a query.

import { childrenOf, type Expr, type VectorSelector } from './ast.ts';

/** All selectors in an expression, in the order of the text. */
export function selectorsOf(expr: Expr): readonly VectorSelector[] {
  if (expr.kind === 'vector-selector') return [expr];
  return childrenOf(expr).flatMap(selectorsOf);
}
