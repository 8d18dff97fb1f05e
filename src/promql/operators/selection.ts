// topk and bottomk: the best k cells of each group at each step, with the labels they came with.

import { formatShort } from '../../encoding/format-float.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { AggregateExpr } from '../ast.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { Grouping, Groups } from './grouping.ts';
import { lasting } from './names.ts';
import type { Distinctness, ScalarOperator, VectorOperator } from './operator.ts';
import { RankHeap } from './rank-heap.ts';
import { RowStore } from './row-store.ts';
import { type Row, RowsOperator, type RowsProducer } from './rows.ts';

/** A heap without what it ranks. */
const HEAP_BYTES = 64;
/** The place of a cell in a heap. */
const RANKED_BYTES = 12;

/** The operator of topk and bottomk. Rows come in the order of their rank. */
export function newTopOperator(
  execution: Execution,
  expr: AggregateExpr,
  input: VectorOperator,
  rest: { readonly param: ScalarOperator; readonly steps: number },
): VectorOperator {
  return new RowsOperator(execution, new TopSelection(execution, expr, input, rest));
}

/** Checks the k of topk, bottomk and limitk; null where no step wants anything. Throws `execution`. */
export function checkCounts(counts: Float64Array): Float64Array | null {
  let any = false;
  for (const k of counts) {
    if (Number.isNaN(k)) throw new OutpostError('execution', 'Parameter value is NaN');
    if (k >= 1) any = true;
  }
  if (!any) return null;
  for (const k of counts) {
    if (k >= 2 ** 63 || k <= -(2 ** 63)) {
      const how = k > 0 ? 'overflows' : 'underflows';
      throw new OutpostError('execution', `Scalar value ${formatShort(k, true)} ${how} int64`);
    }
  }
  return counts.map(Math.trunc);
}

class TopSelection implements RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #expr: AggregateExpr;
  readonly #input: VectorOperator;
  readonly #param: ScalarOperator;
  readonly #store: RowStore;
  /** Labels of the rows that are or were among the best. */
  readonly #chosen: RowLabels[] = [];

  constructor(
    execution: Execution,
    expr: AggregateExpr,
    input: VectorOperator,
    rest: { readonly param: ScalarOperator; readonly steps: number },
  ) {
    this.steps = rest.steps;
    this.#store = new RowStore(rest.steps);
    this.distinct = input.distinct;
    this.#execution = execution;
    this.#expr = expr;
    this.#input = input;
    this.#param = rest.param;
  }

  async collect(): Promise<Iterable<Row>> {
    const counts = checkCounts(await this.#param.values());
    if (counts === null) return [];
    const sign = this.#expr.op === 'topk' ? 1 : -1;
    const grouping = new Grouping(this.#expr.grouping, this.#expr.without);
    const groups = new Groups(grouping, labels => {
      this.#execution.holdLabels({ labels });
      this.#execution.holdBytes(this.steps * HEAP_BYTES);
      return Array.from(counts, k => new RankHeap(Math.max(0, k), sign));
    });
    for (;;) {
      const block = await this.#input.next();
      if (block === null) break;
      for (let row = 0; row < block.rows.length; row++) {
        this.#offer(groups.of(block.rows[row]!).state, block, row);
        if (this.#execution.dueAfter(this.steps)) await this.#execution.breathe();
      }
      await this.#execution.breathe();
    }
    return this.#rows([...groups.all].map(group => group.state));
  }

  close(): void {
    this.#input.close();
    this.#param.close();
  }

  #offer(heaps: readonly RankHeap[], block: StepBlock, row: number): void {
    const at = row * this.steps;
    let id = -1;
    for (let step = 0; step < this.steps; step++) {
      if (block.present[at + step] === 0) continue;
      if (block.histograms?.[at + step]) {
        this.#execution.annotations.add(
          'info',
          `ignored histogram in ${this.#expr.op} aggregation`,
          this.#expr.span,
        );
        continue;
      }
      const value = block.values[at + step]!;
      if (!heaps[step]!.accepts(value)) continue;
      if (id < 0) id = this.#choose(block.rows[row]!);
      if (heaps[step]!.add(value, id)) this.#execution.holdBytes(RANKED_BYTES);
    }
  }

  /** Keeps a row's labels; gives its number. */
  #choose(row: RowLabels): number {
    const kept = lasting(row);
    this.#execution.holdLabels(kept);
    return this.#chosen.push(kept) - 1;
  }

  /** Rows in the order of their rank at the first step they are in. */
  async #rows(groups: readonly (readonly RankHeap[])[]): Promise<Iterable<Row>> {
    const rows = new Map<number, Row>();
    for (const heaps of groups) {
      for (let step = 0; step < this.steps; step++) {
        for (const { id, value } of await heaps[step]!.ranked(this.#execution)) {
          let row = rows.get(id);
          if (!row) {
            row = this.#emptyRow(this.#chosen[id]!);
            rows.set(id, row);
          }
          row.values[step] = value;
          row.present[step] = 1;
          if (this.#execution.due) await this.#execution.breathe();
        }
      }
    }
    return rows.values();
  }

  #emptyRow(labels: RowLabels): Row {
    this.#execution.hold(this.steps);
    return { labels, ...this.#store.take(), histograms: null };
  }
}
