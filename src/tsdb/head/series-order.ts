// The head's series in label order. Sorting a selection by strings would cost more than reading it, so
// all series are ranked once and new ones are merged in when somebody asks; a selection is then sorted by
// its ranks, which are numbers. All of it gives way; no series may be removed meanwhile: see `settled`.

import { compareStrings } from '../../labels/compare.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import { sortedOrder } from '../index/sort-sliced.ts';
import type { HeadIndex } from './head-index.ts';

const SLICE_STEPS = 512;
const SLICE_NUMBERS = 8192;
/** A selection of one in so many or more is picked from all series in order, which beats sorting it. */
const DENSE = 32;

/** Sorts references by labels. */
export class SeriesOrder {
  readonly #index: HeadIndex;
  /** References in label order; some may be gone. */
  #sorted: Uint32Array = new Uint32Array(0);
  /** Place in `#sorted` by slot. */
  #ranks: Uint32Array = new Uint32Array(0);
  /** Added since the last ranking. */
  #fresh: number[] = [];
  /** The sort under way; it never rejects. */
  #sorting: Promise<unknown> | null = null;

  constructor(index: HeadIndex) {
    this.#index = index;
  }

  /** Tells of a new series. */
  add(ref: number): void {
    this.#fresh.push(ref);
  }

  /** Resolves where nothing is being sorted; nothing begins to be before the caller gives way again. */
  async settled(): Promise<void> {
    while (this.#sorting) await this.#sorting;
  }

  /** The references that are still in the head, in label order. `refs` has none twice. */
  async sort(refs: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    await this.settled();
    const sorting = this.#sort(refs, slicer);
    const done = (): void => void (this.#sorting = null);
    this.#sorting = sorting.then(done, done);
    return await sorting;
  }

  async #sort(refs: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    if (this.#fresh.length > 0) await this.#rank(slicer);
    const ranks = await this.#ranksOf(refs, slicer);
    if (ranks.length * DENSE < this.#sorted.length) {
      ranks.sort();
      for (let i = 0; i < ranks.length; i++) ranks[i] = this.#sorted[ranks[i]!]!;
      return ranks;
    }
    const isChosen = new Uint8Array(this.#sorted.length);
    for (let i = 0; i < ranks.length; i++) isChosen[ranks[i]!] = 1;
    let count = 0;
    for (let rank = 0; rank < isChosen.length; rank++) {
      if (rank % SLICE_NUMBERS === 0 && slicer.due) await slicer.pause();
      if (isChosen[rank] === 1) ranks[count++] = this.#sorted[rank]!;
    }
    return ranks;
  }

  async #ranksOf(refs: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    const { table } = this.#index;
    const ranks = new Uint32Array(refs.length);
    let count = 0;
    for (let i = 0; i < refs.length; i++) {
      if (i % SLICE_NUMBERS === 0 && slicer.due) await slicer.pause();
      const slot = table.slotOf(refs[i]!);
      if (slot >= 0) ranks[count++] = this.#ranks[slot]!;
    }
    return ranks.subarray(0, count);
  }

  async #rank(slicer: Slicer): Promise<void> {
    const { table } = this.#index;
    const taken = this.#fresh;
    this.#fresh = [];
    try {
      const fresh = await this.#alive(taken, slicer);
      const known = await this.#alive(this.#sorted, slicer);
      const order = await sortedOrder(
        fresh.length,
        (a, b) => this.#compare(fresh[a]!, fresh[b]!),
        slicer,
      );
      const sorted = await this.#merge(
        known,
        order.map(i => fresh[i]!),
        slicer,
      );
      let slotMax = -1;
      for (let i = 0; i < sorted.length; i++) {
        if (i % SLICE_NUMBERS === 0 && slicer.due) await slicer.pause();
        slotMax = Math.max(slotMax, table.slotOf(sorted[i]!));
      }
      const ranks = new Uint32Array(slotMax + 1);
      for (let i = 0; i < sorted.length; i++) {
        if (i % SLICE_NUMBERS === 0 && slicer.due) await slicer.pause();
        ranks[table.slotOf(sorted[i]!)] = i;
      }
      this.#sorted = sorted;
      this.#ranks = ranks;
    } catch (error) {
      for (const ref of taken) this.#fresh.push(ref);
      throw error;
    }
  }

  async #alive(refs: ArrayLike<number>, slicer: Slicer): Promise<Uint32Array> {
    const { table } = this.#index;
    const out = new Uint32Array(refs.length);
    let count = 0;
    for (let i = 0; i < refs.length; i++) {
      if (i % SLICE_NUMBERS === 0 && slicer.due) await slicer.pause();
      if (table.slotOf(refs[i]!) >= 0) out[count++] = refs[i]!;
    }
    return out.subarray(0, count);
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
