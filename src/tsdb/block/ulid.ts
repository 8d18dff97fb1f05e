// Block ids: 48 bits of Unix ms and 80 random bits as 26 characters of Crockford's base 32, so that names
// sort by time (github.com/ulid/spec).

import { assert } from '../../lifecycle/errors.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARS = 10;
const RANDOM_BYTES = 10;
const TIME_MAX = 2 ** 48 - 1;
// 26 characters hold 130 bits, two more than an id has: the first is at most 7.
const SHAPE = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** True for a canonical, upper-case id. */
export function isUlid(text: string): boolean {
  return SHAPE.test(text);
}

/** The Unix ms an id was made at. */
export function ulidTime(ulid: string): number {
  assert(isUlid(ulid), `ulid ${ulid}`);
  let time = 0;
  for (let i = 0; i < TIME_CHARS; i++) time = time * 32 + ALPHABET.indexOf(ulid[i]!);
  return time;
}

/** Makes ids that only grow, also within one millisecond and when the clock steps back. */
export class UlidSource {
  readonly #now: () => number;
  readonly #fillRandom: (bytes: Uint8Array) => void;
  readonly #random = new Uint8Array(RANDOM_BYTES);
  #time = -1;

  /** `now` gives Unix ms; `fillRandom` fills the array with random bytes. */
  constructor(now: () => number, fillRandom: (bytes: Uint8Array) => void) {
    this.#now = now;
    this.#fillRandom = fillRandom;
  }

  /** The next id. */
  next(): string {
    const now = this.#now();
    assert(now >= 0 && now <= TIME_MAX, `ulid at ${now}`);
    if (now > this.#time) {
      this.#time = Math.floor(now);
      this.#fillRandom(this.#random);
    } else this.#increment();
    return encodeTime(this.#time) + encodeRandom(this.#random);
  }

  #increment(): void {
    for (let i = RANDOM_BYTES - 1; i >= 0; i--) {
      this.#random[i] = (this.#random[i]! + 1) & 0xff;
      if (this.#random[i] !== 0) return;
    }
    this.#time++;
  }
}

function encodeTime(time: number): string {
  let text = '';
  for (let i = 0; i < TIME_CHARS; i++) {
    text = ALPHABET[time % 32]! + text;
    time = Math.floor(time / 32);
  }
  return text;
}

// Five bytes are eight characters.
function encodeRandom(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >>> (bits - 5)) & 31]!;
    held &= (1 << bits) - 1;
  }
  return text;
}
