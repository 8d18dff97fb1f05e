// Puts series back into order after their labels have changed on the way out. Peers merge by label order
// and never notice a wrong one: they lose series.

import type { Labels } from '../labels/labels.ts';

/** A series ready to be sent: its labels and its encoded frames. */
export interface EncodedSeries {
  readonly labels: Labels;
  readonly frames: readonly Uint8Array[];
}

/** Takes series in their old order and gives them out in the order of their new labels. */
export interface SeriesOrder {
  /** Adds one; returns those that can go out now. */
  add(series: EncodedSeries): readonly EncodedSeries[];
  /** Returns the rest. */
  end(): readonly EncodedSeries[];
}

/**
 * For series to which the same labels were added, none of which they had. Only a series whose old labels
 * begin those of the next ones can fall behind them, so a short stack of such beginnings is held back.
 */
export function newHoldBackOrder(): SeriesOrder {
  const held: EncodedSeries[] = [];
  return {
    add(series) {
      const out: EncodedSeries[] = [];
      while (held.length > 0 && held.at(-1)!.labels.compareTo(series.labels) <= 0) {
        out.push(held.pop()!);
      }
      held.push(series);
      return out;
    },
    end: () => held.splice(0).reverse(),
  };
}

/** For series that lost or changed labels: holds all of them. */
export function newSortingOrder(): SeriesOrder {
  const all: EncodedSeries[] = [];
  return {
    add(series) {
      all.push(series);
      return [];
    },
    end: () => all.splice(0).sort((a, b) => a.labels.compareTo(b.labels)),
  };
}
