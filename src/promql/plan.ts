// AST to operators. Planning reads no data: it decides what is read and in which order it is combined.

import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { AggregateExpr, BinaryExpr, Expr } from './ast.ts';
import { isSetOp, withoutParens } from './ast.ts';
import { typeOf } from './check.ts';
import type { Grid } from './grid.ts';
import { isStepInvariant } from './invariance.ts';
import { newAggregateOperator } from './operators/aggregate.ts';
import { changesSchema, ElementOperation, vectorScalarChange } from './operators/arithmetic.ts';
import { newCountValues } from './operators/count-values.ts';
import { newLimitOperator } from './operators/limit.ts';
import { MapOperator } from './operators/map.ts';
import { FixedRow } from './operators/names.ts';
import { DISTINCT, type ScalarOperator, type VectorOperator } from './operators/operator.ts';
import { RepeatOperator, ScalarVector } from './operators/repeat.ts';
import { ConstantScalar, RepeatedScalar, scalarBinary } from './operators/scalar.ts';
import { newTopOperator } from './operators/selection.ts';
import { SetOperator } from './operators/set-operation.ts';
import { newVectorMatch } from './operators/vector-match.ts';
import { planScalarCall, planVectorCall } from './plan-calls.ts';
import type { PlanScope } from './plan-scope.ts';
import {
  planMatrixSelector,
  planSubquery,
  planVectorSelector,
  type RangePlan,
  type Surroundings,
} from './plan-selectors.ts';
import type { SampleCounts } from './sample-counts.ts';

const NOWHERE: Surroundings = { func: '' };

/** Plans the parts of one query. */
export class Planner {
  readonly scope: PlanScope;

  constructor(scope: PlanScope) {
    this.scope = scope;
  }

  /** An expression of type instant vector, or a scalar taken as one. */
  vector(expr: Expr, grid: Grid, around: Surroundings = NOWHERE): VectorOperator {
    const operator = this.#plannedVector(expr, grid, around);
    return this.scope.times?.vector(expr, operator) ?? operator;
  }

  scalar(expr: Expr, grid: Grid): ScalarOperator {
    const operator = this.#plannedScalar(expr, grid);
    return this.scope.times?.scalar(expr, operator) ?? operator;
  }

