// The evaluation times of an operator: start, start + step, … `count` of them.

/** Evenly spaced evaluation times in Unix ms. A step of 0 repeats one time. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

/** The grid of a range query, end inclusive; empty where the end lies before the start. */
export function gridOf(startMs: number, endMs: number, stepMs: number): Grid {
  const count = endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1;
  return { startMs, stepMs, count };
}

/** One evaluation. */
export function instantGrid(timeMs: number): Grid {
  return { startMs: timeMs, stepMs: 0, count: 1 };
}

/** The last evaluation time; the start of an empty grid. */
export function gridEnd(grid: Grid): number {
  return grid.startMs + Math.max(0, grid.count - 1) * grid.stepMs;
}
