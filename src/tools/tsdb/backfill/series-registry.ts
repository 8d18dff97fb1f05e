// The series of an input, numbered as they come. Spellings that were seen are found without parsing.

import type { Labels } from '../../../labels/labels.ts';
import { labelsProblem } from '../../../labels/validate.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';

/** Series are held in memory, some 500 bytes each. */
const SERIES_MAX = 10_000_000;

/** Numbers for label sets. */
export class SeriesRegistry {
  readonly #labels: Labels[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #bySpelling = new Map<string, number>();

  get size(): number {
    return this.#labels.length;
  }

  /** The number of a spelling that `spell` was told before, −1 where it was not. */
  spelled(text: string): number {
    return this.#bySpelling.get(text) ?? -1;
  }

  /** Remembers how a series is spelled. The text must not be a part of a larger one. */
  spell(text: string, series: number): void {
    this.#bySpelling.set(text, series);
  }

  /** The number of a label set, or why it cannot be stored. Throws `limit-exceeded`. */
  numberOf(labels: Labels): number | string {
    const known = this.#byKey.get(labels.key);
    if (known !== undefined) return known;
    const problem = labelsProblem(labels);
    if (problem !== null) return problem;
    if (this.#labels.length >= SERIES_MAX) {
      throw new OutpostError('limit-exceeded', `more than ${SERIES_MAX} series: split the input`);
    }
    this.#byKey.set(labels.key, this.#labels.length);
    return this.#labels.push(labels) - 1;
  }

  labelsOf(series: number): Labels {
    return this.#labels[series]!;
  }

  /** All numbers in the order of their label sets. */
  inLabelOrder(): Uint32Array {
    const order = Uint32Array.from(this.#labels, (_, i) => i);
    return order.sort((a, b) => this.#labels[a]!.compareTo(this.#labels[b]!));
  }
}
