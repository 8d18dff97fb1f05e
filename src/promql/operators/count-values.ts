// count_values: one row for each value that occurs in a group.

import { formatPlain } from '../../encoding/format-float.ts';
import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { AggregateExpr } from '../ast.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { formatHistogram } from '../histogram/format.ts';
import { quote } from '../literals.ts';
import { FixedRow } from './names.ts';
import { DISTINCT, type Distinctness, type VectorOperator } from './operator.ts';
import { type Row, RowsOperator, type RowsProducer } from './rows.ts';

/** The operator of count_values. Throws `execution` for a label name that cannot be. */
export function newCountValues(
  execution: Execution,
  expr: AggregateExpr,
  input: VectorOperator,
  rest: { readonly label: string; readonly steps: number },
): VectorOperator {
  if (rest.label === '' || !rest.label.isWellFormed()) {
    throw new OutpostError('execution', `invalid label name ${quote(rest.label)}`);
  }
  return new RowsOperator(execution, new CountValues(execution, expr, input, rest));
}

interface Counted {
  readonly labels: Labels;
  readonly counts: Float64Array;
}

class CountValues implements RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #expr: AggregateExpr;
  readonly #input: VectorOperator;
  readonly #label: string;
  readonly #counted = new Map<string, Counted>();

  constructor(
    execution: Execution,
    expr: AggregateExpr,
    input: VectorOperator,
    rest: { readonly label: string; readonly steps: number },
  ) {
    this.steps = rest.steps;
    this.#execution = execution;
    this.#expr = expr;
    this.#input = input;
    this.#label = rest.label;
    const named = rest.label === METRIC_NAME || expr.grouping.includes(METRIC_NAME);
    this.distinct = named && !expr.without ? { full: true, nameless: false } : DISTINCT;
  }

  async collect(): Promise<Iterable<Row>> {
    for (;;) {
      const block = await this.#input.next();
      if (block === null) break;
      for (let row = 0; row < block.rows.length; row++) {
        this.#count(block, row);
        if (this.#execution.due) await this.#execution.breathe();
      }
      await this.#execution.breathe();
    }
    const rows: Row[] = [];
    for (const { labels, counts } of this.#counted.values()) {
      rows.push({
        labels: new FixedRow(labels),
        values: counts,
        present: Uint8Array.from(counts, count => (count > 0 ? 1 : 0)),
        histograms: null,
      });
      if (this.#execution.due) await this.#execution.breathe();
    }
    return rows;
  }

  close(): void {
    this.#input.close();
  }

  #count(block: StepBlock, row: number): void {
    const base = this.#baseLabels(block.rows[row]!);
    const kept = this.#keepsLabel();
    const at = row * this.steps;
    for (let step = 0; step < this.steps; step++) {
      if (block.present[at + step] === 0) continue;
      const histogram = block.histograms?.[at + step];
      const text = histogram ? formatHistogram(histogram) : formatPlain(block.values[at + step]!);
      const key = kept ? `${text}\ud800${base.key}` : base.key;
      let counted = this.#counted.get(key);
      if (!counted) {
        this.#execution.hold(this.steps);
        const labels = kept ? base.with(this.#label, text) : base;
        this.#execution.holdLabels({ labels });
        counted = { labels, counts: new Float64Array(this.steps) };
        this.#counted.set(key, counted);
      }
      counted.counts[step]!++;
    }
  }

  /** `without` may name the very label that the values go into. */
  #keepsLabel(): boolean {
    return !(this.#expr.without && this.#expr.grouping.includes(this.#label));
  }

  #baseLabels(row: RowLabels): Labels {
    const { grouping, without } = this.#expr;
    const base = without ? row.labels.without([METRIC_NAME]) : row.labels.keep(grouping);
    return base.without(without ? [...grouping, this.#label] : [this.#label]);
  }
}
