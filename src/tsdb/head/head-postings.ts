// Which series have a label: sorted lists of references for each name and value, in one arena. Lists grow
// in powers of two; most hold one series or a handful.

import type { Slicer } from '../../lifecycle/slicer.ts';
import { SpanArena } from './span-arena.ts';

const INITIAL_LISTS = 1024;
const SLICE_LISTS = 256;

/** Postings by symbols of name and value. Lists handed out are copies. */
export class HeadPostings {
  /** List numbers by value, by name. */
  readonly #names = new Map<number, Map<number, number>>();
  readonly #arena = new SpanArena();
  #starts = new Uint32Array(INITIAL_LISTS);
  #lengths = new Uint32Array(INITIAL_LISTS);
  #listNames = new Uint32Array(INITIAL_LISTS);
  #listValues = new Uint32Array(INITIAL_LISTS);
  #listCount = 0;
  readonly #freeLists: number[] = [];
  #all = new Uint32Array(INITIAL_LISTS);
  #allLength = 0;

  /** Bytes of the flat arrays, about. */
  get bytes(): number {
    return this.#arena.bytes + this.#starts.length * 16 + this.#all.byteLength;
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
    const start = this.#starts[list]!;
    return this.#arena.words.slice(start, start + this.#lengths[list]!);
  }

  /** How many series have a label. */
  count(name: number, value: number): number {
    const list = this.#names.get(name)?.get(value);
    return list === undefined ? 0 : this.#lengths[list]!;
  }

  /** The oldest series with a label, undefined where nobody has it. */
  first(name: number, value: number): number | undefined {
    const list = this.#names.get(name)?.get(value);
    return list === undefined ? undefined : this.#arena.words[this.#starts[list]!];
  }

  /** Names that some series have. */
  names(): IterableIterator<number> {
    return this.#names.keys();
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

  #collectList(list: number, alive: (ref: number) => boolean): void {
    const start = this.#starts[list]!;
    const before = this.#lengths[list]!;
    const length = filter(this.#arena.words, start, before, alive);
    this.#lengths[list] = length;
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
    this.#arena.free(this.#starts[list]!, capacity(before));
    const values = this.#names.get(this.#listNames[list]!)!;
    values.delete(this.#listValues[list]!);
    if (values.size === 0) this.#names.delete(this.#listNames[list]!);
    this.#freeLists.push(list);
  }

  /** The number of a label's list, made where there is none; good until the caller gives way. */
  listOf(name: number, value: number): number {
    let values = this.#names.get(name);
    if (!values) {
      values = new Map();
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
    if (list >= this.#starts.length) this.#growLists();
    this.#lengths[list] = 0;
    this.#listNames[list] = name;
    this.#listValues[list] = value;
    return list;
  }

  #growLists(): void {
    const grow = (from: Uint32Array): Uint32Array<ArrayBuffer> => {
      const to = new Uint32Array(Math.ceil(from.length * 1.5));
      to.set(from);
      return to;
    };
    this.#starts = grow(this.#starts);
    this.#lengths = grow(this.#lengths);
    this.#listNames = grow(this.#listNames);
    this.#listValues = grow(this.#listValues);
  }

  /** Adds a series to a list. */
  append(list: number, ref: number): void {
    const length = this.#lengths[list]!;
    if (length === 0) this.#starts[list] = this.#arena.take(1);
    else if (length === capacity(length)) {
      const from = this.#starts[list]!;
      const to = this.#arena.take(length * 2);
      this.#arena.words.copyWithin(to, from, from + length);
      this.#arena.free(from, length);
      this.#starts[list] = to;
    }
    insert(this.#arena.words, this.#starts[list]!, length, ref);
    this.#lengths[list] = length + 1;
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
