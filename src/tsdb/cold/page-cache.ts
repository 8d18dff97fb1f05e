// Uncompressed pages of all open cold blocks, the most recently used of them.

import { LRUCache } from 'lru-cache';

const PAGES_OF_A_FILE = 2 ** 32;

/** A bounded cache of pages; one for all blocks of a database. */
export class PageCache {
  readonly #pages: LRUCache<number, Uint8Array>;
  #files = 0;

  /** Holds up to `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#pages = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: page => Math.max(1, page.length),
    });
  }

  /** A number for a newly opened file. */
  newFile(): number {
    return this.#files++;
  }

  get(file: number, page: number): Uint8Array | undefined {
    return this.#pages.get(file * PAGES_OF_A_FILE + page);
  }

  set(file: number, page: number, bytes: Uint8Array): void {
    this.#pages.set(file * PAGES_OF_A_FILE + page, bytes);
  }
}
