// The language as immutable values: what a query says, before anything is known about data or time.
// Positions are UTF-16 offsets into the query text.

import type { Matcher } from '../labels/matcher.ts';

/** A stretch of the query text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The four types an expression can have. */
export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOp = '==' | '!=' | '>' | '<' | '>=' | '<=';
export type SetOp = 'and' | 'or' | 'unless';
/** Cuts native histograms at a value. */
export type TrimOp = '</' | '>/';
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio';

/** Which side may have several series for one match. */
export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

/** How the two sides of a binary operation find each other. */
export interface VectorMatching {
  readonly cardinality: Cardinality;
  /** The labels of `on` or `ignoring`. */
  readonly labels: readonly string[];
  readonly on: boolean;
  /** Labels that `group_left`/`group_right` takes from the one side. */
  readonly include: readonly string[];
  /** Values that stand in for a missing series, null where there is no fill. */
  readonly fillLeft: number | null;
  readonly fillRight: number | null;
}

/** The time of an `@`. */
export type AtModifier =
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

/** A length of time that may be computed from the query's own step and range. Values in seconds. */
export type DurationExpr =
  | {
      readonly kind: 'literal';
      readonly seconds: number;
      readonly unit: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'call'; readonly name: 'step' | 'range'; readonly span: Span }
  | {
      readonly kind: 'choice';
      readonly name: 'min_of' | 'max_of';
      readonly left: DurationExpr;
      readonly right: DurationExpr;
      readonly span: Span;
    }
  | {
      readonly kind: 'negation';
      readonly op: '+' | '-';
      readonly operand: DurationExpr;
      readonly span: Span;
    }
  | {
      readonly kind: 'operation';
      readonly op: '+' | '-' | '*' | '/' | '%' | '^';
      readonly left: DurationExpr;
      readonly right: DurationExpr;
      readonly span: Span;
    }
  | { readonly kind: 'parens'; readonly inner: DurationExpr; readonly span: Span };

export interface NumberLiteral {
  readonly kind: 'number';
  readonly value: number;
  /** True where the text is a duration such as `5m`. */
  readonly duration: boolean;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  readonly span: Span;
}

export interface ParenExpr {
  readonly kind: 'parens';
  readonly inner: Expr;
  readonly span: Span;
}

export interface UnaryExpr {
  readonly kind: 'unary';
  readonly op: '+' | '-';
  readonly operand: Expr;
  readonly span: Span;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
  readonly bool: boolean;
  readonly matching: VectorMatching;
  readonly span: Span;
  /** The operator with its modifiers. */
  readonly opSpan: Span;
}

export interface AggregateExpr {
  readonly kind: 'aggregate';
  readonly op: AggregateOp;
  readonly operand: Expr;
  readonly param: Expr | null;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly span: Span;
}

export interface CallExpr {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
  readonly span: Span;
}

/** Changes how a range's edges are filled in. */
export type RangeExtension = 'anchored' | 'smoothed';

export interface VectorSelector {
  readonly kind: 'vector-selector';
  /** The name before the braces, '' where there is none. */
  readonly name: string;
  /** All conditions; one on the metric name comes last where `name` is given. */
  readonly matchers: readonly Matcher[];
  readonly offset: DurationExpr | null;
  readonly at: AtModifier | null;
  readonly extension: RangeExtension | null;
  readonly span: Span;
}

export interface MatrixSelector {
  readonly kind: 'matrix-selector';
  /** Carries offset, `@` and the extension. */
  readonly selector: VectorSelector;
  readonly range: DurationExpr;
  readonly span: Span;
}

export interface SubqueryExpr {
  readonly kind: 'subquery';
  readonly inner: Expr;
  readonly range: DurationExpr;
  /** Null takes the engine's default. */
  readonly step: DurationExpr | null;
  readonly offset: DurationExpr | null;
  readonly at: AtModifier | null;
  readonly span: Span;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | ParenExpr
  | UnaryExpr
  | BinaryExpr
  | AggregateExpr
  | CallExpr
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr;

/** The direct subexpressions, in the order of the text. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'parens':
      return [expr.inner];
    case 'unary':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'aggregate':
      return expr.param ? [expr.param, expr.operand] : [expr.operand];
    case 'call':
      return expr.args;
    case 'matrix-selector':
      return [expr.selector];
    case 'subquery':
      return [expr.inner];
    default:
      return [];
  }
}

/** The expression without the parentheses around it. */
export function withoutParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'parens') inner = inner.inner;
  return inner;
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '>', '<', '>=', '<=']);
const SETS: ReadonlySet<string> = new Set(['and', 'or', 'unless']);

/** True for the operators that compare. */
export function isComparison(op: BinaryOp): op is ComparisonOp {
  return COMPARISONS.has(op);
}

/** True for and, or, unless. */
export function isSetOp(op: BinaryOp): op is SetOp {
  return SETS.has(op);
}
