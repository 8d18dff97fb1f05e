// The strings of a remote-write 2.0 request: series name them by their place. They are decoded when they are
// first asked for.

import { isUtf8 } from 'node:buffer';
import { decodeUtf8 } from '../encoding/read-buffer.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';

/** A table of strings over borrowed bytes. */
export class Symbols {
  readonly #bytes: Uint8Array;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #texts: (string | undefined)[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#starts.length;
  }

  /** Adds the string that these bytes are. */
  add(start: number, end: number): void {
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** The string of a place. Throws `bad-data` where there is none or it is no text. */
  text(place: number): string {
    const known = this.#texts[place];
    if (known !== undefined) return known;
    const start = this.#starts[place];
    if (start === undefined) {
      throw new OutpostError('bad-data', `symbol ${place} of ${this.length} is asked for`);
    }
    const end = this.#ends[place]!;
    if (!isUtf8(this.#bytes.subarray(start, end))) {
      throw new OutpostError('bad-data', `symbol ${place} is not valid UTF-8`);
    }
    const text = decodeUtf8(this.#bytes, start, end);
    this.#texts[place] = text;
    return text;
  }

  /** Labels of places, name before value. Throws `bad-data`. */
  labels(places: readonly number[]): Labels {
    if (places.length % 2 !== 0) {
      throw new OutpostError('bad-data', `${places.length} references are no names and values`);
    }
    const pairs = new Map<string, string>();
    for (let i = 0; i < places.length; i += 2) {
      const name = this.text(places[i]!);
      if (pairs.has(name)) {
        throw new OutpostError('bad-data', `label ${JSON.stringify(name)} occurs twice`);
      }
      pairs.set(name, this.text(places[i + 1]!));
    }
    return Labels.fromPairs(pairs);
  }
}
