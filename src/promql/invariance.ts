// Which parts of a query have the same answer at every step.

import { type Expr, withoutParens } from './ast.ts';

/** Functions whose answer depends on the evaluation time whatever their arguments. */
const TIME_DEPENDENT: ReadonlySet<string> = new Set([
  'time',
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
  'predict_linear',
]);

/** True where evaluating at one time is evaluating at all. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'parens':
      return isStepInvariant(expr.inner);
    case 'unary':
      return isStepInvariant(expr.operand);
    case 'binary':
      return isStepInvariant(expr.left) && isStepInvariant(expr.right);
    case 'aggregate':
      return isStepInvariant(expr.operand) && (!expr.param || isStepInvariant(expr.param));
    case 'call':
      return isInvariantCall(expr);
    case 'vector-selector':
      return expr.at !== null;
    case 'matrix-selector':
      return expr.selector.at !== null;
    case 'subquery':
      return expr.at !== null;
  }
}

function isInvariantCall(expr: Expr & { kind: 'call' }): boolean {
  if (TIME_DEPENDENT.has(expr.name)) return false;
  // timestamp() is the evaluation time for anything but a plain selector.
  if (expr.name === 'timestamp' && withoutParens(expr.args[0]!).kind !== 'vector-selector') {
    return false;
  }
  return expr.args.every(isStepInvariant);
}
