// limitk and limit_ratio: samples of a vector's rows, passed through as they are.

import { formatShort } from '../../encoding/format-float.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { AggregateExpr } from '../ast.ts';
import type { StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { labelsFraction } from '../label-hash.ts';
import { Grouping, Groups } from './grouping.ts';
import { type BlockChange, MapOperator } from './map.ts';
import type { ScalarOperator, VectorOperator } from './operator.ts';
import { checkCounts } from './selection.ts';

/** The operator of limitk and limit_ratio. */
export function newLimitOperator(
  execution: Execution,
  expr: AggregateExpr,
  input: VectorOperator,
  rest: { readonly param: ScalarOperator; readonly steps: number },
): VectorOperator {
  const scalars = [rest.param];
  if (expr.op === 'limitk') {
    const change = firstRows(expr, rest.steps);
    const check: BlockCheck = ([limits]) => checkCounts(limits!);
    return new MapOperator(execution, input, { change, scalars, check, keepName: true });
  }
  const check: BlockCheck = ([ratios]) => checkRatios(execution, expr, ratios!);
  return new MapOperator(execution, input, { change: rowShare, scalars, check, keepName: true });
}

type BlockCheck = (scalars: readonly Float64Array[]) => void;

/** The first k rows of each group at each step. */
function firstRows(expr: AggregateExpr, steps: number): BlockChange {
  const grouping = new Grouping(expr.grouping, expr.without);
  const groups = new Groups(grouping, () => new Uint32Array(steps));
  let limits: Float64Array | null | undefined;
  return (block, scalars) => {
    if (limits === undefined) limits = checkCounts(scalars[0]!);
    for (let row = 0; row < block.rows.length; row++) {
      const taken = groups.of(block.rows[row]!).state;
      for (let step = 0; step < steps; step++) {
        const cell = row * steps + step;
        if (block.present[cell] === 0) continue;
        if (limits !== null && taken[step]! < limits[step]!) taken[step]!++;
        else block.present[cell] = 0;
      }
    }
  };
}

/** The rows whose labels hash into a share of all, which is the same share in every query. */
const rowShare: BlockChange = (block, scalars) => {
  for (let row = 0; row < block.rows.length; row++) filterRow(block, row, scalars[0]!);
};

function filterRow(block: StepBlock, row: number, ratios: Float64Array): void {
  const fraction = labelsFraction(block.rows[row]!.labels);
  for (let step = 0; step < block.steps; step++) {
    const ratio = Math.max(-1, Math.min(1, ratios[step]!));
    const kept = ratio >= 0 ? fraction < ratio : fraction >= 1 + ratio;
    if (!kept) block.present[row * block.steps + step] = 0;
  }
}

function checkRatios(execution: Execution, expr: AggregateExpr, ratios: Float64Array): void {
  if (ratios.every(ratio => ratio === 0)) return;
  if (ratios.some(Number.isNaN)) throw new OutpostError('execution', 'Ratio value is NaN');
  const warn = (ratio: number, bound: number): void =>
    execution.annotations.add(
      'warning',
      `ratio value should be between -1 and 1, got ${formatShort(ratio)}, capping to ${bound}`,
      expr.param!.span,
    );
  const most = ratios.reduce((a, b) => Math.max(a, b));
  const least = ratios.reduce((a, b) => Math.min(a, b));
  if (most > 1) warn(most, 1);
  if (least < -1) warn(least, -1);
}
