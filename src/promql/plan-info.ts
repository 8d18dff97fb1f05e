// When the info series of info() are looked at.

import type { Matcher } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { type AtModifier, childrenOf, type DurationExpr, type Expr } from './ast.ts';
import { durationMs } from './durations.ts';
import { type Grid, gridEnd } from './grid.ts';
import { CountedCells } from './operators/counted-kernel.ts';
import { LookupKernel } from './operators/lookup.ts';
import type { VectorOperator } from './operators/operator.ts';
import { SelectSource } from './operators/select-source.ts';
import { type RowKernel, WindowOperator } from './operators/window.ts';
import type { PlanScope } from './plan-scope.ts';
import { dataGrid } from './plan-selectors.ts';

/** The modifiers that govern a selector, its own and those of subqueries up to the first `@`. */
export interface SelectorTime {
  readonly offsets: readonly DurationExpr[];
  readonly at: AtModifier | null;
}

/** The time of the first selector in an expression; null where there is none. */
export function firstSelectorTime(expr: Expr, outer: SelectorTime | null): SelectorTime | null {
  const around = outer ?? { offsets: [], at: null };
  if (expr.kind === 'vector-selector') return combine(expr, around);
  const below = expr.kind === 'subquery' ? combine(expr, around) : around;
  for (const child of childrenOf(expr)) {
    const found = firstSelectorTime(child, below);
    if (found) return found;
  }
  return null;
}

/** An `@` makes what lies further out irrelevant. */
function combine(
  own: { readonly offset: DurationExpr | null; readonly at: AtModifier | null },
  outer: SelectorTime,
): SelectorTime {
  const offsets = own.offset ? [own.offset] : [];
  if (own.at) return { offsets, at: own.at };
  return { offsets: [...offsets, ...outer.offsets], at: outer.at };
}

/** The newest sample times of the info series that the matchers accept. */
export function planInfoSeries(
  matchers: readonly Matcher[],
  grid: Grid,
  scope: PlanScope,
  time: SelectorTime,
): VectorOperator {
  const { execution } = scope;
  const offset = time.offsets.reduce((sum, part) => sum + durationMs(part, scope, true), 0);
  const at = dataGrid(grid, scope, { offset: null, at: time.at });
  const data = { ...at, startMs: at.startMs - offset };
  const source = new SelectSource(execution, {
    matchers,
    minTime: data.startMs - execution.lookbackMs + 1,
    maxTime: gridEnd(data),
    hints: { stepMs: scope.stepMs, func: 'info' },
  });
  const lookup = new LookupKernel(data, execution.lookbackMs, 'time');
  const kernel: RowKernel = {
    run(columns, series, block, row) {
      if (columns.histograms === null) return lookup.run(columns, series, block, row);
      throw new OutpostError('execution', `info sample should be float: ${series.labels}`);
    },
  };
  const { counts } = scope;
  const counted = counts ? new CountedCells(kernel, { counts, bare: false }, false) : kernel;
  return new WindowOperator(execution, source, counted, { steps: grid.count, keepName: true });
}
