// Aggregations that fold a vector into one row per group.

import { formatShort } from '../../encoding/format-float.ts';
import { METRIC_NAME } from '../../labels/labels.ts';
import type { AggregateExpr } from '../ast.ts';
import type { Execution } from '../execution.ts';
import { type Accumulator, newAccumulator } from './accumulators.ts';
import { Grouping, Groups } from './grouping.ts';
import { FixedRow } from './names.ts';
import type { Distinctness, ScalarOperator, VectorOperator } from './operator.ts';
import { QuantileAccumulator } from './quantile-accumulator.ts';
import { type Row, RowsOperator, type RowsProducer } from './rows.ts';

/** What an accumulator keeps for a step beside the cell it becomes. */
const STATE_BYTES = 16;

/** The operator of sum, avg, count, min, max, group, stddev, stdvar and quantile. */
export function newAggregateOperator(
  execution: Execution,
  expr: AggregateExpr,
  input: VectorOperator,
  rest: { readonly param: ScalarOperator | null; readonly steps: number },
): VectorOperator {
  return new RowsOperator(execution, new Aggregation(execution, expr, input, rest));
}

class Aggregation implements RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #expr: AggregateExpr;
  readonly #input: VectorOperator;
  readonly #param: ScalarOperator | null;
  readonly #grouping: Grouping;

  constructor(
    execution: Execution,
    expr: AggregateExpr,
    input: VectorOperator,
    rest: { readonly param: ScalarOperator | null; readonly steps: number },
  ) {
    this.steps = rest.steps;
    this.#execution = execution;
    this.#expr = expr;
    this.#input = input;
    this.#param = rest.param;
    this.#grouping = new Grouping(expr.grouping, expr.without);
    this.distinct = this.#grouping.distinct;
  }

  async collect(): Promise<Iterable<Row>> {
    const param = this.#param ? await this.#param.values() : null;
    const context = {
      execution: this.#execution,
      op: this.#expr.op,
      steps: this.steps,
      span: this.#expr.operand.span,
      param,
    };
    if (param) this.#checkQuantile(param);
    const groups = new Groups<Accumulator>(this.#grouping, labels => {
      this.#execution.hold(this.steps);
      this.#execution.holdBytes(this.steps * STATE_BYTES);
      this.#execution.holdLabels({ labels });
      return param ? new QuantileAccumulator(context) : newAccumulator(context);
    });
    for (;;) {
      const block = await this.#input.next();
      if (block === null) break;
      for (let row = 0; row < block.rows.length; row++) {
        const labels = block.rows[row]!;
        const group = groups.of(labels);
        group.state.add(block, row * this.steps, () => labels.label(METRIC_NAME));
        if (this.#execution.dueAfter(this.steps)) await this.#execution.breathe();
      }
      await this.#execution.breathe();
    }
    const rows: Row[] = [];
    for (const { labels, nameDropped, state } of groups.all) {
      rows.push({ labels: new FixedRow(labels, nameDropped), ...(await state.finish()) });
      if (this.#execution.due) await this.#execution.breathe();
    }
    return rows;
  }

  close(): void {
    this.#input.close();
    this.#param?.close();
  }

  #checkQuantile(param: Float64Array): void {
    let least = 0;
    let most = 1;
    for (const q of param) {
      if (Number.isNaN(q)) this.#warn(q);
      least = Math.min(least, Number.isNaN(q) ? least : q);
      most = Math.max(most, Number.isNaN(q) ? most : q);
    }
    if (most > 1) this.#warn(most);
    if (least < 0) this.#warn(least);
  }

  #warn(q: number): void {
    this.#execution.annotations.add(
      'warning',
      `quantile value should be between 0 and 1, got ${formatShort(q)}`,
      this.#expr.param!.span,
    );
  }
}
