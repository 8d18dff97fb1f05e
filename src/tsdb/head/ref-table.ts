// From a series' reference to its slot. References only grow while slots are reused, so the table is cut
// into pages and a page without live references is dropped: churn does not make it grow for ever.

const PAGE_BITS = 10;
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SIZE - 1;

interface Page {
  /** Slot + 1 by the reference's low bits, 0 where there is none. */
  readonly slots: Uint32Array;
  live: number;
}

/** A sparse map from u32 to u32. */
export class RefTable {
  readonly #pages: (Page | undefined)[] = [];
  #live = 0;
  #pageCount = 0;

  /** References held. */
  get size(): number {
    return this.#live;
  }

  /** Bytes of memory held, about. */
  get bytes(): number {
    return this.#pageCount * (PAGE_SIZE * 4 + 150) + this.#pages.length * 8;
  }

  /** The slot of a reference, −1 where there is none. */
  get(ref: number): number {
    const page = this.#pages[ref >>> PAGE_BITS];
    return page === undefined ? -1 : page.slots[ref & PAGE_MASK]! - 1;
  }

  /** Adds a reference that is not in the table. */
  set(ref: number, slot: number): void {
    const index = ref >>> PAGE_BITS;
    while (this.#pages.length <= index) this.#pages.push(undefined);
    let page = this.#pages[index];
    if (!page) {
      page = { slots: new Uint32Array(PAGE_SIZE), live: 0 };
      this.#pages[index] = page;
      this.#pageCount++;
    }
    page.slots[ref & PAGE_MASK] = slot + 1;
    page.live++;
    this.#live++;
  }

  /** Removes a reference that is in the table. */
  delete(ref: number): void {
    const index = ref >>> PAGE_BITS;
    const page = this.#pages[index]!;
    page.slots[ref & PAGE_MASK] = 0;
    this.#live--;
    if (--page.live > 0) return;
    this.#pages[index] = undefined;
    this.#pageCount--;
  }
}
