// What of an input was not taken, and why. Everything is counted; the first ones are kept to be shown.

const EXAMPLES_MAX = 20;

/** One refused line. */
export interface Refusal {
  /** 1-based. */
  readonly line: number;
  readonly reason: string;
}

/** Collects refused lines. */
export class Refusals {
  count = 0;
  readonly #examples: Refusal[] = [];

  /** The first twenty. */
  get examples(): readonly Refusal[] {
    return this.#examples;
  }

  add(line: number, reason: string): void {
    this.count++;
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push({ line, reason });
  }
}
