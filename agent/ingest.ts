// From a plugin's columns to the database and to the latest values. A series is resolved to its
// reference once; a steady collection copies numbers and allocates nothing per sample.

import type { FamilyDescription, SampleSink, SampleSource } from '../plugins/host/sink.ts';
import { type Labels, METRIC_NAME } from '../src/labels/labels.ts';
import { OutpostError } from '../src/lifecycle/errors.ts';
import type { Appendable, Appender, CommitResult, SeriesRef } from '../src/storage/appender.ts';
import type { Counter, Gauge, Registry, Vector } from '../src/telemetry/metrics.ts';
import type { EventLog } from './events.ts';
import { LatestTable } from './latest.ts';

export interface IngestOptions {
  readonly storage: Appendable;
  readonly registry: Registry;
  readonly events: EventLog;
  /** Added to every stored series, below its own labels: job, instance. */
  readonly targetLabels: Labels;
  /** Unix ms, to tell how long collections take. */
  readonly now?: () => number;
}

/** The sink of the plugin host. One source per plugin. */
export class Ingest implements SampleSink {
  readonly #options: IngestOptions;
  readonly #sources = new Map<string, Source>();
  readonly #metrics: IngestMetrics;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#metrics = new IngestMetrics(options.registry);
  }

  source(plugin: string): SampleSource {
    const source = new Source(plugin, this.#options, this.#metrics);
    this.#sources.set(plugin, source);
    return source;
  }

  /** The sources that were opened, by plugin. */
  get sources(): ReadonlyMap<string, Source> {
    return this.#sources;
  }
}

class IngestMetrics {
  readonly samples: Counter;
  readonly refused: Vector<Counter>;
  readonly lost: Counter;
  readonly series: Vector<Gauge>;

  constructor(registry: Registry) {
    this.samples = registry.counter({
      name: 'agent_ingest_samples_total',
      help: 'Collected samples stored in the local database.',
    });
    this.refused = registry.counterVector({
      name: 'agent_ingest_refused_samples_total',
      help: 'Collected samples the database did not take, by reason.',
      labelNames: ['reason'],
    });
    this.lost = registry.counter({
      name: 'agent_ingest_lost_samples_total',
      help: 'Collected samples that could not be written, for instance because the disk was full.',
    });
    this.series = registry.gaugeVector({
      name: 'agent_ingest_series',
      help: 'Series of the last collection, by plugin.',
      labelNames: ['plugin'],
    });
  }
}

/** One plugin's stream into the database. */
class Source implements SampleSource {
  readonly latest: LatestTable = new LatestTable();
  /** Unix ms of the last collection that arrived; 0 before the first and after the end. */
  lastCollected = 0;
  /** How long the last collection took, from its time on the grid until it arrived; ms. */
  lastCollectionMs = 0;
  readonly #plugin: string;
  readonly #options: IngestOptions;
  readonly #metrics: IngestMetrics;
  readonly #labels = new Map<number, Labels>();
  /** Announced families whose metadata the database does not have yet. */
  #described: FamilyDescription[] = [];
  #refs = new Float64Array(1024).fill(UNRESOLVED);
  #batchRefs = new Uint32Array(1024);
  #batchValues = new Float64Array(1024);
  #previous: Uint32Array = new Uint32Array(0);
  /** The event that told why nothing is stored; null while samples are. */
  #current: string | null = null;

  constructor(plugin: string, options: IngestOptions, metrics: IngestMetrics) {
    this.#plugin = plugin;
    this.#options = options;
    this.#metrics = metrics;
  }

  family(family: FamilyDescription): void {
    this.latest.family(family);
    this.#described.push(family);
  }

  series(id: number, familyName: string, labels: Labels, suffix = ''): void {
    if (!this.latest.series(id, familyName, labels, suffix)) return;
    const name = familyName + suffix;
    const stored = this.#options.targetLabels.merge(labels).with(METRIC_NAME, name);
    this.#labels.set(id, stored);
    this.#reserve(id + 1);
    this.#refs[id] = UNRESOLVED;
  }

