// Reads state and thread count of processes from /proc/<pid>/stat. There may be thousands, each read once
// in a pass, so files are opened, read into one buffer and closed; nothing else is kept of them.

import { closeSync, openSync, readSync } from 'node:fs';

const LINE_BYTES = 1024;
const SPACE = 32;
const CLOSING = 41;
const ZERO = 48;
/** Words from the state to the number of threads (proc(5)). */
const WORDS_TO_THREADS = 17;

/** One reader serves many files, one after the other. */
export class ProcessStat {
  readonly #buffer = new Uint8Array(LINE_BYTES);
  /** Letter of the state, such as R, S or D. */
  state = '';
  threads = 0;

  /** Reads the file at `path`; false where the process has ended meanwhile. */
  read(path: string): boolean {
    const length = this.#fill(path);
    // The name before it is in parentheses and may itself have any character.
    const name = this.#buffer.lastIndexOf(CLOSING, length - 1);
    if (length === 0 || name === -1 || name + 2 >= length) return false;
    this.state = String.fromCharCode(this.#buffer[name + 2]!);
    let at = name + 2;
    for (let words = 0; words < WORDS_TO_THREADS && at < length; at++) {
      if (this.#buffer[at] === SPACE) words++;
    }
    this.threads = 0;
    for (; at < length && this.#buffer[at] !== SPACE; at++) {
      this.threads = this.threads * 10 + this.#buffer[at]! - ZERO;
    }
    return true;
  }

  #fill(path: string): number {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch {
      return 0;
    }
    try {
      return readSync(descriptor, this.#buffer, 0, LINE_BYTES, 0);
    } catch {
      // ESRCH: it ended between the two calls.
      return 0;
    } finally {
      closeSync(descriptor);
    }
  }
}