  #plannedVector(expr: Expr, grid: Grid, around: Surroundings): VectorOperator {
    if (grid.count > 1 && isStepInvariant(expr)) {
      const once = this.#once().#vector(expr, { ...grid, count: 1 }, around);
      return new RepeatOperator(this.scope.execution, once, grid.count);
    }
    return this.#vector(expr, grid, around);
  }

  #plannedScalar(expr: Expr, grid: Grid): ScalarOperator {
    if (grid.count > 1 && expr.kind !== 'number' && isStepInvariant(expr)) {
      return new RepeatedScalar(this.#once().#scalar(expr, { ...grid, count: 1 }), grid.count);
    }
    return this.#scalar(expr, grid);
  }

  /** An expression of type range vector. */
  range(expr: Expr, grid: Grid, around: Surroundings): RangePlan {
    const inner = withoutParens(expr);
    if (inner.kind === 'matrix-selector') {
      return planMatrixSelector(inner, grid, this.scope, around);
    }
    if (inner.kind === 'subquery') {
      // What a subquery reads is not counted: its own steps are, as the samples of windows.
      const planner = this.#counting(null);
      return planSubquery(inner, grid, this.scope, (e, g) => planner.vector(e, g));
    }
    throw new OutpostError('internal', `${inner.kind} is no range vector`);
  }

  /** A range vector that is itself the answer: samples in the range, or all that a subquery reads. */
  answerRange(expr: Expr, grid: Grid): RangePlan {
    const inner = withoutParens(expr);
    if (inner.kind !== 'subquery' || this.scope.counts === null) {
      return this.range(expr, grid, NOWHERE);
    }
    const { counts } = this.scope;
    const planned = (e: Expr, g: Grid): VectorOperator =>
      this.#counting(counts.once(g.count)).vector(e, g);
    return planSubquery(inner, grid, this.scope, planned);
  }

  /** The planner of a part that is evaluated once for all steps. */
  #once(): Planner {
    return this.#counting(this.scope.counts?.once() ?? null);
  }

  #counting(counts: SampleCounts | null): Planner {
    if (counts === this.scope.counts) return this;
    return new Planner({ ...this.scope, counts });
  }

  #vector(expr: Expr, grid: Grid, around: Surroundings): VectorOperator {
    if (typeOf(expr) === 'scalar') {
      return new ScalarVector(this.scalar(expr, grid), new FixedRow(Labels.empty), DISTINCT);
    }
    switch (expr.kind) {
      case 'parens':
        return this.vector(expr.inner, grid, around);
      case 'unary':
        return expr.op === '+' ? this.vector(expr.operand, grid) : this.#negation(expr, grid);
      case 'binary':
        return this.#binary(expr, grid);
      case 'aggregate':
        return this.#aggregate(expr, grid);
      case 'call':
        return planVectorCall(this, expr, grid);
      case 'vector-selector':
        return planVectorSelector(expr, grid, this.scope, { around, answer: 'sample' });
      default:
        throw new OutpostError('internal', `${expr.kind} is no instant vector`);
    }
  }

  #scalar(expr: Expr, grid: Grid): ScalarOperator {
    switch (expr.kind) {
      case 'number':
        return new ConstantScalar(expr.value, grid.count);
      case 'parens':
        return this.scalar(expr.inner, grid);
      case 'unary': {
        const sign = new ConstantScalar(expr.op === '-' ? -1 : 1, grid.count);
        return scalarBinary('*', this.scalar(expr.operand, grid), sign);
      }
      case 'binary':
        if (isSetOp(expr.op) || expr.op === '</' || expr.op === '>/') break;
        return scalarBinary(expr.op, this.scalar(expr.left, grid), this.scalar(expr.right, grid));
      case 'call':
        return planScalarCall(this, expr, grid);
      default:
        break;
    }
    throw new OutpostError('execution', `${expr.kind} cannot be evaluated as a scalar`);
  }

  #negation(expr: Expr & { kind: 'unary' }, grid: Grid): VectorOperator {
    const { execution } = this.scope;
    const operation = new ElementOperation(execution, '*', expr.span);
    const change = vectorScalarChange(operation, { bool: false, swapped: false });
    const scalars = [new ConstantScalar(-1, grid.count)];
    const input = this.vector(expr.operand, grid);
    return new MapOperator(execution, input, { change, scalars, keepName: false });
  }

  #binary(expr: BinaryExpr, grid: Grid): VectorOperator {
    const { execution } = this.scope;
    const { op } = expr;
    const leftScalar = typeOf(expr.left) === 'scalar';
    const rightScalar = typeOf(expr.right) === 'scalar';
    if (isSetOp(op)) {
      const sides = { left: this.vector(expr.left, grid), right: this.vector(expr.right, grid) };
      return new SetOperator(execution, { ...expr, op }, sides, grid.count);
    }
    const operation = new ElementOperation(execution, op, expr.span);
    if (!leftScalar && !rightScalar) {
      return newVectorMatch(execution, {
        expr,
        operation,
        left: this.vector(expr.left, grid),
        right: this.vector(expr.right, grid),
        steps: grid.count,
      });
    }
    const [vector, scalar] = leftScalar ? [expr.right, expr.left] : [expr.left, expr.right];
    return new MapOperator(execution, this.vector(vector, grid), {
      change: vectorScalarChange(operation, { bool: expr.bool, swapped: leftScalar }),
      scalars: [this.scalar(scalar, grid)],
      keepName: !changesSchema(op) && !expr.bool,
    });
  }

  #aggregate(expr: AggregateExpr, grid: Grid): VectorOperator {
    const { execution } = this.scope;
    const steps = grid.count;
    const around = { func: expr.op, grouping: expr.grouping, by: !expr.without };
    const input = this.vector(expr.operand, grid, around);
    if (expr.param === null) {
      return newAggregateOperator(execution, expr, input, { param: null, steps });
    }
    if (expr.op === 'count_values') {
      const label = withoutParens(expr.param);
      const text = label.kind === 'string' ? label.value : '';
      return newCountValues(execution, expr, input, { label: text, steps });
    }
    const param = this.scalar(expr.param, grid);
    switch (expr.op) {
      case 'topk':
      case 'bottomk':
        return newTopOperator(execution, expr, input, { param, steps });
      case 'limitk':
      case 'limit_ratio':
        return newLimitOperator(execution, expr, input, { param, steps });
      default:
        return newAggregateOperator(execution, expr, input, { param, steps });
    }
  }
}
