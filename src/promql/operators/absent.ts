// absent and absent_over_time: 1 where nothing else is.

import { Labels, METRIC_NAME } from '../../labels/labels.ts';
import type { Expr } from '../ast.ts';
import { withoutParens } from '../ast.ts';
import type { Execution } from '../execution.ts';
import { FixedRow } from './names.ts';
import { DISTINCT, type VectorOperator } from './operator.ts';
import { type Row, RowsOperator } from './rows.ts';

/** One row that is present exactly where the input has no cell. */
export function newAbsent(
  execution: Execution,
  input: VectorOperator,
  arg: Expr,
  steps: number,
): VectorOperator {
  const collect = async (): Promise<Row[]> => {
    const present = new Uint8Array(steps).fill(1);
    for (;;) {
      const block = await input.next();
      if (block === null) break;
      for (let cell = 0; cell < block.rows.length * steps; cell++) {
        if (block.present[cell] === 1) present[cell % steps] = 0;
      }
      await execution.breathe();
    }
    const labels = new FixedRow(absentLabels(arg), execution.semantics.delayedNameRemoval);
    return [{ labels, values: new Float64Array(steps).fill(1), present, histograms: null }];
  };
  const close = (): void => input.close();
  return new RowsOperator(execution, { steps, distinct: DISTINCT, collect, close });
}

/** What a selector says about the labels of the series it misses; a label said twice says nothing. */
function absentLabels(arg: Expr): Labels {
  const expr = withoutParens(arg);
  const selector = expr.kind === 'matrix-selector' ? expr.selector : expr;
  if (selector.kind !== 'vector-selector') return Labels.empty;
  const labels = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, type, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (type === '=' && !seen.has(name)) {
      labels.set(name, value);
      seen.add(name);
    } else {
      labels.delete(name);
    }
  }
  return Labels.fromPairs(labels);
}
