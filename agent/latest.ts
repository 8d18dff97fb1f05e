// The newest value of every collected series, for `/metrics`. Series are announced once; a collection
// only overwrites numbers in place.

import type { FamilyDescription } from '../plugins/host/sink.ts';
import type { Labels } from '../src/labels/labels.ts';
import type { MetricFamily, MetricSample } from '../src/telemetry/metrics.ts';

const INITIAL_SERIES = 1024;

interface LatestSeries {
  readonly labels: Labels;
  /** Row in the value column. */
  readonly row: number;
}

interface LatestFamily {
  readonly description: FamilyDescription;
  readonly series: Set<LatestSeries>;
}

/** One source's newest samples. Rows are the source's series ids. */
export class LatestTable {
  readonly #families = new Map<string, LatestFamily>();
  readonly #byRow = new Map<number, { family: LatestFamily; series: LatestSeries }>();
  #values = new Float64Array(INITIAL_SERIES);
  #seen = new Uint32Array(INITIAL_SERIES);
  #collection = 0;

  /** Announces a family; a second announcement of a name replaces its description. */
  family(description: FamilyDescription): void {
    const known = this.#families.get(description.name);
    this.#families.set(description.name, { description, series: known?.series ?? new Set() });
  }

  /** Announces the series of a row; false where its family is unknown. */
  series(row: number, familyName: string, labels: Labels): boolean {
    const family = this.#families.get(familyName);
    if (!family) return false;
    this.forget(row);
    const series = { labels, row };
    family.series.add(series);
    this.#byRow.set(row, { family, series });
    this.#reserve(row);
    return true;
  }

  /** Starts a collection; rows that are not set in it are no longer exposed. */
  begin(): void {
    this.#collection++;
  }

  /** Stores values[i] at ids[i], bits kept. */
  set(ids: Uint32Array, values: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const row = ids[i]!;
      if (row >= this.#values.length) continue; // never announced; ingest counts it
      this.#values[row] = values[i]!;
      this.#seen[row] = this.#collection;
    }
  }

  /** True where the row was part of the current collection. */
  isCurrent(row: number): boolean {
    return this.#collection > 0 && this.#seen[row] === this.#collection;
  }

  /** Drops one row. */
  forget(row: number): void {
    const known = this.#byRow.get(row);
    if (!known) return;
    known.family.series.delete(known.series);
    this.#byRow.delete(row);
    if (row < this.#seen.length) this.#seen[row] = 0;
  }

  /** Drops everything. */
  clear(): void {
    this.#families.clear();
    this.#byRow.clear();
    this.#collection = 0;
    this.#seen.fill(0);
  }

  /** The families that `wanted` accepts by collector, with the samples of the last collection. */
  gather(wanted: (collector: string) => boolean): MetricFamily[] {
    const families: MetricFamily[] = [];
    for (const { description, series } of this.#families.values()) {
      if (!wanted(description.collector)) continue;
      const samples: MetricSample[] = [];
      for (const { labels, row } of series) {
        if (this.isCurrent(row)) samples.push({ suffix: '', labels, value: this.#values[row]! });
      }
      const { name, help, type, unit } = description;
      if (samples.length > 0) families.push({ name, help, type, unit, samples });
    }
    return families;
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
