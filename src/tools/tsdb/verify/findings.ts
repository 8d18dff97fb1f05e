// What a check found. An error is something a reader would get wrong or refuse; a note is worth knowing and
// harmless.

import { OutpostError } from '../../../lifecycle/errors.ts';

/** Sentences kept; what comes after is only counted. */
const KEPT_MAX = 1000;

/** One sentence that ends with the file and, where there is one, the offset. */
export interface Finding {
  readonly severity: 'error' | 'note';
  readonly text: string;
}

/** Collects findings of one directory. */
export class Findings {
  errors = 0;
  notes = 0;
  readonly #kept: Finding[] = [];

  /** In the order they were found; at most a thousand. */
  get kept(): readonly Finding[] {
    return this.#kept;
  }

  /** Notes an error at an offset of a file. */
  error(what: string, file: string, offset?: number): void {
    this.errors++;
    this.#keep('error', what, file, offset);
  }

  /** Notes something harmless. */
  note(what: string, file: string, offset?: number): void {
    this.notes++;
    this.#keep('note', what, file, offset);
  }

  /** Notes a reader's error, whose text names the place. Anything but damage is thrown again. */
  caught(thrown: unknown): void {
    const isDamage =
      (thrown instanceof OutpostError &&
        ['corrupt', 'not-found', 'execution'].includes(thrown.code)) ||
      (thrown instanceof Error && 'syscall' in thrown);
    if (!isDamage) throw thrown;
    this.errors++;
    if (this.#kept.length < KEPT_MAX) this.#kept.push({ severity: 'error', text: thrown.message });
  }

  #keep(severity: Finding['severity'], what: string, file: string, offset?: number): void {
    if (this.#kept.length >= KEPT_MAX) return;
    const place = offset === undefined ? file : `${file} at offset ${offset}`;
    this.#kept.push({ severity, text: `${what}: ${place}` });
  }
}
