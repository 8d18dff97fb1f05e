// The agent's database as a store that tells which of its parts are read.

import type { ReadObserver, ReadPlace } from '../src/httpapi/read-observer.ts';
import type { Queryable } from '../src/storage/queryable.ts';

/** What is asked of the database. */
export interface PartedStore extends Queryable {
  readonly headMinTime: number;
  readonly maxTime: number;
  /** Cover minTime ≤ t < maxTime. */
  readonly blocks: readonly {
    readonly meta: { readonly ulid: string; readonly minTime: number; readonly maxTime: number };
  }[];
}

/** Tells the observer of blocks and head at every selection. */
export function observedDb(db: PartedStore, observer: ReadObserver): Queryable {
  return {
    querier(minTime, maxTime) {
      const querier = db.querier(minTime, maxTime);
      return {
        select(matchers, options) {
          for (const place of placesOf(db, minTime, maxTime)) observer.asked(place);
          return querier.select(matchers, options);
        },
        labelNames: (matchers, options) => querier.labelNames(matchers, options),
        labelValues: (name, matchers, options) => querier.labelValues(name, matchers, options),
        close: () => querier.close(),
      };
    },
  };
}

function placesOf(db: PartedStore, minTime: number, maxTime: number): ReadPlace[] {
  const places: ReadPlace[] = [];
  for (const { meta } of db.blocks) {
    if (meta.minTime > maxTime || meta.maxTime <= minTime) continue;
    places.push({
      place: `block ${meta.ulid}`,
      minTime: Math.max(minTime, meta.minTime),
      maxTime: Math.min(maxTime, meta.maxTime - 1),
    });
  }
  if (maxTime >= db.headMinTime && db.maxTime >= minTime) {
    const range = {
      minTime: Math.max(minTime, db.headMinTime),
      maxTime: Math.min(maxTime, db.maxTime),
    };
    places.push({ place: 'head', ...range });
  }
  return places;
}
