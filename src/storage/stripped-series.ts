// Series without some of their labels.

import type { Labels } from '../labels/labels.ts';
import type { SampleColumns } from './samples.ts';
import type { Chunk, Series, SeriesSet } from './series.ts';

/** The set with some labels removed from its series, in the order it had; takes it over. */
export function withoutLabels(set: SeriesSet, names: readonly string[]): SeriesSet {
  if (names.length === 0) return set;
  return {
    get warnings() {
      return set.warnings;
    },
    lasting: set.lasting ?? false,
    async next() {
      const batch = await set.next();
      return batch?.map(series => new StrippedSeries(series, names)) ?? null;
    },
    close: () => set.close(),
  };
}

/** A series without some of its labels. */
class StrippedSeries implements Series {
  readonly labels: Labels;
  readonly #inner: Series;

  constructor(inner: Series, names: readonly string[]) {
    this.labels = inner.labels.without(names);
    this.#inner = inner;
  }

  label(name: string): string {
    return this.labels.get(name);
  }

  chunks(): readonly Chunk[] | null {
    return this.#inner.chunks();
  }

  samples(out: SampleColumns): void {
    this.#inner.samples(out);
  }

  parts(): readonly Series[] | null {
    return this.#inner.parts?.() ?? null;
  }
}
