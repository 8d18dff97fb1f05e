// Many label sets at a time become references: each different label is checked, interned and found in the
// postings once, whatever number of series has it.

import { METRIC_NAME } from '../../labels/labels.ts';
import { LABELS_PER_SERIES_MAX, labelProblem } from '../../labels/validate.ts';
import type { LabelSets } from '../../storage/appender.ts';
import type { Head } from './head.ts';

/** A label that was not looked at yet, and one that cannot be stored. */
const UNSEEN = -1;
const UNFIT = -2;

/**
 * Writes the references of label sets to `refs`, creating series. A set that cannot be stored, or for which
 * there is no room, is passed over.
 */
export function refsOfSets(head: Head, sets: LabelSets, refs: Uint32Array): void {
  const batch = new LabelBatch(head, sets.texts);
  for (let i = 0, from = 0; i < sets.count; i++) {
    const end = sets.ends[i]!;
    const ref = batch.refOf(sets.runs, from, end);
    if (ref > 0) refs[i] = ref;
    from = end;
  }
}

/** What is known of the labels of a batch. Good until the caller gives way: unused symbols are collected. */
class LabelBatch {
  readonly #head: Head;
  readonly #texts: readonly string[];
  /** Symbols of name and value, by the number of the label. */
  readonly #names: Int32Array;
  readonly #values: Int32Array;
  /** Numbers of postings lists, −1 where nobody needed one yet. */
  readonly #lists: Int32Array;
  readonly #metricName: number;
  readonly #symbols = new Uint32Array(LABELS_PER_SERIES_MAX * 2);

  constructor(head: Head, texts: readonly string[]) {
    const count = texts.length / 2;
    this.#head = head;
    this.#texts = texts;
    this.#names = new Int32Array(count).fill(UNSEEN);
    this.#values = new Int32Array(count);
    this.#lists = new Int32Array(count).fill(UNSEEN);
    this.#metricName = head.index.symbols.intern(METRIC_NAME);
  }

  /** The reference of the set of labels runs[from] … runs[to − 1]; −1 where there is none. */
  refOf(runs: Uint32Array, from: number, to: number): number {
    const head = this.#head;
    const { table } = head.index;
    if (to - from > LABELS_PER_SERIES_MAX || !this.#look(runs, from, to)) return -1;
    const symbols = this.#symbols;
    const count = (to - from) * 2;
    const known = table.find(symbols, count);
    if (known >= 0) {
      table.touch(known);
      return table.refOf(known);
    }
    if (!head.hasRoom) return -1;
    const ref = head.nextRef;
    const slot = head.arena.create(ref);
    table.add(slot, ref, symbols, count);
    this.#post(ref, runs, from, to);
    head.noteCreated(ref);
    head.unlogged.push(ref);
    return ref;
  }

  /** Puts a set's symbols in place; false where the set cannot be stored. */
  #look(runs: Uint32Array, from: number, to: number): boolean {
    const symbols = this.#symbols;
    let isNamed = false;
    for (let i = from, at = 0; i < to; i++) {
      const label = runs[i]!;
      if (this.#names[label] === UNSEEN) this.#intern(label);
      const name = this.#names[label]!;
      if (name === UNFIT) return false;
      if (name === this.#metricName) isNamed = true;
      symbols[at++] = name;
      symbols[at++] = this.#values[label]!;
    }
    return isNamed;
  }

  #intern(label: number): void {
    const { symbols } = this.#head.index;
    const name = this.#texts[label * 2]!;
    const value = this.#texts[label * 2 + 1]!;
    if (labelProblem(name, value) !== null || !this.#head.hasRoom) {
      this.#names[label] = UNFIT;
      return;
    }
    this.#names[label] = symbols.intern(name);
    this.#values[label] = symbols.intern(value);
  }

  #post(ref: number, runs: Uint32Array, from: number, to: number): void {
    const { lists } = this.#head.index;
    lists.addToAll(ref);
    for (let i = from; i < to; i++) {
      const label = runs[i]!;
      let list = this.#lists[label]!;
      if (list < 0) {
        list = lists.listOf(this.#names[label]!, this.#values[label]!);
        this.#lists[label] = list;
      }
      lists.append(list, ref);
    }
  }
}
