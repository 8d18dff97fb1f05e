// Reads an index file (formats 1 and 2), wherever it lies. Symbols and the postings table are walked
// once when it is opened; lists and series are fetched as they are asked for. Every checksum is checked.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { readFrames } from '../frames.ts';
import { POSTINGS_FRAME, readLayout, SERIES_ALIGNMENT, SERIES_FRAME } from './format.ts';
import { union } from './postings.ts';
import type { PostingsSource } from './postings-for-matchers.ts';
import { type PostingsEntry, PostingsTable } from './postings-table.ts';
import { type ChunkRange, SeriesEntries } from './series-entries.ts';
import { sortedPostingsTable } from './sorted-postings-table.ts';
import { type SymbolLookup, Symbols } from './symbols.ts';

const RESIDENT_BYTES_MAX = 4 * 1024 * 1024;
// Lists fetched in one call while collecting many of them.
const LISTS_AT_ONCE = 1024;

/** How an index is opened. */
export interface IndexReaderOptions {
  /** Symbols and postings table stay in memory up to this many bytes each. Default 4 MiB. */
  readonly residentBytesMax?: number;
  /** The format to assume whatever the version byte says: Prometheus 2.1 wrote 1 where it meant 2. */
  readonly version?: number;
}

/** An open index. */
export class IndexReader implements PostingsSource {
  readonly #source: ByteSource;
  readonly #idScale: number;
  readonly #seriesLimit: number;
  readonly #postingsLimit: number;
  readonly #symbols: Symbols;
  readonly #table: PostingsTable;

  private constructor(
    source: ByteSource,
    bounds: { version: number; seriesLimit: number; postingsLimit: number },
    symbols: Symbols,
    table: PostingsTable,
  ) {
    this.#source = source;
    this.#idScale = bounds.version === 1 ? 1 : SERIES_ALIGNMENT;
    this.#seriesLimit = bounds.seriesLimit;
    this.#postingsLimit = bounds.postingsLimit;
    this.#symbols = symbols;
    this.#table = table;
  }

  /** Checks the fixed parts, symbols and postings table. The reader owns the source. Throws `corrupt`. */
  static async open(source: ByteSource, options: IndexReaderOptions = {}): Promise<IndexReader> {
    const { version: written, toc, tocStart } = await readLayout(source);
    const version = options.version ?? written;
    const residentBytesMax = options.residentBytesMax ?? RESIDENT_BYTES_MAX;
    const starts = Object.values(toc).filter(offset => offset > 0);
    const endOf = (start: number): number =>
      Math.min(tocStart, ...starts.filter(offset => offset > start));
    const symbols = await Symbols.open(source, {
      start: toc.symbols,
      limit: endOf(toc.symbols),
      version,
      residentBytesMax,
    });
    const place = { start: toc.postingsTable, limit: endOf(toc.postingsTable) };
    const sorted = version === 1 ? await sortedPostingsTable(source, place) : null;
    const table = await PostingsTable.open(sorted ?? source, {
      ...(sorted ? { start: 0, limit: sorted.size } : place),
      residentBytesMax,
    });
    const bounds = { version, seriesLimit: endOf(toc.series), postingsLimit: endOf(toc.postings) };
    return new IndexReader(source, bounds, symbols, table);
  }

  /** Length of the file in bytes. */
  get sizeBytes(): number {
    return this.#source.size;
  }

  /** All label names, sorted. */
  labelNames(): string[] {
    return this.#table.names();
  }

  /** How many values a label has. */
  valueCount(name: string): number {
    return this.#table.valueCount(name);
  }

