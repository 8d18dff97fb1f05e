// Plans for selectors and subqueries: which samples are read and where windows lie.

import { METRIC_NAME } from '../labels/labels.ts';
import type { SelectHints } from '../storage/queryable.ts';
import type {
  AtModifier,
  DurationExpr,
  Expr,
  MatrixSelector,
  SubqueryExpr,
  VectorSelector,
} from './ast.ts';
import { durationMs } from './durations.ts';
import { type Grid, gridEnd, gridOf } from './grid.ts';
import { CountedCells } from './operators/counted-kernel.ts';
import { type LookupAnswer, LookupKernel } from './operators/lookup.ts';
import type { RangeSource, VectorOperator } from './operators/operator.ts';
import { DISTINCT } from './operators/operator.ts';
import type { WindowShape } from './operators/range-kernel.ts';
import { ResetHintSource } from './operators/reset-hints.ts';
import { type Selection, SelectSource } from './operators/select-source.ts';
import { SmoothKernel } from './operators/smooth.ts';
import { SubquerySource } from './operators/subquery.ts';
import { type RowKernel, WindowOperator } from './operators/window.ts';
import { atTime, type PlanScope } from './plan-scope.ts';

/** What surrounds a selector, for the store to prune by. */
export interface Surroundings {
  readonly func: string;
  readonly grouping?: readonly string[];
  readonly by?: boolean;
}

/** Series with samples, and the windows over them. */
export interface RangePlan {
  readonly source: RangeSource;
  readonly shape: WindowShape;
  /** Only the totals of histograms are looked at. */
  readonly bare: boolean;
}

/** The times at which data is looked at: the grid moved by offset and `@`. */
export function dataGrid(
  grid: Grid,
  scope: PlanScope,
  modifiers: { readonly offset: DurationExpr | null; readonly at: AtModifier | null },
): Grid {
  const offset = modifiers.offset ? durationMs(modifiers.offset, scope, true) : 0;
  if (modifiers.at === null) return { ...grid, startMs: grid.startMs - offset };
  return { startMs: atTime(modifiers.at, scope) - offset, stepMs: 0, count: grid.count };
}

function hintsFor(scope: PlanScope, around: Surroundings, rangeMs?: number): SelectHints {
  return {
    stepMs: scope.stepMs,
    func: around.func,
    ...(rangeMs === undefined ? {} : { rangeMs }),
    ...(around.grouping ? { grouping: around.grouping } : {}),
    ...(around.by === undefined ? {} : { by: around.by }),
  };
}

function selectSource(
  scope: PlanScope,
  selector: VectorSelector,
  selection: Selection,
): RangeSource {
  const source = new SelectSource(scope.execution, selection);
  return scope.statsOnly.has(selector) ? new ResetHintSource(source) : source;
}

/** An instant selector; cells hold what `answer` says of the samples. */
export function planVectorSelector(
  selector: VectorSelector,
  grid: Grid,
  scope: PlanScope,
  options: { readonly around: Surroundings; readonly answer: LookupAnswer },
): VectorOperator {
  const { execution } = scope;
  const data = dataGrid(grid, scope, selector);
  const smoothed = selector.extension === 'smoothed' && options.answer === 'sample';
  const source = selectSource(scope, selector, {
    matchers: selector.matchers,
    minTime: data.startMs - execution.lookbackMs + 1,
    maxTime: gridEnd(data) + (smoothed ? execution.lookbackMs : 0),
    hints: {
      ...hintsFor(scope, options.around),
      ...((data.count === 1 || data.stepMs === 0) && !smoothed && { newestOnly: true }),
    },
  });
  let kernel: RowKernel = smoothed
    ? new SmoothKernel(execution, data, selector.span)
    : new LookupKernel(data, execution.lookbackMs, options.answer);
  // Upstream counts nothing for a smoothed instant selector, so that figures can be compared.
  if (scope.counts && !smoothed) {
    const bare = scope.statsOnly.has(selector);
    kernel = new CountedCells(kernel, { counts: scope.counts, bare }, options.answer === 'sample');
  }
  return new WindowOperator(execution, source, kernel, {
    steps: grid.count,
    keepName: options.answer === 'sample',
  });
}

/** A range selector. */
export function planMatrixSelector(
  expr: MatrixSelector,
  grid: Grid,
  scope: PlanScope,
  around: Surroundings,
): RangePlan {
  const { selector } = expr;
  const { lookbackMs } = scope.execution;
  const beforeMs = selector.extension === null ? 0 : lookbackMs;
  const afterMs = selector.extension === 'smoothed' ? lookbackMs : 0;
  const rangeMs = durationMs(expr.range, scope, false);
  const ends = dataGrid(grid, scope, selector);
  const source = selectSource(scope, selector, {
    matchers: selector.matchers,
    minTime: ends.startMs - rangeMs - beforeMs + 1,
    maxTime: gridEnd(ends) + afterMs,
    hints: hintsFor(scope, around, rangeMs),
  });
  const { startTimes } = scope.execution.semantics;
  const named = selector.matchers.find(m => m.name === METRIC_NAME && m.type === '=');
  const shape = {
    ends,
    rangeMs,
    beforeMs,
    afterMs,
    startTimes,
    evaluations: grid,
    ...(named && { metricName: named.value }),
  };
  return { source, shape, bare: scope.statsOnly.has(selector) };
}

/** A subquery; `planInner` plans the inner expression on the subquery's own grid. */
export function planSubquery(
  expr: SubqueryExpr,
  grid: Grid,
  scope: PlanScope,
  planInner: (inner: Expr, grid: Grid) => VectorOperator,
): RangePlan {
  const rangeMs = durationMs(expr.range, scope, false);
  const stepMs = expr.step ? durationMs(expr.step, scope, false) : scope.subqueryStepMs;
  const ends = dataGrid(grid, scope, expr);
  const after = ends.startMs - rangeMs;
  // The inner grid lies on multiples of the step, counted from the epoch.
  let startMs = stepMs * Math.trunc(after / stepMs);
  if (startMs <= after) startMs += stepMs;
  const inner = gridOf(startMs, gridEnd(ends), stepMs);
  const shape = {
    ends,
    rangeMs,
    beforeMs: 0,
    afterMs: 0,
    startTimes: false,
    evaluations: grid,
  };
  if (inner.count === 0) return { source: NOTHING, shape, bare: false };
  scope.execution.checkSteps(inner.count);
  return {
    source: new SubquerySource(scope.execution, planInner(expr.inner, inner), inner),
    shape,
    bare: false,
  };
}

const NOTHING: RangeSource = {
  distinct: DISTINCT,
  next: async () => null,
  close: () => {},
};
