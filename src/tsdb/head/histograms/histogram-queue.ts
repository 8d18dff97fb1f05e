// The histograms of one appender, with their places among its floats: a series may have both.

import type { FloatHistogram } from '../../../storage/histogram.ts';
import { histogramProblem, storableHistogram } from '../../../storage/histogram-problem.ts';
import type { Head } from '../head.ts';
import type { Refusals } from '../refusals.ts';
import type { HistogramBatch } from './histogram-batch.ts';

/** A queued histogram. */
interface Queued {
  readonly ref: number;
  readonly time: number;
  readonly histogram: FloatHistogram;
  /** Floats that were queued before it. */
  readonly floats: number;
}

/** Histograms in the order in which they were queued. */
export class HistogramQueue {
  readonly #queued: Queued[] = [];
  #staged = 0;

  push(ref: number, time: number, histogram: FloatHistogram, floats: number): void {
    this.#queued.push({ ref, time, histogram, floats });
  }

  /** Slots of the series that have histograms here. */
  slots(head: Head): Set<number> {
    return new Set(this.#queued.map(({ ref }) => head.index.table.slotOf(ref)));
  }

  /** Passes on what was queued before float number `floats`, or refuses it. */
  stage(head: Head, batch: HistogramBatch, floats: number, refusals: Refusals): void {
    const latest = head.options.clock.now() + head.options.futureMs;
    for (; this.#staged < this.#queued.length; this.#staged++) {
      const { ref, time, histogram, floats: before } = this.#queued[this.#staged]!;
      if (before > floats) return;
      const slot = head.index.table.slotOf(ref);
      const refused = { slot, time, isHistogram: true };
      const problem = histogramProblem(histogram);
      if (slot < 0) refusals.add('unknown-series', refused);
      else if (problem !== null) {
        refusals.add('invalid-histogram', { ...refused, detail: problem });
      } else if (time > latest) refusals.add('too-far-in-future', refused);
      else batch.addHistogram(slot, ref, time, storableHistogram(histogram));
    }
  }
}