  /** The label's values that pass the test, sorted. */
  async labelValues(
    name: string,
    accepts: (value: string) => boolean = () => true,
    signal?: AbortSignal,
  ): Promise<string[]> {
    const out: string[] = [];
    if (name === '') return out;
    await this.#table.forEach(
      name,
      ({ value }) => {
        if (accepts(value)) out.push(value);
      },
      signal,
    );
    return out;
  }

  async allPostings(signal?: AbortSignal): Promise<Uint32Array> {
    return union(await this.#lists(await this.#table.find('', [''], signal), signal));
  }

  async postings(
    name: string,
    values: readonly string[],
    signal?: AbortSignal,
  ): Promise<Uint32Array> {
    return union(await this.#lists(await this.#table.find(name, values, signal), signal));
  }

  async postingsWhere(
    name: string,
    accepts: (value: string) => boolean,
    signal?: AbortSignal,
  ): Promise<Uint32Array> {
    const entries: PostingsEntry[] = [];
    await this.#table.forEach(
      name,
      entry => {
        if (accepts(entry.value)) entries.push(entry);
      },
      signal,
    );
    return union(await this.#lists(entries, signal));
  }

  /** Visits each value's list of series, in the order of values, some at a time. */
  async forEachList(
    name: string,
    visit: (value: string, ids: Uint32Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const entries: PostingsEntry[] = [];
    await this.#table.forEach(name, entry => entries.push(entry), signal);
    for (let i = 0; i < entries.length; i += LISTS_AT_ONCE) {
      const some = entries.slice(i, i + LISTS_AT_ONCE);
      const lists = await this.#lists(some, signal);
      some.forEach(({ value }, at) => {
        visit(value, lists[at]!);
      });
    }
  }

  /** Decodes the series with the given ids and their chunks of a range; null leaves chunks out. */
  async series(
    ids: Uint32Array,
    range: ChunkRange | null,
    signal?: AbortSignal,
  ): Promise<SeriesEntries> {
    const offsets = Float64Array.from(ids, id => id * this.#idScale);
    const request = { format: SERIES_FRAME, offsets, limit: this.#seriesLimit };
    const payloads = await readFrames(this.#source, request, signal);
    const entries = new SeriesEntries(ids);
    const isSymbol = (ref: number): boolean => this.#symbols.isValid(ref);
    payloads.forEach((payload, i) => {
      const problem = entries.add(payload, range, isSymbol);
      if (problem) throw corrupt(`index series ${problem}`, this.#source.name, offsets[i]!);
    });
    return entries;
  }

  /** Strings of the given symbol references, which must come from this index's series. */
  symbols(refs: Iterable<number>, signal?: AbortSignal): Promise<SymbolLookup> {
    return this.#symbols.lookup(refs, signal);
  }

  /** Closes the source. */
  close(): Promise<void> {
    return this.#source.close();
  }

  async #lists(
    entries: readonly PostingsEntry[],
    signal: AbortSignal | undefined,
  ): Promise<Uint32Array[]> {
    const out: Uint32Array[] = [];
    for (let from = 0; from < entries.length; from += LISTS_AT_ONCE) {
      if (signal?.aborted) throw OutpostError.from(signal.reason);
      const some = entries.slice(from, from + LISTS_AT_ONCE);
      const request = {
        format: POSTINGS_FRAME,
        offsets: some.map(entry => entry.offset),
        ends: some.map(entry => entry.next),
        limit: this.#postingsLimit,
      };
      const payloads = await readFrames(this.#source, request, signal);
      payloads.forEach((payload, i) => {
        out.push(this.#parseList(payload, some[i]!.offset));
      });
    }
    return out;
  }

  #parseList(payload: Uint8Array, offset: number): Uint32Array {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const count = payload.length >= 4 ? view.getUint32(0) : -1;
    if (payload.length !== 4 + count * 4) {
      throw corrupt('index postings list has a wrong count', this.#source.name, offset);
    }
    const ids = new Uint32Array(count);
    for (let i = 0; i < count; i++) ids[i] = view.getUint32(4 + i * 4);
    for (let i = 1; i < count; i++) {
      if (ids[i]! <= ids[i - 1]!) {
        throw corrupt('index postings list is not sorted', this.#source.name, offset);
      }
    }
    return ids;
  }
}
