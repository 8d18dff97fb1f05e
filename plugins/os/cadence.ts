// What changes seldom is looked at seldom: a due date that follows the collections' own time.

/** Due at most once in `ms` of collection time, and at the first question. */
export class Cadence {
  readonly #ms: number;
  #last = Number.NEGATIVE_INFINITY;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** True where the work is due; it then counts as done. A clock that steps back makes it due too. */
  due(time: number): boolean {
    if (Math.abs(time - this.#last) < this.#ms) return false;
    this.#last = time;
    return true;
  }
}
