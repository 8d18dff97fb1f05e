// A remote-write 1.0 request on its way into the store, in commits that are little enough to be done in a few
// milliseconds.

import type { WriteIntake } from '../kernels/write-intake.ts';
import type { Appender } from '../storage/appender.ts';
import { type RichSeries, SeriesExtras } from './series-extras.ts';
import type { WriteTally } from './write-tally.ts';

/** Samples of a commit. */
export const COMMIT_SAMPLES = 8192;
/** Reading and storing a histogram or exemplar costs as much as so many floats. */
export const EXTRA_SAMPLES = 32;

/** Hands a request's samples to appenders in the order of the request, little enough at a time. */
export class CommitParts {
  readonly #intake: WriteIntake;
  readonly #rich: readonly RichSeries[];
  /** Floats, and series with more than those, that were handed over. */
  #floats = 0;
  #series = 0;
  #extras: SeriesExtras | null = null;

  constructor(intake: WriteIntake, rich: readonly RichSeries[]) {
    this.#intake = intake;
    this.#rich = rich;
  }

  /** Fills an appender; true where that was the rest. Throws `bad-data` where the message is damaged. */
  fill(appender: Appender, tally: WriteTally): boolean {
    const { length } = this.#intake;
    let budget = COMMIT_SAMPLES;
    while (budget > 0) {
      const next = this.#rich[this.#series];
      const to = Math.min(next?.floats ?? length, this.#floats + budget);
      budget -= this.#appendFloats(appender, to);
      if (!next && this.#floats === length) return true;
      if (next && this.#floats === next.floats) {
        if (!this.#appendExtra(next, appender, tally)) this.#series++;
        budget -= EXTRA_SAMPLES;
      }
    }
    return this.#floats === length && this.#series === this.#rich.length;
  }

  #appendFloats(appender: Appender, to: number): number {
    const from = this.#floats;
    if (to === from) return 0;
    const { refs, times, values } = this.#intake;
    appender.appendColumns(
      refs.subarray(from, to),
      times.subarray(from, to),
      values.subarray(from, to),
      to - from,
    );
    this.#floats = to;
    return to - from;
  }

  #appendExtra({ ref, start, length }: RichSeries, appender: Appender, tally: WriteTally): boolean {
    this.#extras ??= new SeriesExtras(this.#intake.bytes(start, length), ref);
    if (this.#extras.next(appender, tally)) return true;
    this.#extras = null;
    return false;
  }
}
