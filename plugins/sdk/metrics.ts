// Metric handles over flat columns. A series has a slot; setting it writes a value and the number of the
// running collection into two typed arrays. What carries the current number is delivered, what does not
// has ended. Definitions are numbered, so that each connection is sent what it has not seen.

import { Labels } from '../../src/labels/labels.ts';
import { assert } from '../../src/lifecycle/errors.ts';

/** How a value behaves; `unknown` is "untyped" in the text format. */
export type FamilyType = 'counter' | 'gauge' | 'unknown';

export interface FamilyOptions<Names extends readonly string[]> {
  /** Full name; a counter's ends in `_total`. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Base unit, such as 'seconds', where it matters. */
  readonly unit?: string;
  /** Label names, in the order in which `with` takes their values. */
  readonly labels?: Names;
}

/** As many strings as there are label names. */
export type LabelValues<Names extends readonly string[]> = { readonly [K in keyof Names]: string };

/** Where a collector makes its metrics. Asking again for a family gives the same one. */
export interface Metrics {
  counter<const Names extends readonly string[] = []>(options: FamilyOptions<Names>): Family<Names>;
  gauge<const Names extends readonly string[] = []>(options: FamilyOptions<Names>): Family<Names>;
  untyped<const Names extends readonly string[] = []>(options: FamilyOptions<Names>): Family<Names>;
}

const INITIAL_SLOTS = 1024;
const SEPARATOR = '\ud800';
/** Collections after which the slot of a series that was not set again is given to another. */
const FORGET_AFTER = 300;

/** All series of a plugin. */
export class MetricTable {
  /** Number of the running collection; slots stamped with it are delivered. */
  generation = 0;
  values: Float64Array = new Float64Array(INITIAL_SLOTS);
  stamps: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  /** Number of the newest definition. */
  definitionSeq = 0;
  readonly families: Family<readonly string[]>[] = [];
  /** Series by slot; undefined where the slot is free. */
  readonly series: (Series | undefined)[] = [];
  readonly #byName = new Map<string, Family<readonly string[]>>();
  readonly #free: number[] = [];
  readonly #seriesMax: number;
  #refused = 0;

  /** Series beyond `seriesMax` are not kept; `refused` counts the values set to them. */
  constructor(seriesMax = 1_000_000) {
    this.#seriesMax = seriesMax;
  }

  /** Values set to series beyond the limit, in all. */
  get refused(): number {
    return this.#refused;
  }

  /** A view for one collector; `collector` is told with each family. */
  metricsOf(collector: string): Metrics {
    return {
      counter: options => this.#family('counter', collector, options),
      gauge: options => this.#family('gauge', collector, options),
      untyped: options => this.#family('unknown', collector, options),
    };
  }

  /** Begins a collection: nothing is set yet. */
  begin(): void {
    this.generation++;
  }

  /** Gives a slot to a series that is set for the first time or again after it was forgotten; -1: full. */
  attach(series: Series): number {
    const slot = this.#free.pop() ?? this.series.length;
    if (slot >= this.#seriesMax) {
      this.#refused++;
      return -1;
    }
    if (slot >= this.values.length) this.#grow();
    this.series[slot] = series;
    const family = series.family;
    if (family.definedAt === 0) family.definedAt = ++this.definitionSeq;
    series.definedAt = ++this.definitionSeq;
    return slot;
  }

  /**
   * Writes slots and values of all series set in this collection to the front of the columns, in slot
   * order, and returns how many; the columns must hold `series.length`.
   */
  gather(ids: Uint32Array, values: Float64Array): number {
    let count = 0;
    for (let slot = 0; slot < this.series.length; slot++) {
      if (this.stamps[slot] === this.generation) {
        ids[count] = slot;
        values[count++] = this.values[slot]!;
      } else if (this.generation - this.stamps[slot]! > FORGET_AFTER) {
        this.#forget(slot);
      }
    }
    return count;
  }

