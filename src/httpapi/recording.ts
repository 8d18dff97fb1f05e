// A store that counts what is read from it, selection by selection.

import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';
import type { Querier, Queryable, SelectOptions } from '../storage/queryable.ts';
import type { SampleColumns } from '../storage/samples.ts';
import type { Chunk, Series, SeriesSet } from '../storage/series.ts';
import { emptySeriesSet } from '../storage/series-list.ts';
import {
  type MissingPart,
  MissingParts,
  type ReadObserver,
  type ReadPlace,
} from './read-observer.ts';

/** One selection and what came of it. Times are Unix ms, inclusive. */
export class Reading {
  readonly matchers: readonly Matcher[];
  readonly minTime: number;
  readonly maxTime: number;
  readonly func: string;
  readonly places: ReadPlace[] = [];
  series = 0;
  samples = 0;
  /** Compressed bytes; null where samples came decoded. */
  bytes: number | null = 0;
  /** Spent waiting for series and decoding them, ms. */
  elapsedMs = 0;

  constructor(matchers: readonly Matcher[], minTime: number, maxTime: number, func: string) {
    this.matchers = matchers;
    this.minTime = minTime;
    this.maxTime = maxTime;
    this.func = func;
  }
}

/** The selections of one query, in the order they were begun. */
export class Recording implements ReadObserver {
  readonly readings: Reading[] = [];
  readonly #missing = new MissingParts();
  readonly #monotonic: () => number;
  #current: Reading | null = null;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  asked(place: ReadPlace): void {
    this.#current?.places.push(place);
  }

  missing(part: MissingPart): void {
    this.#missing.missing(part);
  }

  /** Parts that could not be read, each once. */
  get missingParts(): readonly MissingPart[] {
    return this.#missing.list();
  }

  /** Begins a selection whose places are noted with `reading`. */
  noting(reading: Reading, select: () => Promise<SeriesSet>): Promise<SeriesSet> {
    this.#current = reading;
    try {
      return select();
    } finally {
      this.#current = null;
    }
  }

  /** `store` with everything counted; with `reads` false nothing is read, and every selection is empty. */
  over(store: Queryable, reads: boolean): Queryable {
    return {
      querier: (minTime, maxTime) => {
        const querier = store.querier(minTime, maxTime);
        return {
          select: (matchers, options) => {
            const func = options?.hints?.func ?? '';
            const reading = new Reading(matchers, minTime, maxTime, func);
            this.readings.push(reading);
            if (!reads) return Promise.resolve(emptySeriesSet());
            return this.#select(querier, reading, options);
          },
          labelNames: (matchers, options) => querier.labelNames(matchers, options),
          labelValues: (name, matchers, options) => querier.labelValues(name, matchers, options),
          close: () => querier.close(),
        };
      },
    };
  }

  async #select(
    querier: Querier,
    reading: Reading,
    options: SelectOptions | undefined,
  ): Promise<SeriesSet> {
    const started = this.#monotonic();
    const set = await this.noting(reading, () => querier.select(reading.matchers, options));
    reading.elapsedMs += this.#monotonic() - started;
    return this.#counted(set, reading);
  }

  #counted(set: SeriesSet, reading: Reading): SeriesSet {
    const monotonic = this.#monotonic;
    return {
      lasting: set.lasting ?? false,
      get warnings() {
        return set.warnings;
      },
      async next() {
        const started = monotonic();
        const batch = await set.next();
        reading.elapsedMs += monotonic() - started;
        reading.series += batch?.length ?? 0;
        return batch?.map(series => new CountedSeries(series, reading, monotonic)) ?? null;
      },
      close: () => set.close(),
    };
  }
}

class CountedSeries implements Series {
  readonly #series: Series;
  readonly #reading: Reading;
  readonly #monotonic: () => number;

  constructor(series: Series, reading: Reading, monotonic: () => number) {
    this.#series = series;
    this.#reading = reading;
    this.#monotonic = monotonic;
  }

  get labels(): Labels {
    return this.#series.labels;
  }

  label(name: string): string {
    return this.#series.label(name);
  }

  chunks(): readonly Chunk[] | null {
    return this.#series.chunks();
  }

  parts(): readonly Series[] | null {
    return this.#series.parts?.() ?? null;
  }

  samples(out: SampleColumns): void {
    const reading = this.#reading;
    const started = this.#monotonic();
    const before = out.length;
    this.#series.samples(out);
    reading.elapsedMs += this.#monotonic() - started;
    reading.samples += out.length - before;
    const bytes = bytesOf(this.#series, reading);
    reading.bytes = reading.bytes === null || bytes === null ? null : reading.bytes + bytes;
  }
}

/** Compressed bytes of the series in the range of a selection. */
export function bytesOf(
  series: Series,
  { minTime, maxTime }: { readonly minTime: number; readonly maxTime: number },
): number | null {
  const chunks = series.chunks();
  if (!chunks) return null;
  let bytes = 0;
  for (const chunk of chunks) {
    if (chunk.maxTime >= minTime && chunk.minTime <= maxTime) bytes += chunk.data.length;
  }
  return bytes;
}
