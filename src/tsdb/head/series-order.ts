// The head's series in label order. Sorting a selection by strings would cost more than reading it, so
// all series are ranked once and new ones are merged in when somebody asks; a selection is then sorted by
// its ranks, which are numbers.

import { compareStrings } from '../../labels/compare.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import type { HeadIndex } from './head-index.ts';

const SLICE_STEPS = 512;
const RUN_LENGTH = 1024;

/** Sorts references by labels. */
export class SeriesOrder {
  readonly #index: HeadIndex;
  /** References in label order; some may be gone. */
  #sorted = new Uint32Array(0);
  /** Place in `#sorted` by slot. */
  #ranks = new Uint32Array(0);
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

  /** The references that are still in the head, in label order. */
  async sort(refs: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    // A ranking under way may have begun before the newest of the references was added.
    while (this.#ranking) await this.#ranking;
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
    const fresh = this.#fresh;
    this.#fresh = [];
    const added = await this.#sortByLabels(Uint32Array.from(fresh), slicer);
    const merged = await this.#merge(this.#sorted, added, slicer);
    // Nothing gives way from here on: slots and ranks belong together.
    let kept = 0;
    let slotMax = -1;
    for (let i = 0; i < merged.length; i++) {
      const slot = table.slotOf(merged[i]!);
      if (slot < 0) continue;
      merged[kept++] = merged[i]!;
      slotMax = Math.max(slotMax, slot);
    }
    const ranks = slotMax < this.#ranks.length ? this.#ranks : new Uint32Array(slotMax + 1);
    for (let i = 0; i < kept; i++) ranks[table.slotOf(merged[i]!)] = i;
    this.#ranks = ranks;
    this.#sorted = merged.slice(0, kept);
  }

  /** Merge sort over short runs, which can give way between and inside merges. */
  async #sortByLabels(refs: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    let runs: Uint32Array[] = [];
    for (let from = 0; from < refs.length; from += RUN_LENGTH) {
      const run = refs.subarray(from, from + RUN_LENGTH).filter(ref => this.#alive(ref));
      runs.push(run.sort((a, b) => this.#compare(a, b)));
      if (slicer.due) await slicer.pause();
    }
    while (runs.length > 1) {
      const merged: Uint32Array[] = [];
      for (let i = 0; i < runs.length; i += 2) {
        merged.push(await this.#merge(runs[i]!, runs[i + 1] ?? new Uint32Array(0), slicer));
      }
      runs = merged;
    }
    return runs[0] ?? new Uint32Array(0);
  }

  /** Merges two sorted lists; series that go away meanwhile are left out where they are seen. */
  async #merge(a: Uint32Array, b: Uint32Array, slicer: Slicer): Promise<Uint32Array> {
    const out = new Uint32Array(a.length + b.length);
    let i = 0;
    let j = 0;
    let length = 0;
    for (let step = 0; i < a.length && j < b.length; step++) {
      if (step % SLICE_STEPS === SLICE_STEPS - 1 && slicer.due) await slicer.pause();
      if (!this.#alive(a[i]!)) i++;
      else if (!this.#alive(b[j]!)) j++;
      else out[length++] = this.#compare(b[j]!, a[i]!) < 0 ? b[j++]! : a[i++]!;
    }
    const rest = i < a.length ? a.subarray(i) : b.subarray(j);
    out.set(rest, length);
    return out.subarray(0, length + rest.length);
  }

  #alive(ref: number): boolean {
    return this.#index.table.slotOf(ref) >= 0;
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
