// The newest value of every collected series, for `/metrics`. Series are announced once; a collection
// only overwrites numbers in place, and an exposition walks lines that were rendered when announced.

import type { FamilyDescription } from '../plugins/host/sink.ts';
import type { Exposition } from '../src/exposition/negotiate.ts';
import { SeriesTable } from '../src/exposition/series-table.ts';
import type { Labels } from '../src/labels/labels.ts';
import { isStaleAt, setStale } from '../src/storage/stale.ts';
import type { MetricFamily, MetricSample } from '../src/telemetry/metrics.ts';

/** How collectors fare: one family for all, whose series are each of the collector in their label. */
const TOLD_BY_LABEL = /^node_scrape_collector_(duration_seconds|cpu_seconds_total|success)$/;
const INITIAL_SERIES = 1024;
// Formats and escaping schemes are few; a reader cannot make us keep more tables than this.
const TABLES_MAX = 8;

interface LatestSeries {
  readonly familyName: string;
  readonly labels: Labels;
  readonly suffix: string;
}

/** One source's newest samples. Rows are the source's series ids. */
export class LatestTable {
  readonly #families = new Map<string, FamilyDescription>();
  readonly #series = new Map<number, LatestSeries>();
  readonly #tables = new Map<string, SeriesTable>();
  // A row that was not part of the last collection holds the staleness marker, which has no line.
  #values = new Float64Array(INITIAL_SERIES);
  #seen = new Uint32Array(INITIAL_SERIES);
  #collection = 0;

  /** Announces a family; a second announcement of a name replaces its description. */
  family(description: FamilyDescription): void {
    this.#families.set(description.name, description);
    for (const table of this.#tables.values()) table.addFamily(description);
  }

  /** Announces the series of a row; false where its family is unknown. */
  series(row: number, familyName: string, labels: Labels, suffix = ''): boolean {
    if (!this.#families.has(familyName)) return false;
    this.#forget(row);
    this.#reserve(row);
    this.#series.set(row, { familyName, labels, suffix });
    for (const table of this.#tables.values()) {
      table.addSeries(familyName, { slot: row, suffix, labels });
    }
    return true;
  }

  /** What is known of each announced family. */
  get families(): ReadonlyMap<string, FamilyDescription> {
    return this.#families;
  }

  /** The collectors that run: those with families, and those that told how they fared. */
  collectors(): string[] {
    const families = [...this.#families.values()].filter(({ name }) => !TOLD_BY_LABEL.test(name));
    const told = [...this.#series].filter(([, { familyName }]) => TOLD_BY_LABEL.test(familyName));
    return [
      ...new Set([
        ...families.map(family => family.collector),
        ...told.map(([row]) => this.#collectorOf(row)),
      ]),
    ];
  }

  /** Stores a collection: values[i] at ids[i], bits kept. Rows that are missing are no longer exposed. */
  collected(ids: Uint32Array, values: Float64Array, count: number): void {
    this.#collection++;
    this.added(ids, values, count);
    for (const row of this.#series.keys()) {
      if (this.#seen[row] !== this.#collection) setStale(this.#values, row);
    }
  }

  /** Stores samples beside those there are. */
  added(ids: Uint32Array, values: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const row = ids[i]!;
      if (row >= this.#values.length) continue; // never announced; ingest counts it
      this.#values[row] = values[i]!;
      this.#seen[row] = this.#collection;
    }
  }

  /** Takes rows out of the exposition. */
  ended(rows: readonly number[]): void {
    for (const row of rows) if (row < this.#values.length) setStale(this.#values, row);
  }

  /** True where the row was part of the last collection. */
  isCurrent(row: number): boolean {
    return this.#collection > 0 && this.#seen[row] === this.#collection;
  }

  /** Drops everything. */
  clear(): void {
    this.#families.clear();
    this.#series.clear();
    this.#tables.clear();
    this.#collection = 0;
    this.#seen.fill(0);
  }

  /** The families that `wanted` accepts by collector, without the format's trailer. */
  render(exposition: Exposition, wanted: (collector: string) => boolean): string {
    return this.#table(exposition).render(this.#values, name => {
      if (TOLD_BY_LABEL.test(name)) return row => wanted(this.#collectorOf(row));
      return wanted(this.#families.get(name)?.collector ?? '');
    });
  }

  /** The families that `wanted` accepts by collector, with the newest samples of those that have some. */
  exposed(wanted: (collector: string) => boolean): MetricFamily[] {
    const samples = new Map<string, MetricSample[]>();
    for (const [row, { familyName, labels, suffix }] of this.#series) {
      if (isStaleAt(this.#values, row) || !wanted(this.#collectorOf(row))) continue;
      const own = samples.get(familyName) ?? [];
      if (own.length === 0) samples.set(familyName, own);
      own.push({ suffix, labels, value: this.#values[row]! });
    }
    return [...this.#families.values()]
      .filter(({ name }) => samples.has(name))
      .map(family => ({ ...family, samples: samples.get(family.name)! }));
  }

  /** The collector a row is of. */
  #collectorOf(row: number): string {
    const series = this.#series.get(row);
    if (series === undefined) return '';
    const { familyName, labels } = series;
    if (!TOLD_BY_LABEL.test(familyName)) return this.#families.get(familyName)?.collector ?? '';
    // An instance is told as collector/instance.
    return labels.get('collector').split('/', 1)[0]!;
  }

  #table(exposition: Exposition): SeriesTable {
    const known = this.#tables.get(exposition.contentType);
    if (known) return known;
    if (this.#tables.size >= TABLES_MAX) this.#tables.clear();
    const table = new SeriesTable(exposition.dialect);
    for (const family of this.#families.values()) table.addFamily(family);
    for (const [slot, { familyName, labels, suffix }] of this.#series) {
      table.addSeries(familyName, { slot, suffix, labels });
    }
    this.#tables.set(exposition.contentType, table);
    return table;
  }

  #forget(row: number): void {
    const known = this.#series.get(row);
    if (!known) return;
    this.#series.delete(row);
    for (const table of this.#tables.values()) table.removeSeries(known.familyName, row);
  }

  #reserve(row: number): void {
    if (row < this.#values.length) return;
    const capacity = Math.max(row + 1, this.#values.length * 2);
    const values = new Float64Array(capacity);
    values.set(this.#values);
    this.#values = values;
    const seen = new Uint32Array(capacity);
    seen.set(this.#seen);
    this.#seen = seen;
  }
}
