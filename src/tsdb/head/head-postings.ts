// Which series have a label: sorted lists of references for each name and value, in one arena. Lists grow
// in powers of two; most hold one series or a handful. Tables grow page by page, so that no series pays for
// the growth of all.

import type { Slicer } from '../../lifecycle/slicer.ts';
import { NumberMap } from './number-map.ts';
import { offsetOf, SpanArena } from './span-arena.ts';

const INITIAL_REFS = 1024;
const SLICE_LISTS = 256;
const PAGE_BITS = 10;
const PAGE_LISTS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_LISTS - 1;
/** Columns of a page, each PAGE_LISTS long, one behind the other. */
const START = 0;
const LENGTH = PAGE_LISTS;
const NAME = 2 * PAGE_LISTS;
const VALUE = 3 * PAGE_LISTS;
const COLUMNS = 4 * PAGE_LISTS;

/** Postings by symbols of name and value. Lists handed out are copies. */
export class HeadPostings {
  /** List numbers by value, by name. */
  readonly #names = new Map<number, NumberMap>();
  readonly #arena = new SpanArena();
  readonly #pages: Uint32Array[] = [];
  #listCount = 0;
  readonly #freeLists: number[] = [];
  #all = new Uint32Array(INITIAL_REFS);
  #allLength = 0;

  /** Bytes of the flat arrays, about. */
  get bytes(): number {
    return this.#arena.bytes + this.#pages.length * COLUMNS * 4 + this.#all.byteLength;
  }

  /** Adds a series under each of its labels. */
  add(ref: number, symbols: Uint32Array): void {
    this.addToAll(ref);
    for (let i = 0; i < symbols.length; i += 2) {
      this.append(this.listOf(symbols[i]!, symbols[i + 1]!), ref);
    }
  }

