// The strings and label pairs of an index being written, numbered twice: in the order they are met, and
// at the end in sorted order, as the file has them.

import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { compareStrings } from '../../labels/compare.ts';
import type { Labels } from '../../labels/labels.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import { sortedOrder } from './sort-sliced.ts';

const STEPS_AT_ONCE = 4096;

/** Order of calls: add for all series, sort once, then the rest. */
export class PairTable {
  readonly #symbolIds = new Map<string, number>();
  readonly #pairIds = new Map<string, Map<string, number>>();
  /** Columns by pair: symbol of the name, symbol of the value, number of series. */
  readonly #names: number[] = [];
  readonly #values: number[] = [];
  readonly #counts: number[] = [];
  /** By symbol id in order of appearance: its place among the sorted symbols. */
  #ranks = new Uint32Array(0);
  /** Pairs in sorted order, and each pair's place in it. */
  #order: Uint32Array = new Uint32Array(0);
  #positions = new Uint32Array(0);
  /** All strings; in sorted order after `sort`. */
  symbols: string[] = [];
  readonly #pairs: number[] = [];
  readonly #entry = new WriteBuffer();

  /** Counts a series in; returns its pairs' ids, valid until the next call. */
  add(labels: Labels): readonly number[] {
    const flat = labels.pairs;
    this.#pairs.length = flat.length / 2;
    for (let i = 0; i < flat.length; i += 2) {
      const pair = this.#pairOf(flat[i]!, flat[i + 1]!);
      this.#counts[pair]!++;
      this.#pairs[i / 2] = pair;
    }
    return this.#pairs;
  }

  /** Sorts symbols and pairs. */
  async sort(slicer: Slicer): Promise<void> {
    const { symbols } = this;
    const compareSymbols = (a: number, b: number): number =>
      compareStrings(symbols[a]!, symbols[b]!);
    const bySymbol = await sortedOrder(symbols.length, compareSymbols, slicer);
    this.#ranks = await inverted(bySymbol, slicer);
    this.symbols = [];
    for (let i = 0; i < bySymbol.length; i++) {
      this.symbols.push(symbols[bySymbol[i]!]!);
      if (i % STEPS_AT_ONCE === 0 && slicer.due) await slicer.pause();
    }
    const nameRank = (pair: number): number => this.#ranks[this.#names[pair]!]!;
    const valueRank = (pair: number): number => this.#ranks[this.#values[pair]!]!;
    this.#order = await sortedOrder(
      this.#counts.length,
      (a, b) => nameRank(a) - nameRank(b) || valueRank(a) - valueRank(b),
      slicer,
    );
    this.#positions = await inverted(this.#order, slicer);
  }

  /** Number of series of each pair, pairs in sorted order. */
  async sortedCounts(slicer: Slicer): Promise<Uint32Array> {
    const out = new Uint32Array(this.#order.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = this.#counts[this.#order[i]!]!;
      if (i % STEPS_AT_ONCE === 0 && slicer.due) await slicer.pause();
    }
    return out;
  }

  /** Where a pair stands in sorted order. */
  positionOf(pair: number): number {
    return this.#positions[pair]!;
  }

  /** Name and value of the pair at a place in sorted order. */
  at(position: number): readonly [string, string] {
    const pair = this.#order[position]!;
    const symbol = (id: number): string => this.symbols[this.#ranks[id]!]!;
    return [symbol(this.#names[pair]!), symbol(this.#values[pair]!)];
  }

  /** Appends a series' index entry: length, label references, chunks, checksum. */
  appendSeries(out: WriteBuffer, pairs: readonly number[], chunkBytes: Uint8Array): void {
    const entry = this.#entry;
    entry.reset();
    entry.uvarint(pairs.length);
    for (let i = 0; i < pairs.length; i++) {
      entry.uvarint(this.#ranks[this.#names[pairs[i]!]!]!);
      entry.uvarint(this.#ranks[this.#values[pairs[i]!]!]!);
    }
    entry.raw(chunkBytes);
    const length = entry.length;
    entry.crcFrom(0);
    out.uvarint(length);
    out.raw(entry.bytes());
  }

  #pairOf(name: string, value: string): number {
    let values = this.#pairIds.get(name);
    if (!values) {
      values = new Map();
      this.#pairIds.set(name, values);
    }
    let pair = values.get(value);
    if (pair === undefined) {
      pair = this.#counts.length;
      values.set(value, pair);
      this.#names.push(this.#symbolOf(name));
      this.#values.push(this.#symbolOf(value));
      this.#counts.push(0);
    }
    return pair;
  }

  #symbolOf(text: string): number {
    const known = this.#symbolIds.get(text);
    if (known !== undefined) return known;
    this.#symbolIds.set(text, this.symbols.length);
    return this.symbols.push(text) - 1;
  }
}

async function inverted(order: Uint32Array, slicer: Slicer): Promise<Uint32Array<ArrayBuffer>> {
  const out = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    out[order[i]!] = i;
    if (i % STEPS_AT_ONCE === 0 && slicer.due) await slicer.pause();
  }
  return out;
}
