// A file of compressed pages as a byte source: readers see the bytes as they were before. Pages that were
// read last are kept, within a limit.

import { zstdDecodeExactly } from '../../encoding/zstd.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { ByteRange, ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { FileSource } from '../file-source.ts';
import type { PageCache } from './page-cache.ts';
import { type PageTable, readPageTable } from './page-file.ts';

// Decompressing so many takes some milliseconds; between two groups the event loop turns.
const PAGES_AT_ONCE = 64;

/** The uncompressed bytes of a page file. */
export class PageSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: ByteSource;
  readonly #table: PageTable;
  readonly #cache: PageCache;
  readonly #id: number;

  private constructor(file: ByteSource, table: PageTable, cache: PageCache) {
    this.name = file.name;
    this.size = table.size;
    this.#file = file;
    this.#table = table;
    this.#cache = cache;
    this.#id = cache.newFile();
  }

  /** Opens a page file for reading. Throws `corrupt`. */
  static async open(path: string, cache: PageCache): Promise<PageSource> {
    const file = await FileSource.open(path);
    try {
      return new PageSource(file, await readPageTable(file), cache);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes on disk. */
  get fileBytes(): number {
    return this.#file.size;
  }

  async read(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    const pages = await this.#pages(ranges, signal);
    const { pageBytes } = this.#table;
    return ranges.map(({ start, end }) => {
      const first = Math.floor(start / pageBytes);
      const from = start - first * pageBytes;
      if (end === start) return new Uint8Array(0);
      if (from + end - start <= pageBytes)
        return pages.get(first)!.subarray(from, from + end - start);
      const out = new Uint8Array(end - start);
      for (let at = start; at < end; ) {
        const page = Math.floor(at / pageBytes);
        const offset = at - page * pageBytes;
        const part = pages.get(page)!.subarray(offset, offset + end - at);
        out.set(part, at - start);
        at += part.length;
      }
      return out;
    });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** All pages the ranges touch, each once. */
  async #pages(
    ranges: readonly ByteRange[],
    signal: AbortSignal | undefined,
  ): Promise<Map<number, Uint8Array>> {
    const pages = new Map<number, Uint8Array>();
    const missing = new Set<number>();
    for (const { start, end } of ranges) {
      if (start < 0 || end < start || end > this.size) {
        throw corrupt(`${end - start} bytes wanted of ${this.size}`, this.name, start);
      }
      const last = Math.floor((end - 1) / this.#table.pageBytes);
      for (let page = Math.floor(start / this.#table.pageBytes); page <= last; page++) {
        if (pages.has(page) || missing.has(page)) continue;
        const cached = this.#cache.get(this.#id, page);
        if (cached) pages.set(page, cached);
        else missing.add(page);
      }
    }
    const order = [...missing];
    const { starts } = this.#table;
    for (let at = 0; at < order.length; at += PAGES_AT_ONCE) {
      const some = order.slice(at, at + PAGES_AT_ONCE);
      const places = some.map(page => ({ start: starts[page]!, end: starts[page + 1]! }));
      const read = await this.#file.read(places, signal);
      some.forEach((page, i) => {
        const bytes = this.#decompress(page, read[i]!);
        this.#cache.set(this.#id, page, bytes);
        pages.set(page, bytes);
      });
    }
    return pages;
  }

  #decompress(page: number, stored: Uint8Array): Uint8Array {
    const { pageBytes, starts } = this.#table;
    const length = Math.min(pageBytes, this.size - page * pageBytes);
    if (stored.length === length) return stored.slice();
    try {
      return zstdDecodeExactly(stored, length);
    } catch (cause) {
      const { message } = OutpostError.from(cause);
      throw corrupt(`cold file page ${page}: ${message}`, this.name, starts[page]!);
    }
  }
}
