// Evaluates over a data directory as it lies there, without a server.

import type { Clock } from '../../../lifecycle/clock.ts';
import { Engine } from '../../../promql/engine.ts';
import type { Queryable } from '../../../storage/queryable.ts';
import type { EvaluateRange } from './rules-input.ts';

// Nobody waits for the answer but the one who asked.
const TIMEOUT_MS = 24 * 3_600_000;

/** Evaluates over a store with an engine of its own. Throws as the engine does. */
export function rangeLocal(
  queryable: Queryable,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): EvaluateRange {
  const engine = new Engine({ clock, timeoutMs: TIMEOUT_MS });
  return async (expr, range) => {
    const { value, warnings } = await engine.range(queryable, expr, { ...range, signal });
    return { series: value.type === 'matrix' ? value.series : [], warnings };
  };
}
