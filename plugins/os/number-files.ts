// Files of /sys and /proc that hold one number each. A file that cannot be read costs an exception, so it
// is tried again only now and then.

import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Series } from '../sdk/metrics.ts';
import { Cadence } from './cadence.ts';

const RETRY_MS = 10_000;

interface Entry {
  readonly file: PseudoFile;
  readonly series: Series;
  readonly factor: number;
  missing: boolean;
}

/** Number files and the series they fill. */
export class NumberFiles {
  readonly #files: Files;
  readonly #entries: Entry[] = [];
  readonly #retry = new Cadence(RETRY_MS);

  constructor(files: Files) {
    this.#files = files;
  }

  /** Adds the file at an absolute path; its number times `factor` is the series' value. */
  add(path: string, series: Series, factor = 1): this {
    const file = this.#files.file(path);
    this.#entries.push({ file, series, factor, missing: false });
    return this;
  }

  /** Reads every file and sets its series; returns how many had a number. */
  report(time: number): number {
    const retry = this.#retry.due(time);
    let count = 0;
    for (const entry of this.#entries) {
      if (entry.missing && !retry) continue;
      const value = entry.file.readNumber();
      entry.missing = Number.isNaN(value);
      if (entry.missing) continue;
      entry.series.set(value * entry.factor);
      count++;
    }
    return count;
  }

  /** Closes the files: what they belonged to has gone. */
  close(): void {
    for (const { file } of this.#entries) this.#files.forget(file);
  }
}
