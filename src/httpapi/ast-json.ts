// A parsed query as JSON: the tree that Prometheus' web page draws. Keys and values follow
// web/api/v1/translate_ast.go of prometheus/prometheus.

import { formatPlain } from '../encoding/format-float.ts';
import type { AtModifier, BinaryExpr, CallExpr, Expr, VectorSelector } from '../promql/ast.ts';
import { typeOf } from '../promql/check.ts';
import { SIGNATURES } from '../promql/functions/signatures.ts';
import { computedDuration, milliseconds } from './duration-json.ts';

/** The tree as a value for JSON.stringify. */
export function astJson(expr: Expr): object {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatPlain(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'parens':
      return { type: 'parenExpr', expr: astJson(expr.inner) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: astJson(expr.operand) };
    case 'binary':
      return binaryJson(expr);
    case 'call':
      return callJson(expr);
    case 'aggregate': {
      const { op, grouping, without } = expr;
      const param = expr.param ? astJson(expr.param) : null;
      return { type: 'aggregation', op, expr: astJson(expr.operand), param, grouping, without };
    }
    case 'vector-selector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
    case 'matrix-selector': {
      const range = milliseconds(expr.range);
      const rangeExpr = computedDuration(expr.range);
      return { type: 'matrixSelector', range, rangeExpr, ...selectorJson(expr.selector) };
    }
    case 'subquery':
      return {
        type: 'subquery',
        expr: astJson(expr.inner),
        range: milliseconds(expr.range),
        rangeExpr: computedDuration(expr.range),
        offset: milliseconds(expr.offset),
        offsetExpr: computedDuration(expr.offset),
        step: milliseconds(expr.step),
        stepExpr: computedDuration(expr.step),
        ...atJson(expr.at),
      };
  }
}

function binaryJson(expr: BinaryExpr): object {
  const { op, left, right, bool, matching: m } = expr;
  // Series are matched only between two vectors.
  const isMatched = typeOf(left) === 'vector' && typeOf(right) === 'vector';
  const matching = {
    card: m.cardinality,
    labels: m.labels,
    on: m.on,
    include: m.include,
    fillValues: { lhs: m.fillLeft, rhs: m.fillRight },
  };
  return {
    type: 'binaryExpr',
    op,
    lhs: astJson(left),
    rhs: astJson(right),
    matching: isMatched ? matching : null,
    bool,
  };
}

function callJson({ name, args }: CallExpr): object {
  const { args: argTypes, variadic, returns } = SIGNATURES.get(name)!;
  return {
    type: 'call',
    func: { name, argTypes, variadic, returnType: returns },
    args: args.map(astJson),
  };
}

function selectorJson(selector: VectorSelector): object {
  const { name, matchers, offset, at, extension } = selector;
  return {
    name,
    offset: milliseconds(offset),
    offsetExpr: computedDuration(offset),
    matchers: matchers.map(({ name, value, type }) => ({ name, value, type })),
    ...atJson(at),
    anchored: extension === 'anchored',
    smoothed: extension === 'smoothed',
  };
}

function atJson(at: AtModifier | null): object {
  return {
    timestamp: at?.kind === 'time' ? at.timeMs : null,
    startOrEnd: at === null || at.kind === 'time' ? null : at.kind,
  };
}