  async collected(
    time: number,
    ids: Uint32Array,
    values: Float64Array,
    count: number,
  ): Promise<void> {
    this.latest.collected(ids, values, count);
    this.lastCollected = time;
    this.lastCollectionMs = Math.max(0, (this.#options.now?.() ?? time) - time);
    this.#metrics.series.with(this.#plugin).set(count);
    const ended = this.#ended();
    await this.#write(appender => {
      const queued = this.#queue(appender, ids, values, count);
      appender.appendColumns(this.#batchRefs, Float64Array.of(time), this.#batchValues, queued);
      for (const id of ended) this.#appendStale(appender, id, time);
      return queued;
    });
    for (const id of ended) this.#forget(id);
    this.#previous = ids.slice(0, count);
  }

  async added(
    time: number,
    { ids, values, count }: Parameters<SampleSource['added']>[1],
    ended: readonly number[],
  ): Promise<void> {
    this.latest.added(ids, values, count);
    this.latest.ended(ended);
    this.lastCollected = time;
    await this.#write(appender => {
      const queued = this.#queue(appender, ids, values, count);
      appender.appendColumns(this.#batchRefs, Float64Array.of(time), this.#batchValues, queued);
      for (const id of ended) this.#appendStale(appender, id, time);
      return queued;
    });
    const living = new Set([...this.#previous, ...ids.subarray(0, count)]);
    for (const id of ended) {
      this.#forget(id);
      living.delete(id);
    }
    this.#previous = Uint32Array.from(living);
    this.#metrics.series.with(this.#plugin).set(living.size);
  }

  async close(time: number): Promise<void> {
    const ids = [...this.#previous].filter(id => this.#labels.has(id));
    this.lastCollected = 0;
    this.latest.clear();
    await this.#write(appender => {
      for (const id of ids) this.#appendStale(appender, id, time);
      return ids.length;
    });
    this.#labels.clear();
    this.#refs.fill(UNRESOLVED);
    this.#previous = new Uint32Array(0);
    this.#metrics.series.remove(this.#plugin);
  }

  /** Ids of the previous collection that are missing in the current one. */
  #ended(): number[] {
    const ended: number[] = [];
    for (const id of this.#previous) if (!this.latest.isCurrent(id)) ended.push(id);
    return ended;
  }

  /** Fills the batch columns; returns how many samples are in them. */
  #queue(appender: Appender, ids: Uint32Array, values: Float64Array, count: number): number {
    if (this.#batchRefs.length < count) {
      this.#batchRefs = new Uint32Array(count * 2);
      this.#batchValues = new Float64Array(count * 2);
    }
    let queued = 0;
    for (let i = 0; i < count; i++) {
      const ref = this.#resolve(appender, ids[i]!);
      if (ref === UNRESOLVED) continue;
      this.#batchRefs[queued] = ref;
      this.#batchValues[queued++] = values[i]!;
    }
    return queued;
  }

  /** The database's reference of a series, UNRESOLVED where it cannot be stored (counted). */
  #resolve(appender: Appender, id: number): SeriesRef {
    const known = this.#refs[id];
    if (known !== undefined && known !== UNRESOLVED) return known;
    const labels = this.#labels.get(id);
    if (!labels) {
      this.#metrics.refused.with('unknown-series').inc();
      return UNRESOLVED;
    }
    try {
      const ref = appender.series(labels);
      this.#refs[id] = ref;
      return ref;
    } catch (error) {
      this.#metrics.refused.with(OutpostError.from(error).code).inc();
      return UNRESOLVED;
    }
  }

  #appendStale(appender: Appender, id: number, time: number): void {
    const ref = this.#resolve(appender, id);
    if (ref !== UNRESOLVED) appender.appendStale(ref, time);
  }

  #forget(id: number): void {
    // The plugin may send the series again under the same id, so its labels stay.
    this.#refs[id] = UNRESOLVED;
  }

  async #write(fill: (appender: Appender) => number): Promise<void> {
    const appender = this.#options.storage.appender();
    const described = this.#described;
    this.#described = [];
    for (const { name, type, help, unit } of described)
      appender.metadata(name, { type, help, unit });
    const queued = fill(appender);
    try {
      this.#account(await appender.commit());
    } catch (error) {
      this.#described = [...described, ...this.#described];
      this.#metrics.lost.inc(queued);
      const { message } = OutpostError.from(error);
      this.#trouble('ingest.paused', `samples are lost until this is mended: ${message}`);
    }
  }

  #account(result: CommitResult): void {
    this.#metrics.samples.inc(result.stored);
    for (const [reason, count] of result.refused) {
      this.#metrics.refused.with(reason).inc(count);
      // The series was collected as empty meanwhile; the next collection makes it anew.
      if (reason === 'unknown-series') this.#refs.fill(UNRESOLVED);
    }
    const [example] = result.examples;
    if (result.stored === 0 && example && example.reason !== 'unknown-series') {
      const time = new Date(example.time).toISOString();
      this.#trouble(
        'ingest.refused',
        `every collected sample is refused, first one of ${time} as ${example.reason}; if the clock stepped back, this ends when it has caught up`,
      );
    } else if (result.stored > 0 && this.#current !== null) {
      this.#current = null;
      this.#event('info', 'ingest.resumed', 'the database takes samples again');
    }
  }

  // One event when writing stops and one when it works again, not one for each collection between.
  #trouble(name: string, message: string): void {
    if (this.#current === name) return;
    this.#current = name;
    this.#event('error', name, message);
  }

  #event(severity: 'info' | 'error', name: string, message: string): void {
    this.#options.events.add({ name, severity, message, attributes: { plugin: this.#plugin } });
  }

  #reserve(count: number): void {
    if (count <= this.#refs.length) return;
    const grown = new Float64Array(Math.max(count, this.#refs.length * 2)).fill(UNRESOLVED);
    grown.set(this.#refs);
    this.#refs = grown;
  }
}

const UNRESOLVED = -1;

export type { Source as IngestSource };
