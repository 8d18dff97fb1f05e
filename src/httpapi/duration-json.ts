// Durations in the tree of a query: a plain one is a number of milliseconds, one that is computed an expression.
// Keys and values follow web/api/v1/translate_ast.go of prometheus/prometheus.

import { formatPlain } from '../encoding/format-float.ts';
import type { DurationExpr } from '../promql/ast.ts';

interface NumberJson {
  readonly type: 'numberLiteral';
  readonly val: string;
  /** Whether it is written with a unit. */
  readonly duration: boolean;
}

interface ComputedJson {
  readonly type: 'durationExpr';
  readonly op: string;
  readonly lhs: DurationJson | null;
  readonly rhs: DurationJson | null;
  /** Whether parentheses stand around it. */
  readonly wrapped: boolean;
}

type DurationJson = NumberJson | ComputedJson;

/** Zero for what is absent, and for what is computed. */
export function milliseconds(duration: DurationExpr | null): number {
  const seconds = duration && plainSeconds(duration);
  return seconds === null ? 0 : Math.round(seconds * 1000);
}

/** Null for what is absent, and for what `milliseconds` tells. */
export function computedDuration(duration: DurationExpr | null): DurationJson | null {
  return duration === null || plainSeconds(duration) !== null ? null : durationJson(duration);
}

/** A number with or without a sign. */
function plainSeconds(duration: DurationExpr): number | null {
  if (duration.kind === 'literal') return duration.seconds;
  if (duration.kind !== 'negation' || duration.operand.kind !== 'literal') return null;
  const { seconds } = duration.operand;
  return duration.op === '-' ? -seconds : seconds;
}

function durationJson(duration: DurationExpr): DurationJson {
  switch (duration.kind) {
    case 'literal':
      return number(duration.seconds, duration.unit);
    case 'negation': {
      const { op, operand } = duration;
      const seconds = plainSeconds(duration);
      if (seconds !== null && operand.kind === 'literal') return number(seconds, operand.unit);
      return computed(op, null, durationJson(operand));
    }
    case 'call':
      return computed(duration.name, null, null);
    case 'choice':
      return computed(duration.name, durationJson(duration.left), durationJson(duration.right));
    case 'operation':
      return computed(duration.op, durationJson(duration.left), durationJson(duration.right));
    case 'parens': {
      const inner = durationJson(duration.inner);
      if (inner.type === 'durationExpr') return { ...inner, wrapped: true };
      return { ...computed('+', null, inner), wrapped: true };
    }
  }
}

function number(seconds: number, duration: boolean): NumberJson {
  return { type: 'numberLiteral', val: formatPlain(seconds), duration };
}

function computed(op: string, lhs: DurationJson | null, rhs: DurationJson | null): ComputedJson {
  return { type: 'durationExpr', op, lhs, rhs, wrapped: false };
}