  #forget(slot: number): void {
    const series = this.series[slot];
    if (!series) return;
    series.detach();
    this.series[slot] = undefined;
    this.#free.push(slot);
  }

  #family<Names extends readonly string[]>(
    type: FamilyType,
    collector: string,
    options: FamilyOptions<Names>,
  ): Family<Names> {
    const labels = options.labels ?? [];
    const known = this.#byName.get(options.name);
    if (known) {
      const same = known.type === type && known.labelNames.join() === labels.join();
      assert(same, `metric ${options.name} is made twice, with another type or other labels`);
      return known as Family<readonly string[]> as Family<Names>;
    }
    const family = new Family<Names>(this, { ...options, type, collector, labels });
    this.#byName.set(options.name, family as Family<readonly string[]>);
    this.families.push(family as Family<readonly string[]>);
    return family;
  }

  #grow(): void {
    const values = new Float64Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
    const stamps = new Uint32Array(this.stamps.length * 2);
    stamps.set(this.stamps);
    this.stamps = stamps;
  }
}

interface FamilyFields {
  readonly name: string;
  readonly help: string;
  readonly unit?: string;
  readonly type: FamilyType;
  readonly collector: string;
  readonly labels: readonly string[];
}

/** A metric with its series. */
export class Family<Names extends readonly string[]> {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly unit: string;
  readonly collector: string;
  readonly labelNames: readonly string[];
  /** Number of its definition; 0 before it has a series. */
  definedAt = 0;
  readonly #table: MetricTable;
  readonly #children = new Map<string, Series>();

  constructor(table: MetricTable, fields: FamilyFields) {
    this.#table = table;
    this.name = fields.name;
    this.type = fields.type;
    this.help = fields.help;
    this.unit = fields.unit ?? '';
    this.collector = fields.collector;
    this.labelNames = fields.labels;
  }

  /**
   * The series with these label values, always the same object while it is in use. Keep it: setting it
   * costs nothing, finding it builds a key.
   */
  with(...values: LabelValues<Names>): Series {
    const texts: readonly string[] = values;
    const key = texts.length === 1 ? texts[0]! : texts.join(SEPARATOR);
    let child = this.#children.get(key);
    if (!child) {
      const labels = Labels.fromPairs(this.labelNames.map((name, i) => [name, texts[i]!] as const));
      child = new Series(this.#table, this, labels, key);
      this.#children.set(key, child);
    }
    return child;
  }

  /** For Series: its slot is gone, so a later `with` makes a new one. */
  drop(key: string, series: Series): void {
    if (this.#children.get(key) === series) this.#children.delete(key);
  }

  /** For Series: it is in use again, unless another has taken its place; returns the one that counts. */
  keep(key: string, series: Series): Series {
    const current = this.#children.get(key);
    if (current) return current;
    this.#children.set(key, series);
    return series;
  }
}

/** One series of a family. */
export class Series {
  readonly family: Family<readonly string[]>;
  /** Without the metric name. */
  readonly labels: Labels;
  /** Number of its newest definition. */
  definedAt = 0;
  readonly #table: MetricTable;
  readonly #key: string;
  #slot = -1;

  constructor(table: MetricTable, family: Family<readonly string[]>, labels: Labels, key: string) {
    this.#table = table;
    this.family = family;
    this.labels = labels;
    this.#key = key;
  }

  /** The value in this collection. A series that is not set in a collection has ended. */
  set(value: number): void {
    if (this.#slot === -1) this.#setDetached(value);
    else this.#write(value);
  }

  /** For MetricTable: the slot is taken away. */
  detach(): void {
    this.#slot = -1;
    this.family.drop(this.#key, this);
  }

  #setDetached(value: number): void {
    const current = this.family.keep(this.#key, this);
    if (current !== this) {
      current.set(value);
      return;
    }
    this.#slot = this.#table.attach(this);
    if (this.#slot === -1) this.detach();
    else this.#write(value);
  }

  #write(value: number): void {
    const table = this.#table;
    table.values[this.#slot] = value;
    table.stamps[this.#slot] = table.generation;
  }
}
