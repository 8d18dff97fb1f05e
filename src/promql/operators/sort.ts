// sort and its relatives. Only the order of an instant answer can be changed.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { dropHistograms } from '../functions/math.ts';
import { sortSliced } from '../sliced-sort.ts';
import { compact } from './map.ts';
import { type FixedRow, lasting } from './names.ts';
import { compareNatural } from './natural-order.ts';
import type { Distinctness, VectorOperator } from './operator.ts';

/** One row of an instant vector. */
interface Item {
  readonly labels: FixedRow;
  readonly value: number;
  readonly histogram: FloatHistogram | undefined;
}

type ItemOrder = (a: Item, b: Item) => number;

export interface SortOptions {
  readonly order: ItemOrder;
  /** True where histograms have no place in the order. */
  readonly floatsOnly: boolean;
}

/** All rows of a one-step vector, in order. */
export function newSort(
  execution: Execution,
  input: VectorOperator,
  options: SortOptions,
): VectorOperator {
  return new SortOperator(execution, input, options);
}

class SortOperator implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  readonly #options: SortOptions;
  readonly #block = new StepBlock(1);
  #sorted: readonly Item[] | null = null;
  #next = 0;

  constructor(execution: Execution, input: VectorOperator, options: SortOptions) {
    this.#execution = execution;
    this.#input = input;
    this.#options = options;
    this.distinct = input.distinct;
  }

  async next(): Promise<StepBlock | null> {
    this.#sorted ??= await sortSliced(this.#execution, await this.#items(), this.#options.order);
    const block = this.#block;
    block.clear();
    while (!block.full && this.#next < this.#sorted.length) {
      const { labels, value, histogram } = this.#sorted[this.#next++]!;
      const at = block.addRow(labels);
      block.values[at] = value;
      block.present[at] = 1;
      if (histogram) block.setHistogram(at, histogram);
    }
    await this.#execution.breathe();
    return block.rows.length === 0 ? null : block;
  }

  close(): void {
    this.#input.close();
  }

  async #items(): Promise<Item[]> {
    const items: Item[] = [];
    for (;;) {
      const block = await this.#input.next();
      if (block === null) return items;
      if (this.#options.floatsOnly) {
        dropHistograms(block);
        compact(block);
      }
      this.#execution.hold(block.rows.length);
      for (let i = 0; i < block.rows.length; i++) {
        const labels = lasting(block.rows[i]!);
        this.#execution.holdLabels(labels);
        if (block.present[i] === 0) continue;
        items.push({ labels, value: block.values[i]!, histogram: block.histograms?.[i] });
      }
      await this.#execution.breathe();
    }
  }
}

/** By value, NaN last either way. */
export function byValue(sign: 1 | -1): ItemOrder {
  return (a, b) => {
    const x = a.value;
    const y = b.value;
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y) || 0;
  };
}

/** By the named labels in natural order, then by all labels. */
export function byLabels(names: readonly string[], sign: 1 | -1): ItemOrder {
  return (a, b) => {
    for (const name of names) {
      const order = compareNatural(a.labels.label(name), b.labels.label(name));
      if (order !== 0) return sign * order;
    }
    return sign * a.labels.labels.compareTo(b.labels.labels);
  };
}
