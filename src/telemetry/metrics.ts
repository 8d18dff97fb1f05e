// Our own metrics: counters, gauges and histograms in a registry that is gathered like any other source
// of samples. Recording is a few instructions; nothing is formatted before somebody asks.

import { Labels } from '../labels/labels.ts';
import { assert } from '../lifecycle/errors.ts';

export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/** One sample of a family: the full sample name is the family's name plus `suffix`. */
export interface MetricSample {
  /** '', '_bucket', '_sum', '_count', … A counter's `_total` is part of the family's name here. */
  readonly suffix: string;
  /** Without the metric name. */
  readonly labels: Labels;
  readonly value: number;
  /** Unix ms, where the sample carries its own time. */
  readonly time?: number;
}

/** A metric family as it is exposed. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly unit?: string;
  readonly samples: readonly MetricSample[];
}

/** Anything that has families to expose. */
export interface Gatherer {
  gather(): readonly MetricFamily[];
}

export interface MetricOptions {
  /** Full name; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** A number that only grows. */
export interface Counter {
  inc(by?: number): void;
}

/** A number that is set. */
export interface Gauge {
  set(value: number): void;
  add(by: number): void;
}

/** A distribution over fixed buckets. */
export interface Histogram {
  observe(value: number): void;
}

/** A metric with labels: one child for each combination of values, in the order of `labelNames`. */
export interface Vector<Child> {
  with(...values: readonly string[]): Child;
  /** Forgets one child. */
  remove(...values: readonly string[]): void;
}

/** Upper bounds in seconds that fit most waits. */
export const DURATION_BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

class Value implements Counter, Gauge {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
  set(value: number): void {
    this.value = value;
  }
  add(by: number): void {
    this.value += by;
  }
}

class Buckets implements Histogram {
  readonly counts: Float64Array;
  readonly bounds: readonly number[];
  sum = 0;
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }
  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > this.bounds[i]!) i++;
    this.counts[i]!++;
    this.sum += value;
  }
}

class Family<Child> implements Vector<Child> {
  readonly options: MetricOptions;
  readonly type: MetricType;
  readonly #newChild: () => Child;
  readonly #children = new Map<string, { labels: Labels; child: Child }>();

  constructor(options: MetricOptions, type: MetricType, newChild: () => Child) {
    this.options = options;
    this.type = type;
    this.#newChild = newChild;
    if (!options.labelNames?.length) this.with();
  }

  with(...values: readonly string[]): Child {
    const names = this.options.labelNames ?? [];
    assert(
      values.length === names.length,
      `${this.options.name} takes ${names.length} label values`,
    );
    const key = values.join('\ud800');
    let entry = this.#children.get(key);
    if (!entry) {
      const labels = Labels.fromPairs(names.map((name, i) => [name, values[i]!] as const));
      entry = { labels, child: this.#newChild() };
      this.#children.set(key, entry);
    }
    return entry.child;
  }

  remove(...values: readonly string[]): void {
    this.#children.delete(values.join('\ud800'));
  }

  gather(read: (labels: Labels, child: Child) => MetricSample[]): MetricFamily {
    const samples = [...this.#children.values()].flatMap(({ labels, child }) =>
      read(labels, child),
    );
    return { name: this.options.name, help: this.options.help, type: this.type, samples };
  }
}

/** Holds the process's metrics. Names are unique; registering one twice is a bug. */
export class Registry implements Gatherer {
  readonly #gatherers = new Map<string, () => MetricFamily>();

  counter(options: MetricOptions): Counter {
    return this.counterVector({ ...options, labelNames: [] }).with();
  }

  counterVector(options: MetricOptions): Vector<Counter> {
    return this.#values(options, 'counter');
  }

  gauge(options: MetricOptions): Gauge {
    return this.gaugeVector({ ...options, labelNames: [] }).with();
  }

  gaugeVector(options: MetricOptions): Vector<Gauge> {
    return this.#values(options, 'gauge');
  }

  /** A gauge or counter that is read when gathered. */
  observed(options: MetricOptions, type: 'gauge' | 'counter', read: () => number): void {
    const labels = Labels.empty;
    this.#register(options, () => ({
      name: options.name,
      help: options.help,
      type,
      samples: [{ suffix: '', labels, value: read() }],
    }));
  }

  /** A family whose samples, labels included, are read when gathered. */
  collected(options: MetricOptions, type: MetricType, read: () => readonly MetricSample[]): void {
    this.#register(options, () => ({
      name: options.name,
      help: options.help,
      type,
      samples: read(),
    }));
  }

  histogram(options: MetricOptions, bounds: readonly number[] = DURATION_BUCKETS): Histogram {
    return this.histogramVector({ ...options, labelNames: [] }, bounds).with();
  }

  histogramVector(
    options: MetricOptions,
    bounds: readonly number[] = DURATION_BUCKETS,
  ): Vector<Histogram> {
    const family = new Family<Buckets>(options, 'histogram', () => new Buckets(bounds));
    this.#register(options, () => family.gather(histogramSamples));
    return family;
  }

  gather(): readonly MetricFamily[] {
    return [...this.#gatherers.values()].map(read => read());
  }

  #values(options: MetricOptions, type: 'counter' | 'gauge'): Vector<Value> {
    const family = new Family<Value>(options, type, () => new Value());
    this.#register(options, () =>
      family.gather((labels, child) => [{ suffix: '', labels, value: child.value }]),
    );
    return family;
  }

  #register(options: MetricOptions, read: () => MetricFamily): void {
    assert(!this.#gatherers.has(options.name), `metric ${options.name} is registered twice`);
    this.#gatherers.set(options.name, read);
  }
}

function histogramSamples(labels: Labels, child: Buckets): MetricSample[] {
  const samples: MetricSample[] = [];
  let count = 0;
  for (let i = 0; i < child.counts.length; i++) {
    count += child.counts[i]!;
    const bound = child.bounds[i];
    const le = bound === undefined ? '+Inf' : String(bound);
    samples.push({ suffix: '_bucket', labels: labels.with('le', le), value: count });
  }
  samples.push({ suffix: '_sum', labels, value: child.sum });
  samples.push({ suffix: '_count', labels, value: count });
  return samples;
}
