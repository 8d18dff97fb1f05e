// Looks for a plugin's handshake in what it prints. Anything may come before it: banners of runtimes, warnings
// of libraries.

import { type Handshake, PROTOCOL_VERSIONS, parseHandshake } from '../sdk/handshake.ts';
import { LineReader } from './line-reader.ts';
import type { PluginLog } from './plugin-log.ts';

/** What a plugin may print before its handshake. */
const LINES_BEFORE_MAX = 100;
const BYTES_BEFORE_MAX = 64 * 1024;

/** A handshake, or what is wrong with it. */
export type ScannedHandshake = Handshake | { readonly problem: string };

/** Takes a plugin's stdout for all of its life; `found` settles once and never rejects. */
export class HandshakeScan {
  readonly found: Promise<ScannedHandshake>;
  readonly #log: PluginLog;
  readonly #lines: LineReader;
  #resolve: (found: ScannedHandshake) => void = () => {};
  #done = false;
  #linesBefore = 0;
  #bytesBefore = 0;

  constructor(log: PluginLog) {
    this.#log = log;
    this.#lines = new LineReader(line => this.#line(line));
    this.found = new Promise(settle => {
      this.#resolve = settle;
    });
  }

  feed(chunk: Buffer): void {
    this.#lines.feed(chunk);
  }

  end(): void {
    this.#lines.end();
  }

  #line(line: string): void {
    if (this.#done) {
      this.#log.stdout(line);
      return;
    }
    const found = parseHandshake(line, PROTOCOL_VERSIONS);
    if (found !== null) {
      this.#finish(found);
      return;
    }
    this.#log.stdout(line, 'warn');
    this.#linesBefore++;
    this.#bytesBefore += line.length + 1;
    if (this.#linesBefore >= LINES_BEFORE_MAX || this.#bytesBefore >= BYTES_BEFORE_MAX) {
      const read = `${this.#linesBefore} lines, ${this.#bytesBefore} bytes`;
      this.#finish({ problem: `nothing: there is none in what it printed (${read})` });
    }
  }

  #finish(found: ScannedHandshake): void {
    this.#done = true;
    this.#resolve(found);
  }
}
