// The symbol table of an index: every string of its label sets, once, sorted. Series refer to symbols by
// ordinal (format 2) or by file offset (format 1).

import { decodeUtf8, type ReadBuffer, ReadBuffer as Reader } from '../../encoding/read-buffer.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { SAMPLE_EVERY } from './format.ts';
import { walkSection } from './section.ts';

// Strings kept decoded, in each of two generations.
const CACHE_ENTRIES = 8192;

/** The string of a reference that was asked for. */
export type SymbolLookup = (ref: number) => string;

/** What is opened. */
export interface SymbolsPlace {
  /** Offset of the section's length field. */
  readonly start: number;
  /** The section ends before this offset. */
  readonly limit: number;
  /** The index format, 1 or 2. */
  readonly version: number;
  readonly residentBytesMax: number;
}

/** Resolves symbol references. */
export class Symbols {
  readonly #source: ByteSource;
  readonly #version: number;
  readonly #first: number;
  readonly #end: number;
  readonly #count: number;
  /** File offset of every 32nd symbol. */
  readonly #samples: Float64Array;
  // Two generations: a full young one becomes the old one, so the cache is bounded and needs no order.
  #young = new Map<number, string>();
  #old = new Map<number, string>();
  /** The whole section, where it is resident. */
  readonly #bytes: Uint8Array | null;

  private constructor(
    source: ByteSource,
    version: number,
    bytes: Uint8Array | null,
    found: { first: number; end: number; count: number; samples: Float64Array },
  ) {
    this.#source = source;
    this.#version = version;
    this.#bytes = bytes;
    this.#first = found.first;
    this.#end = found.end;
    this.#count = found.count;
    this.#samples = found.samples;
  }

  /** Walks and checks the section. A format 1 section is always kept in memory. Throws `corrupt`. */
  static async open(source: ByteSource, place: SymbolsPlace): Promise<Symbols> {
    let first = 0;
    let count = 0;
    let seen = 0;
    let samples = new Float64Array(0);
    const section = await walkSection(source, {
      what: 'index symbol table',
      start: place.start,
      limit: place.limit,
      residentBytesMax: place.version === 1 ? Number.MAX_SAFE_INTEGER : place.residentBytesMax,
      begin(entries, offset) {
        first = offset;
        count = entries;
        samples = new Float64Array(Math.ceil(entries / SAMPLE_EVERY));
      },
      entry(buffer, base) {
        const offset = base + buffer.offset;
        buffer.skip(buffer.uvarint());
        if (buffer.error !== null) return false;
        if (seen % SAMPLE_EVERY === 0) samples[seen / SAMPLE_EVERY] = offset;
        seen++;
        return true;
      },
    });
    const resident = section.source !== source;
    const [bytes] = resident ? await section.source.read([{ start: first, end: section.end }]) : [];
    return new Symbols(source, place.version, bytes ?? null, {
      first,
      end: section.end,
      count,
      samples,
    });
  }

  /** True for references that can be resolved. */
  isValid(ref: number): boolean {
    return this.#version === 1 ? ref >= this.#first && ref < this.#end : ref < this.#count;
  }

  /** A lookup for the given valid references; it stays good after later calls. */
  async lookup(refs: Iterable<number>, signal?: AbortSignal): Promise<SymbolLookup> {
    if (this.#bytes) return this.#residentLookup;
    const found = new Map<number, string>();
    const pages = new Set<number>();
    for (const ref of refs) {
      const known = this.#young.get(ref) ?? this.#old.get(ref);
      if (known !== undefined) this.#remember(ref, known);
      if (known !== undefined) found.set(ref, known);
      else pages.add(Math.floor(ref / SAMPLE_EVERY));
    }
    await this.#readPages([...pages], found, signal);
    return ref => found.get(ref) ?? this.#unknown(ref);
  }

  readonly #residentLookup: SymbolLookup = ref => {
    const known = this.#young.get(ref) ?? this.#old.get(ref);
    const text = known ?? this.#decode(ref);
    this.#remember(ref, text);
    return text;
  };

  #remember(ref: number, text: string): void {
    if (this.#young.has(ref)) return;
    if (this.#young.size >= CACHE_ENTRIES) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(ref, text);
  }

  #decode(ref: number): string {
    if (!this.isValid(ref)) return this.#unknown(ref);
    const offset = this.#version === 1 ? ref : this.#samples[Math.floor(ref / SAMPLE_EVERY)]!;
    const buffer = new Reader(this.#bytes!, offset - this.#first);
    const skip = this.#version === 1 ? 0 : ref % SAMPLE_EVERY;
    for (let i = 0; i < skip; i++) buffer.skip(buffer.uvarint());
    const text = buffer.string();
    return buffer.error === null ? text : this.#unknown(ref);
  }

  async #readPages(
    pages: readonly number[],
    found: Map<number, string>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (pages.length === 0) return;
    const ranges = pages.map(page => ({
      start: this.#samples[page]!,
      end: this.#samples[page + 1] ?? this.#end,
    }));
    const read = await this.#source.read(ranges, signal);
    pages.forEach((page, i) => {
      const bytes = read[i]!;
      const buffer: ReadBuffer = new Reader(bytes);
      for (let ref = page * SAMPLE_EVERY; buffer.remaining > 0; ref++) {
        const length = buffer.uvarint();
        const text = decodeUtf8(bytes, buffer.offset, buffer.offset + length);
        buffer.skip(length);
        found.set(ref, text);
        this.#remember(ref, text);
      }
      if (buffer.error !== null)
        throw corrupt('index symbol table changed', this.#source.name, ranges[i]!.start);
    });
  }

  #unknown(ref: number): never {
    throw corrupt(`index symbol ${ref} does not exist`, this.#source.name, this.#first);
  }
}
