// What a plan is made for: the query's times and the engine's settings.

import type { AtModifier, VectorSelector } from './ast.ts';
import type { DurationScope } from './durations.ts';
import type { Execution } from './execution.ts';
import type { OperatorTimes } from './operator-times.ts';
import type { SampleCounts } from './sample-counts.ts';

/** One query's frame. */
export interface PlanScope extends DurationScope {
  readonly execution: Execution;
  /** The query's own start and end. */
  readonly startMs: number;
  readonly endMs: number;
  /** True for an instant query; stepMs is then 0. */
  readonly instant: boolean;
  /** Selectors of which only histogram totals are looked at. */
  readonly statsOnly: ReadonlySet<VectorSelector>;
  /** The step of subqueries that give none. */
  readonly subqueryStepMs: number;
  /** Counts the samples of windows; null where nobody asks, and below what counts by itself. */
  readonly counts: SampleCounts | null;
  /** Times each operator; null where nobody asks. */
  readonly times: OperatorTimes | null;
}

/** The time of an `@`. */
export function atTime(at: AtModifier, scope: PlanScope): number {
  if (at.kind === 'time') return at.timeMs;
  return at.kind === 'start' ? scope.startMs : scope.endMs;
}
