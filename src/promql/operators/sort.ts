// sort and its relatives. Only the order of an instant answer can be changed.

import type { Execution } from '../execution.ts';
import { dropHistograms } from '../functions/math.ts';
import { sortSliced } from '../sliced-sort.ts';
import { compact } from './map.ts';
import { lasting } from './names.ts';
import { compareNatural } from './natural-order.ts';
import type { VectorOperator } from './operator.ts';
import { RowStore } from './row-store.ts';
import { type Row, RowsOperator } from './rows.ts';

/** Compares two rows of one step. */
type RowOrder = (a: Row, b: Row) => number;

export interface SortOptions {
  readonly order: RowOrder;
  /** True where histograms have no place in the order. */
  readonly floatsOnly: boolean;
}

/** All rows of a one-step vector, in order. */
export function newSort(
  execution: Execution,
  input: VectorOperator,
  options: SortOptions,
): VectorOperator {
  const collect = async (): Promise<Row[]> => {
    const rows: Row[] = [];
    const store = new RowStore(1);
    for (;;) {
      const block = await input.next();
      if (block === null) break;
      if (options.floatsOnly) {
        dropHistograms(block);
        compact(block);
      }
      execution.hold(block.rows.length);
      for (let i = 0; i < block.rows.length; i++) {
        const labels = lasting(block.rows[i]!);
        execution.holdLabels(labels);
        rows.push(store.copy(block, i, labels));
      }
      await execution.breathe();
    }
    return sortSliced(execution, rows, options.order);
  };
  const close = (): void => input.close();
  return new RowsOperator(execution, { steps: 1, distinct: input.distinct, collect, close });
}

/** By value, NaN last either way. */
export function byValue(sign: 1 | -1): RowOrder {
  return (a, b) => {
    const x = a.values[0]!;
    const y = b.values[0]!;
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y) || 0;
  };
}

/** By the named labels in natural order, then by all labels. */
export function byLabels(names: readonly string[], sign: 1 | -1): RowOrder {
  return (a, b) => {
    for (const name of names) {
      const order = compareNatural(a.labels.label(name), b.labels.label(name));
      if (order !== 0) return sign * order;
    }
    return sign * a.labels.labels.compareTo(b.labels.labels);
  };
}
