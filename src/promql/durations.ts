// Durations that are computed from the query's own step and range.

import { OutpostError } from '../lifecycle/errors.ts';
import type { DurationExpr } from './ast.ts';
import { maxOf, minOf, pow } from './go-math.ts';
import { lineColumn } from './position.ts';

/** What duration expressions may ask for, in ms. */
export interface DurationScope {
  readonly text: string;
  readonly stepMs: number;
  readonly rangeMs: number;
}

const SECONDS_MAX = 2 ** 63 / 1e9;

/** Whole milliseconds of a duration; `signed` allows zero and negative ones. Throws `execution`. */
export function durationMs(expr: DurationExpr, scope: DurationScope, signed: boolean): number {
  if (expr.kind === 'literal') return Math.round(expr.seconds * 1000);
  const seconds = evaluate(expr, scope);
  const fail = (detail: string): never => {
    throw new OutpostError('execution', `${lineColumn(scope.text, expr.span.start)}: ${detail}`);
  };
  if (!Number.isFinite(seconds)) fail('duration is NaN or infinite');
  if (seconds <= 0 && !signed) fail('duration must be greater than 0');
  if (Math.abs(seconds) > SECONDS_MAX) fail('duration is out of range');
  return Math.trunc(seconds * 1000);
}

function evaluate(expr: DurationExpr, scope: DurationScope): number {
  switch (expr.kind) {
    case 'literal':
      return expr.seconds;
    case 'call':
      return (expr.name === 'step' ? scope.stepMs : scope.rangeMs) / 1000;
    case 'parens':
      return evaluate(expr.inner, scope);
    case 'negation':
      return expr.op === '-' ? -evaluate(expr.operand, scope) : evaluate(expr.operand, scope);
    case 'choice': {
      const left = evaluate(expr.left, scope);
      const right = evaluate(expr.right, scope);
      return expr.name === 'min_of' ? minOf(left, right) : maxOf(left, right);
    }
    case 'operation':
      return operate(expr, evaluate(expr.left, scope), evaluate(expr.right, scope), scope);
  }
}

function operate(
  expr: DurationExpr & { kind: 'operation' },
  left: number,
  right: number,
  scope: DurationScope,
): number {
  if (right === 0 && (expr.op === '/' || expr.op === '%')) {
    const what = expr.op === '/' ? 'division' : 'modulo';
    const place = lineColumn(scope.text, expr.span.start);
    throw new OutpostError('execution', `${place}: ${what} by zero`);
  }
  switch (expr.op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return pow(left, right);
  }
}
