// Metric handles over flat columns. A series has a slot; setting it writes a value and the number of the
// running collection into two typed arrays. What carries the current number is delivered, what does not
// has ended. Definitions are numbered, so that each connection is sent what it has not seen.

import { formatTextFloat } from '../../src/encoding/format-float.ts';
import { Labels } from '../../src/labels/labels.ts';
import { assert } from '../../src/lifecycle/errors.ts';
import type { MetricType } from '../../src/telemetry/metrics.ts';

/** How a value behaves; `unknown` is "untyped" in the text format. */
export type FamilyType = MetricType;

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
  /** Cumulative buckets that something else counts, such as the kernel. */
  histogram<const Names extends readonly string[] = []>(
    options: FamilyOptions<Names>,
  ): HistogramFamily<Names>;
  /** Quantiles that something else works out. */
  summary<const Names extends readonly string[] = []>(
    options: FamilyOptions<Names>,
  ): SummaryFamily<Names>;
  /** Samples of any labels; null where another collector has a metric of this name, or its type differs. */
  relayed(options: RelayedOptions): RelayedFamily | null;
}

/** Samples that something else wrote, whose labels nobody knows beforehand. */
export interface RelayedFamily {
  /** The series with this suffix of the family's name ('' or as in '_bucket') and these labels. */
  series(suffix: string, labels: readonly (readonly [name: string, value: string])[]): Series;
}

/** What is known of relayed samples. */
export interface RelayedOptions {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
}

/** The series of a histogram. All buckets of one set of labels are set together, `+Inf` included. */
export interface HistogramFamily<Names extends readonly string[]> {
  /** Observations of at most `le`, Infinity for all: `<name>_bucket{le="…"}`. */
  bucket(le: number, ...values: LabelValues<Names>): Series;
  /** `<name>_sum`. */
  sum(...values: LabelValues<Names>): Series;
  /** `<name>_count`. */
  count(...values: LabelValues<Names>): Series;
}

/** The series of a summary. */
export interface SummaryFamily<Names extends readonly string[]> {
  /** `<name>{quantile="…"}`, from 0 to 1. */
  quantile(quantile: number, ...values: LabelValues<Names>): Series;
  /** `<name>_sum`. */
  sum(...values: LabelValues<Names>): Series;
  /** `<name>_count`. */
  count(...values: LabelValues<Names>): Series;
}

/** Whose metrics they are. Series of two scopes are told apart even where they look the same. */
export interface MetricScope {
  /** Unique in the plugin; the collector's name where it is absent. */
  readonly name?: string;
  /** Added to every series; its own labels win. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What travels once for all series of one metric name. */
export interface FamilyDefinition {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly unit: string;
  /** The collector that made it first. */
  readonly collector: string;
  /** Number of its definition; 0 before it has a series. */
  definedAt: number;
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
  /** The collection in which a slot was last set. */
  stamps: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  /** Number of the newest definition. */
  definitionSeq = 0;
  readonly families: FamilyDefinition[] = [];
  /** Series by slot; undefined where the slot is free. */
  readonly series: (Series | undefined)[] = [];
  /** The collection in which a slot's older value was last delivered again. */
  #repeats: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  readonly #definitions = new Map<string, FamilyDefinition & { readonly labels: string }>();
  readonly #handles = new Map<string, Family<readonly string[]>>();
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
  metricsOf(collector: string, scope: MetricScope = {}): Metrics {
    const owner = { collector, scope: scope.name ?? collector, labels: scope.labels ?? {} };
    return {
      counter: options => this.#family('counter', owner, options),
      gauge: options => this.#family('gauge', owner, options),
      untyped: options => this.#family('unknown', owner, options),
      histogram: options => this.#histogram(owner, options),
      summary: options => this.#summary(owner, options),
      relayed: options => this.#relayed(owner, options),
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
    this.#repeats[slot] = 0;
    const { definition } = series.family;
    if (definition.definedAt === 0) definition.definedAt = ++this.definitionSeq;
    series.definedAt = ++this.definitionSeq;
    return slot;
  }

  /** True where the slot's value is delivered with the running collection. */
  isCurrent(slot: number): boolean {
    return this.stamps[slot] === this.generation || this.#repeats[slot] === this.generation;
  }

  /** The slots of a scope that were set in collection `since` or after it. */
  slotsOf(scope: string, since: number): Uint32Array {
    const slots: number[] = [];
    for (let slot = 0; slot < this.series.length; slot++) {
      if (this.stamps[slot]! >= since && this.series[slot]?.family.scope === scope)
        slots.push(slot);
    }
    return Uint32Array.from(slots);
  }

  /** Delivers the values these slots have once more, in the running collection. */
  repeat(slots: Uint32Array): void {
    for (const slot of slots) this.#repeats[slot] = this.generation;
  }

  /**
   * Writes slots and values of all series set or repeated in this collection to the front of the columns,
   * in slot order, and returns how many; the columns must hold `series.length`.
   */
  gather(ids: Uint32Array, values: Float64Array): number {
    let count = 0;
    for (let slot = 0; slot < this.series.length; slot++) {
      if (this.isCurrent(slot)) {
        ids[count] = slot;
        values[count++] = this.values[slot]!;
      } else if (
        this.generation - Math.max(this.stamps[slot]!, this.#repeats[slot]!) >
        FORGET_AFTER
      ) {
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
    owner: Owner,
    options: FamilyOptions<Names>,
  ): Family<Names> {
    return this.#handle(this.#define(type, owner, options), owner, {
      suffix: '',
      labels: options.labels ?? [],
    }) as Family<readonly string[]> as Family<Names>;
  }

  #histogram<Names extends readonly string[]>(
    owner: Owner,
    options: FamilyOptions<Names>,
  ): HistogramFamily<Names> {
    const definition = this.#define('histogram', owner, options);
    const labels = options.labels ?? [];
    const bucket = this.#handle(definition, owner, {
      suffix: '_bucket',
      labels: [...labels, 'le'],
    });
    return {
      bucket: (le, ...values) => bucket.with(...values, formatTextFloat(le)),
      ...this.#sumAndCount<Names>(definition, owner, labels),
    };
  }

