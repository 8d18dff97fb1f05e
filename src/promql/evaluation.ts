// From a parsed query and its times to a value: which kind of plan is asked, and how it is collected.

import { type Expr, withoutParens } from './ast.ts';
import { typeOf } from './check.ts';
import type { Execution } from './execution.ts';
import { type Grid, gridOf, instantGrid } from './grid.ts';
import { collectMatrix, collectRange, collectVector } from './output.ts';
import type { Planner } from './plan.ts';
import type { ResultValue } from './result.ts';

/** When a query is evaluated. */
export interface Times {
  readonly startMs: number;
  /** Inclusive. */
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
}

/** One evaluation of a parsed query. */
export class Evaluation {
  readonly #execution: Execution;
  readonly #planner: Planner;
  readonly #times: Times;

  constructor(execution: Execution, planner: Planner, times: Times) {
    this.#execution = execution;
    this.#planner = planner;
    this.#times = times;
  }

  /** Everything the plan holds is released when it ends, either way. */
  async run(expr: Expr): Promise<ResultValue> {
    const { startMs, endMs, stepMs } = this.#times;
    if (stepMs !== 0) return this.#matrix(expr, gridOf(startMs, endMs, stepMs));
    const time = startMs;
    const grid = instantGrid(time);
    switch (typeOf(expr)) {
      case 'string': {
        let inner = expr;
        while (inner.kind === 'parens') inner = inner.inner;
        return { type: 'string', time, value: inner.kind === 'string' ? inner.value : '' };
      }
      case 'scalar': {
        const operator = this.#planner.scalar(expr, grid);
        try {
          const [value] = await operator.values();
          return { type: 'scalar', time, value: value! };
        } finally {
          operator.close();
        }
      }
      case 'matrix': {
        const plan = this.#planner.answerRange(expr, grid);
        const isSubquery = withoutParens(expr).kind === 'subquery';
        const counts = isSubquery ? null : this.#planner.scope.counts;
        try {
          return { type: 'matrix', series: await collectRange(this.#execution, plan, counts) };
        } finally {
          plan.source.close();
        }
      }
      case 'vector': {
        const operator = this.#planner.vector(expr, grid);
        try {
          return { type: 'vector', time, samples: await collectVector(this.#execution, operator) };
        } finally {
          operator.close();
        }
      }
    }
  }

  async #matrix(expr: Expr, grid: Grid): Promise<ResultValue> {
    if (grid.count === 0) return { type: 'matrix', series: [] };
    this.#execution.checkSteps(grid.count);
    const operator = this.#planner.vector(expr, grid);
    try {
      return { type: 'matrix', series: await collectMatrix(this.#execution, operator, grid) };
    } finally {
      operator.close();
    }
  }
}
