// The head's index: label sets to series and back, and postings. It knows nothing of samples.

import { Labels } from '../../labels/labels.ts';
import { union } from '../index/postings.ts';
import type { PostingsSource } from '../index/postings-for-matchers.ts';
import { HeadPostings } from './head-postings.ts';
import { SeriesTable } from './series-table.ts';
import { SymbolTable } from './symbols.ts';

const UNKNOWN = 0xffff_ffff;

/** Symbols, series and postings, kept in step. Postings name series by reference. */
export class HeadIndex implements PostingsSource {
  readonly symbols: SymbolTable = new SymbolTable();
  readonly table: SeriesTable = new SeriesTable();
  readonly lists: HeadPostings = new HeadPostings();
  #scratch = new Uint32Array(64);

  /** Bytes of the flat arrays, about; strings and maps are not counted. */
  get bytes(): number {
    return this.table.bytes + this.lists.bytes;
  }

  /** The slot of the series with these labels, −1 where there is none. */
  find(pairs: readonly string[]): number {
    const scratch = this.#room(pairs.length);
    for (let i = 0; i < pairs.length; i++) {
      const symbol = this.symbols.find(pairs[i]!);
      if (symbol < 0) return -1;
      scratch[i] = symbol;
    }
    return this.table.find(scratch, pairs.length);
  }

  /** Adds a series that `find` does not find. `pairs` is flat, sorted by name and not empty. */
  add(slot: number, ref: number, pairs: readonly string[]): void {
    const scratch = this.#room(pairs.length);
    for (let i = 0; i < pairs.length; i++) scratch[i] = this.symbols.intern(pairs[i]!);
    this.table.add(slot, ref, scratch, pairs.length);
    this.lists.add(ref, scratch.subarray(0, pairs.length));
  }

  /** A series' labels as a value of their own. */
  labelsOf(slot: number): Labels {
    const symbols = this.table.symbols(slot);
    const pairs = new Array<string>(symbols.length);
    for (let i = 0; i < symbols.length; i++) pairs[i] = this.symbols.text(symbols[i]!);
    return Labels.fromSorted(pairs);
  }

  /** One label's value, '' where the series does not have it. `name` is a symbol or −1. */
  labelOf(slot: number, name: number): string {
    const value = name < 0 ? -1 : this.table.valueOf(slot, name);
    return value < 0 ? '' : this.symbols.text(value);
  }

  /** A PostingsSource: every series. */
  allPostings(): Uint32Array {
    return this.lists.all();
  }

  /** A PostingsSource: series with one of the values. */
  postings(name: string, values: readonly string[]): Uint32Array {
    const nameSymbol = this.symbols.find(name);
    if (nameSymbol < 0) return new Uint32Array(0);
    return union(values.map(value => this.#postings(nameSymbol, this.symbols.find(value))));
  }

  /** A PostingsSource: series with a value that the test accepts. */
  postingsWhere(name: string, accepts: (value: string) => boolean): Uint32Array {
    const nameSymbol = this.symbols.find(name);
    if (nameSymbol < 0) return new Uint32Array(0);
    const found: Uint32Array[] = [];
    for (const value of this.lists.values(nameSymbol)) {
      if (accepts(this.symbols.text(value))) found.push(this.#postings(nameSymbol, value));
    }
    return union(found);
  }

  #postings(name: number, value: number): Uint32Array {
    return this.lists.get(name, value < 0 ? UNKNOWN : value);
  }

  #room(length: number): Uint32Array {
    if (length > this.#scratch.length) this.#scratch = new Uint32Array(length * 2);
    return this.#scratch;
  }
}
