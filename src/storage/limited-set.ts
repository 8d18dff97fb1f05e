// A selection that ends early.

import type { Series, SeriesSet } from './series.ts';

/** The first `limit` series of a set; all of them where it is 0. Takes the set over. */
export function limitSeries(set: SeriesSet, limit: number): SeriesSet {
  if (limit <= 0) return set;
  let left = limit;
  return {
    lasting: set.lasting ?? false,
    get warnings() {
      return set.warnings;
    },
    async next(): Promise<readonly Series[] | null> {
      if (left === 0) return null;
      const batch = await set.next();
      if (!batch) return null;
      const wanted = batch.length > left ? batch.slice(0, left) : batch;
      left -= wanted.length;
      return wanted;
    },
    close: () => set.close(),
  };
}
