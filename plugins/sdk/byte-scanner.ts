// Reads the text of pseudo files as bytes, line by line and word by word, without making strings. Words
// are separated by spaces or tabs; a line ends at a newline or at the end of the text.

const NEWLINE = 10;
const TAB = 9;
const SPACE = 32;
const DOT = 46;
const MINUS = 45;
const ZERO = 48;
const SMALL_A = 97;

/** Digits a double holds exactly whatever they are. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);

/**
 * A cursor over borrowed bytes. Loop: `while (scanner.line()) { if (scanner.word() && scanner.is('MemFree')) … }`.
 * Nothing throws; what is missing reads as false, '' or NaN.
 */
export class ByteScanner {
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  #nextLine = 0;
  #lineEnd = 0;
  #at = 0;
  /** Bounds of the current word. */
  #from = 0;
  #to = 0;

  /** Starts over on the first `length` of `bytes`, which stay the caller's. */
  reset(bytes: Uint8Array, length: number = bytes.length): this {
    this.#bytes = bytes;
    this.#end = length;
    this.#nextLine = 0;
    this.#lineEnd = 0;
    this.#at = 0;
    this.#from = this.#to = 0;
    return this;
  }

  /** Bytes in all. */
  get size(): number {
    return this.#end;
  }

  /** Moves to the next line, the first one to begin with; false at the end of the text. */
  line(): boolean {
    if (this.#nextLine >= this.#end) return false;
    const found = this.#bytes.indexOf(NEWLINE, this.#nextLine);
    this.#at = this.#nextLine;
    this.#lineEnd = found === -1 || found > this.#end ? this.#end : found;
    this.#nextLine = this.#lineEnd + 1;
    this.#from = this.#to = this.#at;
    return true;
  }

  /** Moves to the line's next word; false at the end of the line. */
  word(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < this.#lineEnd && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    this.#from = at;
    while (at < this.#lineEnd && bytes[at] !== SPACE && bytes[at] !== TAB) at++;
    this.#to = this.#at = at;
    return this.#to > this.#from;
  }

  /**
   * Like `word`, but ends at `delimiter` (one ASCII character), which is passed over; false where the rest
   * of the line has none.
   */
  wordBefore(delimiter: string): boolean {
    const bytes = this.#bytes;
    let from = this.#at;
    while (from < this.#lineEnd && (bytes[from] === SPACE || bytes[from] === TAB)) from++;
    const found = bytes.indexOf(delimiter.charCodeAt(0), from);
    if (found === -1 || found >= this.#lineEnd) return false;
    this.#from = from;
    this.#to = found;
    this.#at = found + 1;
    return true;
  }

  /** The next word as a number; NaN where there is none or it is no decimal number. */
  number(): number {
    return this.word() ? this.value() : Number.NaN;
  }

  /** Passes over `count` words. */
  skip(count: number): void {
    for (let i = 0; i < count; i++) this.word();
  }

  /** The current word as a decimal number, correctly rounded; NaN where it is none. */
  value(): number {
    const bytes = this.#bytes;
    let at = this.#from;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    let digits = 0;
    let decimals = -1;
    let value = 0;
    for (; at < this.#to; at++) {
      const byte = bytes[at]!;
      if (byte === DOT && decimals === -1) {
        decimals = 0;
        continue;
      }
      if (byte < ZERO || byte > ZERO + 9) return Number.NaN;
      value = value * 10 + (byte - ZERO);
      digits++;
      if (decimals >= 0) decimals++;
    }
    if (digits === 0) return Number.NaN;
    if (digits > EXACT_DIGITS) return Number(this.text());
    // Both are exact, so the quotient is the number the text means.
    if (decimals > 0) value /= POWERS_OF_TEN[decimals]!;
    return negative ? -value : value;
  }

  /** The next word as a hexadecimal number without prefix; NaN where there is none or it is none. */
  hex(): number {
    return this.word() ? this.hexValue() : Number.NaN;
  }

  /** The current word as a hexadecimal number without prefix; beyond 2^53 it is rounded. */
  hexValue(): number {
    const bytes = this.#bytes;
    if (this.#to === this.#from) return Number.NaN;
    let value = 0;
    for (let at = this.#from; at < this.#to; at++) {
      const byte = bytes[at]! | 0x20;
      // Digits keep their code under the mask that makes letters small.
      const isDigit = byte >= ZERO && byte <= ZERO + 9;
      if (!isDigit && (byte < SMALL_A || byte > SMALL_A + 5)) return Number.NaN;
      value = value * 16 + (isDigit ? byte - ZERO : byte - SMALL_A + 10);
    }
    return value;
  }

  /** The current word's text. */
  text(): string {
    return decode(this.#bytes, this.#from, this.#to);
  }

  /** Makes all that follows on this line, without the spaces around it, the current word. */
  restOfLine(): boolean {
    if (!this.word()) return false;
    this.#to = this.#at = this.#lineEnd;
    while (this.#bytes[this.#to - 1] === SPACE || this.#bytes[this.#to - 1] === TAB) this.#to--;
    return true;
  }

  /** What follows the current word on this line, without the spaces around it. */
  rest(): string {
    return decode(this.#bytes, this.#at, this.#lineEnd).trim();
  }

  /** True where the current word is `word` (ASCII). */
  is(word: string): boolean {
    return this.#to - this.#from === word.length && this.startsWith(word);
  }

  /** True where the current word begins with `prefix` (ASCII). */
  startsWith(prefix: string): boolean {
    if (this.#to - this.#from < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) {
      if (this.#bytes[this.#from + i] !== prefix.charCodeAt(i)) return false;
    }
    return true;
  }

  /** True where the current word's bytes are `name`. */
  equals(name: Uint8Array): boolean {
    if (this.#to - this.#from !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[this.#from + i] !== name[i]) return false;
    }
    return true;
  }

  /** True where the whole text is `bytes`. */
  isWholly(bytes: Uint8Array): boolean {
    return this.#end === bytes.length && compare(this.#bytes.subarray(0, this.#end), bytes) === 0;
  }

  /** A copy of the whole text's bytes. */
  copyAll(): Uint8Array {
    return this.#bytes.slice(0, this.#end);
  }

  /** A copy of the current word's bytes. */
  copy(): Uint8Array {
    return this.#bytes.slice(this.#from, this.#to);
  }
}

const decoder = new TextDecoder();
const compare = Buffer.compare;

function decode(bytes: Uint8Array, from: number, to: number): string {
  return decoder.decode(bytes.subarray(from, to));
}
