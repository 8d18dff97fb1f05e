// The head's series in label order. Sorting a selection by strings would cost more than reading it, so
// all series are ranked once and new ones are merged in when somebody asks; a selection is then sorted by
// its ranks, which are numbers. No series may be removed while a ranking is under way: see `settled`.

import { compareStrings } from '../../labels/compare.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import { sortedOrder } from '../index/sort-sliced.ts';
import type { HeadIndex } from './head-index.ts';

const SLICE_STEPS = 512;

/** Sorts references by labels. */
export class SeriesOrder {
  readonly #index: HeadIndex;
  /** References in label order; some may be gone. */
  #sorted: Uint32Array = new Uint32Array(0);
  /** Place in `#sorted` by slot. */
  #ranks: Uint32Array = new Uint32Array(0);
  /** Added since the last ranking. */
  #fresh: number[] = [];
  #ranking: Promise<void> | null = null;

  constructor(index: HeadIndex) {
    this.#index = index;
  }

  /** Tells of a new series. */
  add(ref: number): void {
    this.#fresh.push(ref);
  }

  /** Resolves where no ranking is under way; none begins before the caller gives way again. */
  async settled(): Promise<void> {
    while (this.#ranking) await this.#ranking;
  }

  /** The references that are still in the head, in label order. */
  async sort(refs: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    // A ranking under way may have begun before the newest of the references was added.
    await this.settled();
    if (this.#fresh.length > 0) {
      this.#ranking = this.#rank(slicer).finally(() => {
        this.#ranking = null;
      });
      await this.#ranking;
    }
    const { table } = this.#index;
    const ranks = new Uint32Array(refs.length);
    let count = 0;
    for (let i = 0; i < refs.length; i++) {
      const slot = table.slotOf(refs[i]!);
      if (slot >= 0) ranks[count++] = this.#ranks[slot]!;
    }
    const sorted = ranks.subarray(0, count).sort();
    for (let i = 0; i < count; i++) sorted[i] = this.#sorted[sorted[i]!]!;
    return sorted;
  }

  async #rank(slicer: Slicer): Promise<void> {
    const { table } = this.#index;
    const alive = (ref: number): boolean => table.slotOf(ref) >= 0;
    const fresh = Uint32Array.from(this.#fresh).filter(alive);
    const known = this.#sorted.filter(alive);
    this.#fresh = [];
    try {
      const order = await sortedOrder(
        fresh.length,
        (a, b) => this.#compare(fresh[a]!, fresh[b]!),
        slicer,
      );
      const added = order.map(i => fresh[i]!);
      this.#sorted = await this.#merge(known, added, slicer);
    } catch (error) {
      for (const ref of fresh) this.#fresh.push(ref);
      throw error;
    }
    let slotMax = -1;
    for (const ref of this.#sorted) slotMax = Math.max(slotMax, table.slotOf(ref));
    if (slotMax >= this.#ranks.length) this.#ranks = new Uint32Array(Math.ceil(slotMax * 1.2) + 1);
    for (let i = 0; i < this.#sorted.length; i++) this.#ranks[table.slotOf(this.#sorted[i]!)] = i;
  }

  async #merge(a: Uint32Array, b: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    const out = new Uint32Array(a.length + b.length);
    let i = 0;
    let j = 0;
    while (i < a.length && j < b.length) {
      if ((i + j) % SLICE_STEPS === 0 && slicer.due) await slicer.pause();
      out[i + j] = this.#compare(b[j]!, a[i]!) < 0 ? b[j++]! : a[i++]!;
    }
    out.set(i < a.length ? a.subarray(i) : b.subarray(j), i + j);
    return out;
  }

  // Symbols are unique, so equal strings have equal numbers and only the first difference is compared.
  #compare(a: number, b: number): number {
    const { table, symbols } = this.#index;
    const x = table.symbols(table.slotOf(a));
    const y = table.symbols(table.slotOf(b));
    const length = Math.min(x.length, y.length);
    for (let i = 0; i < length; i++) {
      if (x[i] === y[i]) continue;
      return compareStrings(symbols.text(x[i]!), symbols.text(y[i]!));
    }
    return x.length - y.length;
  }
}