  /** Adds a series to the list of all; `append` to those of its labels follows. */
  addToAll(ref: number): void {
    if (this.#allLength === this.#all.length) {
      const all = new Uint32Array(Math.ceil(this.#all.length * 1.5));
      all.set(this.#all);
      this.#all = all;
    }
    insert(this.#all, 0, this.#allLength++, ref);
  }

  /** Every series. */
  all(): Uint32Array {
    return this.#all.slice(0, this.#allLength);
  }

  /** Series with a label; empty where nobody has it. */
  get(name: number, value: number): Uint32Array {
    const list = this.#names.get(name)?.get(value);
    if (list === undefined) return new Uint32Array(0);
    const start = this.#at(START, list);
    const from = offsetOf(start);
    return this.#arena.wordsOf(start).slice(from, from + this.#at(LENGTH, list));
  }

  /** How many series have a label. */
  count(name: number, value: number): number {
    const list = this.#names.get(name)?.get(value);
    return list === undefined ? 0 : this.#at(LENGTH, list);
  }

  /** The oldest series with a label, undefined where nobody has it. */
  first(name: number, value: number): number | undefined {
    const list = this.#names.get(name)?.get(value);
    if (list === undefined) return undefined;
    const start = this.#at(START, list);
    return this.#arena.wordsOf(start)[offsetOf(start)];
  }

  /** Names that some series have. */
  names(): IterableIterator<number> {
    return this.#names.keys();
  }

  /** How many values some series have for a name. */
  valueCount(name: number): number {
    return this.#names.get(name)?.size ?? 0;
  }

  /** Values that some series have for a name. */
  values(name: number): Iterable<number> {
    return this.#names.get(name)?.keys() ?? [];
  }

  /** List numbers of a series' labels, for `collect`. */
  lists(symbols: Uint32Array, add: (list: number) => void): void {
    for (let i = 0; i < symbols.length; i += 2) {
      const list = this.#names.get(symbols[i]!)?.get(symbols[i + 1]!);
      if (list !== undefined) add(list);
    }
  }

  /** Takes dead series out of the lists and drops those that are left empty. */
  async collect(
    lists: Iterable<number>,
    alive: (ref: number) => boolean,
    slicer: Slicer,
  ): Promise<void> {
    this.#allLength = filter(this.#all, 0, this.#allLength, alive);
    if (slicer.due) await slicer.pause();
    let done = 0;
    for (const list of lists) {
      this.#collectList(list, alive);
      if (++done % SLICE_LISTS === 0 && slicer.due) await slicer.pause();
    }
  }

  /** Gives memory back that removed series have left; series come and go meanwhile. */
  async compact(slicer: Slicer): Promise<void> {
    if (this.#all.length > INITIAL_REFS && this.#allLength * 3 < this.#all.length) {
      this.#all = this.#all.slice(0, this.#allLength + (this.#allLength >> 1) + 1);
    }
    if (!this.#arena.beginMove()) return;
    for (let list = 0; list < this.#listCount; list++) {
      if (list % SLICE_LISTS === 0 && slicer.due) await slicer.pause();
      const length = this.#at(LENGTH, list);
      const start = this.#at(START, list);
      if (length === 0 || !this.#arena.isOld(start)) continue;
      this.#set(START, list, this.#arena.move(start, capacity(length)));
    }
    this.#arena.endMove();
  }

  #collectList(list: number, alive: (ref: number) => boolean): void {
    const start = this.#at(START, list);
    const before = this.#at(LENGTH, list);
    const length = filter(this.#arena.wordsOf(start), offsetOf(start), before, alive);
    this.#set(LENGTH, list, length);
    if (length === 0) {
      this.#drop(list, before);
      return;
    }
    // Halves that are no longer needed go back, so that the capacity stays the next power of two.
    for (let half = capacity(before) / 2; half >= capacity(length); half /= 2) {
      this.#arena.free(start + half, half);
    }
  }

  #drop(list: number, before: number): void {
    this.#arena.free(this.#at(START, list), capacity(before));
    const name = this.#at(NAME, list);
    const values = this.#names.get(name)!;
    values.delete(this.#at(VALUE, list));
    if (values.size === 0) this.#names.delete(name);
    this.#freeLists.push(list);
  }

  /** The number of a label's list, made where there is none; good until the caller gives way. */
  listOf(name: number, value: number): number {
    let values = this.#names.get(name);
    if (!values) {
      values = new NumberMap();
      this.#names.set(name, values);
    }
    let list = values.get(value);
    if (list === undefined) {
      list = this.#newList(name, value);
      values.set(value, list);
    }
    return list;
  }

  #newList(name: number, value: number): number {
    const list = this.#freeLists.pop() ?? this.#listCount++;
    if (list >>> PAGE_BITS >= this.#pages.length) this.#pages.push(new Uint32Array(COLUMNS));
    this.#set(LENGTH, list, 0);
    this.#set(NAME, list, name);
    this.#set(VALUE, list, value);
    return list;
  }

  #at(column: number, list: number): number {
    return this.#pages[list >>> PAGE_BITS]![column + (list & PAGE_MASK)]!;
  }

  #set(column: number, list: number, value: number): void {
    this.#pages[list >>> PAGE_BITS]![column + (list & PAGE_MASK)] = value;
  }

  /** Adds a series to a list. */
  append(list: number, ref: number): void {
    const length = this.#at(LENGTH, list);
    if (length === 0) this.#set(START, list, this.#arena.take(1));
    else if (length === capacity(length)) this.#double(list, length);
    const start = this.#at(START, list);
    insert(this.#arena.wordsOf(start), offsetOf(start), length, ref);
    this.#set(LENGTH, list, length + 1);
  }

  #double(list: number, length: number): void {
    const start = this.#at(START, list);
    const from = offsetOf(start);
    const to = this.#arena.take(length * 2);
    const words = this.#arena.wordsOf(start).subarray(from, from + length);
    this.#arena.wordsOf(to).set(words, offsetOf(to));
    this.#arena.free(start, length);
    this.#set(START, list, to);
  }
}

/** The power of two that holds `length`. */
function capacity(length: number): number {
  return length <= 1 ? 1 : 2 ** (32 - Math.clz32(length - 1));
}

// New references are the largest but for those of a replayed log, which come nearly in order.
function insert(words: Uint32Array, start: number, length: number, ref: number): void {
  const end = start + length;
  let at = end;
  while (at > start && words[at - 1]! > ref) at--;
  if (at < end) words.copyWithin(at + 1, at, end);
  words[at] = ref;
}

function filter(
  words: Uint32Array,
  start: number,
  length: number,
  alive: (ref: number) => boolean,
): number {
  let kept = start;
  for (let i = start; i < start + length; i++) {
    const ref = words[i]!;
    if (alive(ref)) words[kept++] = ref;
  }
  return kept - start;
}
