// Short runs of numbers in one flat array: label sets and postings of a million series without a million
// objects. Freed runs are kept in lists by length and given out again.

const INITIAL_WORDS = 4096;
/** Ends a list of free spans; no span starts at 0. */
const NONE = 0;

/** Hands out spans of u32 words. Lengths are at least 1; a span is freed with the length it was given. */
export class SpanArena {
  words: Uint32Array = new Uint32Array(INITIAL_WORDS);
  #end = 1;
  /** First free span by length; each holds the start of the next in its first word. */
  readonly #free = new Map<number, number>();
  #freeWords = 0;

  /** Words given out and not freed. */
  get used(): number {
    return this.#end - 1 - this.#freeWords;
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.words.byteLength;
  }

  /** The start of a span of `length` words with arbitrary content. `words` may be replaced. */
  take(length: number): number {
    const free = this.#free.get(length) ?? NONE;
    if (free !== NONE) {
      this.#free.set(length, this.words[free]!);
      this.#freeWords -= length;
      return free;
    }
    const start = this.#end;
    this.#end += length;
    if (this.#end > this.words.length) {
      // Growing by halves keeps the spare room of a large head small.
      const grown = new Uint32Array(Math.max(this.#end, Math.ceil(this.words.length * 1.5)));
      grown.set(this.words);
      this.words = grown;
    }
    return start;
  }

  /** Gives a span back. */
  free(start: number, length: number): void {
    this.words[start] = this.#free.get(length) ?? NONE;
    this.#free.set(length, start);
    this.#freeWords += length;
  }
}
