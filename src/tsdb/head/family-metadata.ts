// Metadata of metric families. In the log it hangs on a series, as Prometheus has it; here the family's
// name is the key, so entries wait until the family's first series is there.

import type { MetricMetadata } from '../../storage/appender.ts';
import type { LoggedMetadata } from '../wal/metadata-record.ts';

const FAMILIES_MAX = 100_000;
const HELP_LENGTH_MAX = 4096;

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_count', '_sum'],
  gaugehistogram: ['_bucket', '_gcount', '_gsum'],
  summary: ['_count', '_sum'],
  counter: ['_total'],
  info: ['_info'],
};

/** Families by name. */
export class FamilyMetadata {
  readonly #families = new Map<string, MetricMetadata>();
  readonly #unlogged = new Set<string>();

  /** What is known, by family name. */
  get families(): ReadonlyMap<string, MetricMetadata> {
    return this.#families;
  }

  /** True where some family has not been logged. */
  get hasUnlogged(): boolean {
    return this.#unlogged.size > 0;
  }

  /** Remembers a family; the newest wins. Families beyond the limit are not kept. */
  set(name: string, metadata: MetricMetadata): void {
    const known = this.#families.get(name);
    if (known ? same(known, metadata) : this.#families.size >= FAMILIES_MAX) return;
    const help = metadata.help.slice(0, HELP_LENGTH_MAX);
    this.#families.set(name, { ...metadata, help });
    this.#unlogged.add(name);
  }

  /** Takes over what the log says of a series with this metric name. */
  replay(metricName: string, metadata: MetricMetadata): void {
    const suffixed = metadata.type === 'counter' || metadata.type === 'info';
    const suffix = suffixed ? undefined : suffixesOf(metadata).find(s => metricName.endsWith(s));
    const name = suffix === undefined ? metricName : metricName.slice(0, -suffix.length);
    if (this.#families.size < FAMILIES_MAX) this.#families.set(name, metadata);
  }

  /** What can be logged now: families of which `refOf` knows a series by metric name. */
  loggable(refOf: (metricName: string) => number | undefined): Map<string, LoggedMetadata> {
    return this.#entries(this.#unlogged, refOf);
  }

  /** What has been logged, of families of which `refOf` still knows a series. */
  inLog(refOf: (metricName: string) => number | undefined): readonly LoggedMetadata[] {
    const names = [...this.#families.keys()].filter(name => !this.#unlogged.has(name));
    return [...this.#entries(names, refOf).values()];
  }

  /** Says that the families are in the log. */
  logged(names: Iterable<string>): void {
    for (const name of names) this.#unlogged.delete(name);
  }

  #entries(
    families: Iterable<string>,
    refOf: (metricName: string) => number | undefined,
  ): Map<string, LoggedMetadata> {
    const entries = new Map<string, LoggedMetadata>();
    for (const name of families) {
      const metadata = this.#families.get(name)!;
      const names = [name, ...suffixesOf(metadata).map(suffix => name + suffix)];
      const ref = names.map(refOf).find(found => found !== undefined);
      if (ref !== undefined) entries.set(name, { ref, metadata });
    }
    return entries;
  }

  /** Forgets families without series; who still exposes them tells of them again. */
  collect(refOf: (metricName: string) => number | undefined): void {
    for (const [name, metadata] of this.#families) {
      const names = [name, ...suffixesOf(metadata).map(suffix => name + suffix)];
      if (names.some(one => refOf(one) !== undefined)) continue;
      this.#families.delete(name);
      this.#unlogged.delete(name);
    }
  }
}

function suffixesOf(metadata: MetricMetadata): readonly string[] {
  return SUFFIXES[metadata.type] ?? [];
}

function same(a: MetricMetadata, b: MetricMetadata): boolean {
  return a.type === b.type && a.unit === b.unit && a.help === b.help.slice(0, HELP_LENGTH_MAX);
}
