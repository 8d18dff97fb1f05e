// Label sets as immutable values: names sorted by UTF-8 bytes, no duplicate names, no empty values.

import { compareStrings } from './compare.ts';

/** The label that holds the metric's name. */
export const METRIC_NAME = '__name__';

// A lone surrogate cannot occur in text decoded from UTF-8, so it separates parts unambiguously.
const SEPARATOR = '\ud800';

/** An immutable label set. Two sets are the same series when `key` is the same. */
export class Labels {
  static readonly empty: Labels = new Labels([]);

  /** Flat [name0, value0, name1, value1, …], sorted by name. Never changed after construction. */
  readonly pairs: readonly string[];
  #key: string | undefined;

  private constructor(pairs: readonly string[]) {
    this.pairs = pairs;
  }

  /** Takes ownership of a flat pair list that is already sorted, unique and free of empty values. */
  static fromSorted(pairs: readonly string[]): Labels {
    return pairs.length === 0 ? Labels.empty : new Labels(pairs);
  }

  /** Sorts; drops empty values; a later pair wins over an earlier one of the same name. */
  static fromPairs(entries: Iterable<readonly [string, string]>): Labels {
    const byName = new Map(entries);
    const names = [...byName.keys()].filter(name => byName.get(name) !== '').sort(compareStrings);
    return Labels.fromSorted(names.flatMap(name => [name, byName.get(name)!]));
  }

  static fromObject(object: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(object));
  }

  /** Number of labels. */
  get size(): number {
    return this.pairs.length / 2;
  }

  /** The value of a label; '' where it is absent, which PromQL treats as the same thing. */
  get(name: string): string {
    const pairs = this.pairs;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1]!;
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  /** A string that is equal exactly when the label sets are equal; for use as a Map key. */
  get key(): string {
    this.#key ??= this.pairs.join(SEPARATOR);
    return this.#key;
  }

  equals(other: Labels): boolean {
    return this === other || this.key === other.key;
  }

  /** Series order: pair by pair, name before value, a prefix before the longer set. */
  compareTo(other: Labels): number {
    const a = this.pairs;
    const b = other.pairs;
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++) {
      const order = compareStrings(a[i]!, b[i]!);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }

  /** The same set with one label set to a value, or removed where the value is ''. */
  with(name: string, value: string): Labels {
    if (this.get(name) === value) return this;
    const rest = this.without([name]);
    if (value === '') return rest;
    const pairs = [...rest.pairs];
    let at = 0;
    while (at < pairs.length && compareStrings(pairs[at]!, name) < 0) at += 2;
    pairs.splice(at, 0, name, value);
    return Labels.fromSorted(pairs);
  }

  /** The set without the named labels. */
  without(names: readonly string[]): Labels {
    return this.#filter(name => !names.includes(name));
  }

  /** Only the named labels. */
  keep(names: readonly string[]): Labels {
    return this.#filter(name => names.includes(name));
  }

  /** The union; on a clash `other` wins. */
  merge(other: Labels): Labels {
    if (other.size === 0) return this;
    if (this.size === 0) return other;
    return Labels.fromPairs([...this, ...other]);
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i]!, this.pairs[i + 1]!];
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this);
  }

  /** PromQL notation: `name{a="b", c="d"}`. */
  toString(): string {
    const name = this.get(METRIC_NAME);
    const rest = [...this].filter(([n]) => n !== METRIC_NAME || name === '');
    const inner = rest.map(([n, v]) => `${n}=${JSON.stringify(v)}`).join(', ');
    if (name === '') return `{${inner}}`;
    return inner === '' ? name : `${name}{${inner}}`;
  }

  #filter(keep: (name: string) => boolean): Labels {
    const out: string[] = [];
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (keep(this.pairs[i]!)) out.push(this.pairs[i]!, this.pairs[i + 1]!);
    }
    return out.length === this.pairs.length ? this : Labels.fromSorted(out);
  }
}
