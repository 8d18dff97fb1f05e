// The newest exemplars of all series, in bounded number: each new one takes the place of the oldest. Series
// are known by their labels, so exemplars outlive the collection of a series that has fallen silent.

import type { Labels } from '../../../labels/labels.ts';
import type { Exemplar, SeriesExemplars } from '../../../storage/exemplar.ts';

/** One series' exemplars: a list through the ring from the oldest to the newest. */
interface Entry {
  readonly labels: Labels;
  oldest: number;
  newest: number;
}

const NONE = -1;

/** A ring of exemplars. */
export class ExemplarStore {
  /** Most exemplars held; 0 where none are kept. */
  readonly max: number;
  readonly #series = new Map<string, Entry>();
  readonly #exemplars: Exemplar[] = [];
  readonly #owners: Entry[] = [];
  /** The series' next exemplar by place, NONE behind its newest. */
  readonly #next: number[] = [];
  /** Where the next exemplar goes. */
  #at = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Exemplars held. */
  get size(): number {
    return this.#exemplars.length;
  }

  /** Series with exemplars. */
  get seriesCount(): number {
    return this.#series.size;
  }

  /** Time of the exemplar that will be the next to go, which is the oldest; NaN while there is none. */
  get oldestTime(): number {
    const place = this.size < this.max ? 0 : this.#at;
    return this.#exemplars[place]?.time ?? Number.NaN;
  }

  /** The series' newest exemplar. */
  newest(series: Labels): Exemplar | null {
    const entry = this.#series.get(series.key);
    return entry ? this.#exemplars[entry.newest]! : null;
  }

  /** Adds an exemplar that `compareExemplars` puts behind the series' newest. */
  add(series: Labels, exemplar: Exemplar): void {
    if (this.max === 0) return;
    const at = this.#at;
    if (at < this.size) this.#evict(at);
    let entry = this.#series.get(series.key);
    if (!entry) {
      entry = { labels: series, oldest: at, newest: NONE };
      this.#series.set(series.key, entry);
    }
    if (entry.newest !== NONE) this.#next[entry.newest] = at;
    entry.newest = at;
    this.#exemplars[at] = exemplar;
    this.#owners[at] = entry;
    this.#next[at] = NONE;
    this.#at = (at + 1) % this.max;
  }

  /** All exemplars in the order in which they were added. */
  *oldestFirst(): Generator<{ readonly labels: Labels; readonly exemplar: Exemplar }> {
    const first = this.size < this.max ? 0 : this.#at;
    for (let i = 0; i < this.size; i++) {
      const at = (first + i) % this.size;
      yield { labels: this.#owners[at]!.labels, exemplar: this.#exemplars[at]! };
    }
  }

  /** Exemplars with minTime ≤ t ≤ maxTime of accepted series, in label order. */
  select(
    minTime: number,
    maxTime: number,
    accepts: (labels: Labels) => boolean,
  ): SeriesExemplars[] {
    const found: SeriesExemplars[] = [];
    for (const { labels, oldest } of this.#series.values()) {
      if (!accepts(labels)) continue;
      const exemplars: Exemplar[] = [];
      for (let at = oldest; at !== NONE; at = this.#next[at]!) {
        const exemplar = this.#exemplars[at]!;
        if (exemplar.time >= minTime && exemplar.time <= maxTime) exemplars.push(exemplar);
      }
      if (exemplars.length > 0) found.push({ labels, exemplars });
    }
    return found.sort((a, b) => a.labels.compareTo(b.labels));
  }

  // Exemplars of a series come in the order of the ring, so what goes is the first of its list.
  #evict(at: number): void {
    const entry = this.#owners[at]!;
    entry.oldest = this.#next[at]!;
    if (entry.oldest === NONE) this.#series.delete(entry.labels.key);
  }
}

/** The order of a series' exemplars: by time, then value, then labels. 0 where both are the same. */
export function compareExemplars(a: Exemplar, b: Exemplar): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.value !== b.value && !(Number.isNaN(a.value) && Number.isNaN(b.value))) {
    return a.value < b.value ? -1 : 1;
  }
  return a.labels.compareTo(b.labels);
}