  #summary<Names extends readonly string[]>(
    owner: Owner,
    options: FamilyOptions<Names>,
  ): SummaryFamily<Names> {
    const definition = this.#define('summary', owner, options);
    const labels = options.labels ?? [];
    const own = this.#handle(definition, owner, { suffix: '', labels: [...labels, 'quantile'] });
    return {
      quantile: (quantile, ...values) => own.with(...values, formatTextFloat(quantile)),
      ...this.#sumAndCount<Names>(definition, owner, labels),
    };
  }

  #relayed(owner: Owner, { name, type, help }: RelayedOptions): RelayedFamily | null {
    const known = this.#definitions.get(name);
    if (known && (known.collector !== owner.collector || known.type !== type)) return null;
    const definition = known ?? this.#define(type, owner, { name, help });
    return {
      series: (suffix, labels) =>
        this.#handle(definition, owner, { suffix, labels: [] }).withPairs(labels),
    };
  }

  #sumAndCount<Names extends readonly string[]>(
    definition: FamilyDefinition,
    owner: Owner,
    labels: readonly string[],
  ): Pick<HistogramFamily<Names>, 'sum' | 'count'> {
    const sum = this.#handle(definition, owner, { suffix: '_sum', labels });
    const count = this.#handle(definition, owner, { suffix: '_count', labels });
    return { sum: (...values) => sum.with(...values), count: (...values) => count.with(...values) };
  }

  #define<Names extends readonly string[]>(
    type: FamilyType,
    { collector }: Owner,
    { name, help, unit = '', labels = [] as unknown as Names }: FamilyOptions<Names>,
  ): FamilyDefinition {
    const known = this.#definitions.get(name);
    if (known) {
      const same = known.type === type && known.labels === labels.join();
      assert(same, `metric ${name} is made twice, with another type or other labels`);
      return known;
    }
    const labelNames = labels.join();
    const definition = { name, type, help, unit, collector, definedAt: 0, labels: labelNames };
    this.#definitions.set(name, definition);
    this.families.push(definition);
    return definition;
  }

  #handle(
    definition: FamilyDefinition,
    { scope, labels: constant }: Owner,
    { suffix, labels }: { readonly suffix: string; readonly labels: readonly string[] },
  ): Family<readonly string[]> {
    const key = [scope, definition.name, suffix, JSON.stringify(constant)].join(SEPARATOR);
    let family = this.#handles.get(key);
    if (!family) {
      family = new Family(this, { definition, suffix, scope, labels, constant });
      this.#handles.set(key, family);
    }
    return family;
  }

  #grow(): void {
    const length = this.values.length * 2;
    const values = new Float64Array(length);
    values.set(this.values);
    this.values = values;
    const stamps = new Uint32Array(length);
    stamps.set(this.stamps);
    this.stamps = stamps;
    const repeats = new Uint32Array(length);
    repeats.set(this.#repeats);
    this.#repeats = repeats;
  }
}

interface Owner {
  readonly collector: string;
  readonly scope: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface FamilyFields {
  readonly definition: FamilyDefinition;
  readonly suffix: string;
  readonly scope: string;
  readonly labels: readonly string[];
  readonly constant: Readonly<Record<string, string>>;
}

/** A metric with its series. */
export class Family<Names extends readonly string[]> {
  readonly definition: FamilyDefinition;
  /** What its series' names have after the family's: '_bucket', '_sum', '_count' or nothing. */
  readonly suffix: string;
  readonly scope: string;
  readonly labelNames: readonly string[];
  readonly #constant: readonly (readonly [string, string])[];
  readonly #table: MetricTable;
  readonly #children = new Map<string, Series>();

  constructor(table: MetricTable, fields: FamilyFields) {
    this.#table = table;
    this.definition = fields.definition;
    this.suffix = fields.suffix;
    this.scope = fields.scope;
    this.labelNames = fields.labels;
    this.#constant = Object.entries(fields.constant).filter(([n]) => !fields.labels.includes(n));
  }

  /** The metric's name, without the suffix of its series. */
  get name(): string {
    return this.definition.name;
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
      const own = this.labelNames.map((name, i) => [name, texts[i]!] as const);
      const labels = Labels.fromPairs([...this.#constant, ...own]);
      child = new Series(this.#table, this, labels, key);
      this.#children.set(key, child);
    }
    return child;
  }

  /** The series with exactly these labels beside those of the scope. */
  withPairs(pairs: readonly (readonly [name: string, value: string])[]): Series {
    const labels = Labels.fromPairs([...this.#constant, ...pairs]);
    const child =
      this.#children.get(labels.key) ?? new Series(this.#table, this, labels, labels.key);
    this.#children.set(labels.key, child);
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
