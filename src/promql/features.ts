// Parts of the language that servers switch on: texts that use them are refused where they are off.

import { type AggregateOp, childrenOf, type Expr } from './ast.ts';
import { SIGNATURES } from './functions/signatures.ts';
import { ParseError } from './parse-error.ts';

const EXPERIMENTAL_AGGREGATIONS: ReadonlySet<AggregateOp> = new Set(['limitk', 'limit_ratio']);

/** Refuses experimental functions and aggregations. Throws ParseError at the first. */
export function refuseExperimental(text: string, expr: Expr): void {
  const flag = '--enable-feature=promql-experimental-functions';
  if (expr.kind === 'call' && SIGNATURES.get(expr.name)?.experimental) {
    throw new ParseError(
      text,
      expr.span,
      `function "${expr.name}" is not enabled; it is experimental and must be enabled with ${flag}`,
    );
  }
  if (expr.kind === 'aggregate' && EXPERIMENTAL_AGGREGATIONS.has(expr.op)) {
    const detail = `${expr.op}() is experimental and must be enabled with ${flag}`;
    throw new ParseError(text, expr.span, detail);
  }
  for (const child of childrenOf(expr)) refuseExperimental(text, child);
}
