// The type checker: what the grammar lets through and the language does not.

import { METRIC_NAME } from '../labels/labels.ts';
import type { BinaryExpr, CallExpr, Expr, Span, ValueType, VectorSelector } from './ast.ts';
import { isComparison, isSetOp } from './ast.ts';
import { SIGNATURES } from './functions/signatures.ts';
import { ParseError } from './parse-error.ts';

const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};

/** The name of a type in messages. */
export function documentedType(type: ValueType): string {
  return DOCUMENTED[type];
}

/** The type of an expression that has passed the checker. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'parens':
      return typeOf(expr.inner);
    case 'unary':
      return typeOf(expr.operand);
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar'
        ? 'scalar'
        : 'vector';
    case 'call':
      return SIGNATURES.get(expr.name)?.returns ?? 'vector';
    case 'matrix-selector':
    case 'subquery':
      return 'matrix';
    default:
      return 'vector';
  }
}

/** Throws ParseError at the first fault. */
export function checkExpr(text: string, expr: Expr): void {
  new Checker(text).check(expr);
}

class Checker {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  check(expr: Expr): ValueType {
    switch (expr.kind) {
      case 'aggregate':
        this.#expect(expr.operand, 'vector', 'aggregation expression');
        if (expr.param) {
          const want = expr.op === 'count_values' ? 'string' : 'scalar';
          this.#expect(expr.param, want, 'aggregation parameter');
        }
        break;
      case 'binary':
        this.#checkBinary(expr);
        break;
      case 'call':
        this.#checkCall(expr);
        break;
      case 'parens':
        this.check(expr.inner);
        break;
      case 'unary':
        this.#checkUnary(expr.operand, expr.span);
        break;
      case 'subquery':
        this.#checkSubquery(expr.inner, expr.span);
        break;
      case 'matrix-selector':
        this.#checkSelector(expr.selector);
        break;
      case 'vector-selector':
        this.#checkSelector(expr);
        break;
      default:
        break;
    }
    return typeOf(expr);
  }

  #fail(span: Span, detail: string): never {
    throw new ParseError(this.#text, span, detail);
  }

  #expect(expr: Expr, want: ValueType, context: string): void {
    const type = this.check(expr);
    if (type === want) return;
    this.#fail(
      expr.span,
      `expected type ${documentedType(want)} in ${context}, got ${documentedType(type)}`,
    );
  }

  #checkUnary(operand: Expr, span: Span): void {
    const type = this.check(operand);
    if (type === 'scalar' || type === 'vector') return;
    this.#fail(
      span,
      `unary expression only allowed on expressions of type scalar or instant vector, got "${documentedType(type)}"`,
    );
  }

  #checkSubquery(inner: Expr, span: Span): void {
    const type = this.check(inner);
    if (type === 'vector') return;
    this.#fail(span, `subquery is only allowed on instant vector, got ${type} instead`);
  }

  #checkBinary(expr: BinaryExpr): void {
    const left = this.check(expr.left);
    const right = this.check(expr.right);
    const { op, matching, opSpan, span } = expr;
    if (expr.bool && !isComparison(op)) {
      this.#fail(opSpan, 'bool modifier can only be used on comparison operators');
    }
    if (isComparison(op) && !expr.bool && left === 'scalar' && right === 'scalar') {
      this.#fail(opSpan, 'comparisons between scalars must use BOOL modifier');
    }
    const both = matching.on && matching.labels.find(label => matching.include.includes(label));
    if (both) {
      this.#fail(
        opSpan,
        `label ${JSON.stringify(both)} must not occur in ON and GROUP clause at once`,
      );
    }
    for (const [side, type] of [
      [expr.left, left],
      [expr.right, right],
    ] as const) {
      if (type !== 'scalar' && type !== 'vector') {
        this.#fail(
          side.span,
          'binary expression must contain only scalar and instant vector types',
        );
      }
    }
    const filled = matching.fillLeft !== null || matching.fillRight !== null;
    if (left !== 'vector' || right !== 'vector') {
      if (matching.labels.length > 0) {
        this.#fail(span, 'vector matching only allowed between instant vectors');
      }
      if (filled) {
        this.#fail(span, 'filling in missing series only allowed between instant vectors');
      }
      if (isSetOp(op)) {
        this.#fail(span, `set operator "${op}" not allowed in binary scalar expression`);
      }
    } else if (isSetOp(op)) {
      if (matching.cardinality !== 'many-to-many') {
        this.#fail(span, `no grouping allowed for "${op}" operation`);
      }
      if (filled) this.#fail(span, 'filling in missing series not allowed for set operators');
    }
  }

  #checkCall(expr: CallExpr): void {
    const signature = SIGNATURES.get(expr.name);
    const name = JSON.stringify(expr.name);
    if (!signature) this.#fail(expr.span, `unknown function with name ${name}`);
    const { args, variadic } = signature;
    const count = expr.args.length;
    if (variadic === 0 && count !== args.length) {
      this.#fail(expr.span, `expected ${args.length} argument(s) in call to ${name}, got ${count}`);
    }
    if (variadic !== 0) {
      const least = args.length - 1;
      if (count < least) {
        this.#fail(
          expr.span,
          `expected at least ${least} argument(s) in call to ${name}, got ${count}`,
        );
      }
      if (variadic > 0 && count > least + variadic) {
        const most = least + variadic;
        this.#fail(
          expr.span,
          `expected at most ${most} argument(s) in call to ${name}, got ${count}`,
        );
      }
    }
    if (expr.name === 'info' && count > 1) {
      this.check(expr.args[0]!);
      this.#checkInfoSelector(expr.args[1]!);
      return;
    }
    for (const [i, arg] of expr.args.entries()) {
      const want = args[Math.min(i, args.length - 1)]!;
      this.#expect(arg, want, `call to function ${name}`);
    }
  }

  /** info() takes its labels as a selector that names no metric. */
  #checkInfoSelector(arg: Expr): void {
    if (typeOf(arg) !== 'vector') {
      this.#fail(
        arg.span,
        `expected type instant vector in call to function "info", got ${documentedType(typeOf(arg))}`,
      );
    }
    if (arg.kind !== 'vector-selector') this.#fail(arg.span, 'expected label selectors only');
    if (arg.name !== '') {
      this.#fail(arg.span, 'expected label selectors only, got vector selector instead');
    }
  }

  #checkSelector(selector: VectorSelector): void {
    const { name, matchers } = selector;
    if (name !== '') {
      const other = matchers.slice(0, -1).find(matcher => matcher.name === METRIC_NAME);
      if (other) {
        this.#fail(
          selector.span,
          `metric name must not be set twice: ${JSON.stringify(name)} or ${JSON.stringify(other.value)}`,
        );
      }
      return;
    }
    if (matchers.every(matcher => matcher.matchesEmpty)) {
      this.#fail(selector.span, 'vector selector must contain at least one non-empty matcher');
    }
  }
}
