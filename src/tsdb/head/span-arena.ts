// Short runs of numbers in segments of flat memory: label sets and postings of a million series without a
// million objects. Freed runs are kept in lists by length and given out again. The memory grows segment by
// segment, so that no growth copies what is there; a run never crosses segments, and one that is longer than a
// segment has memory of its own. Where most runs were freed, the owner moves those that are left to other
// memory, as it finds time, and what they were in is given back.

const SEGMENT_BITS = 16;
const SEGMENT_WORDS = 1 << SEGMENT_BITS;
const SEGMENT_MASK = SEGMENT_WORDS - 1;
/** What the first segment begins with; it grows by doubling. */
const INITIAL_WORDS = 4096;
/** Ends a list of free spans; no span starts at 0. */
const NONE = 0;
/** Spans are moved where less than this share of the memory is used, in thirds. */
const USED_THIRDS = 2;

/** Hands out spans of u32 words. Lengths are at least 1; a span is freed with the length it was given. */
export class SpanArena {
  /** Memory by the high bits of an address. */
  readonly #segments: Uint32Array[] = [new Uint32Array(INITIAL_WORDS)];
  /** Next fresh address, and the end of its segment. */
  #next = 1;
  #limit = SEGMENT_WORDS;
  /** First free span by length; each holds the start of the next in its first word. */
  readonly #free = new Map<number, number>();
  /** Starts of free spans that are longer than a segment, by length: their memory is given back. */
  readonly #freeLong = new Map<number, number[]>();
  /** 1 for the segments that are being cleared out, by number; null where none is. */
  #old: Uint8Array | null = null;
  /** Numbers of segments that were cleared out. */
  readonly #vacant: number[] = [];
  #used = 0;
  #bytes = INITIAL_WORDS * 4;

  /** Words given out and not freed. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The memory in which a span lies, at `offsetOf` its start; good until the next `take`. */
  wordsOf(start: number): Uint32Array {
    return this.#segments[start >>> SEGMENT_BITS]!;
  }

  /** The start of a span of `length` words with arbitrary content. */
  take(length: number): number {
    this.#used += length;
    if (length > SEGMENT_WORDS) return this.#takeLong(length);
    const free = this.#free.get(length) ?? NONE;
    if (free === NONE) return this.#takeFresh(length);
    this.#free.set(length, this.wordsOf(free)[offsetOf(free)]!);
    return free;
  }

  /** Gives a span back. */
  free(start: number, length: number): void {
    this.#used -= length;
    if (length > SEGMENT_WORDS) this.#freeLongSpan(start, length);
    else if (!this.isOld(start)) this.#keep(start, length);
  }

  /**
   * Begins to clear memory out where much of it is free; false where there is nothing to do. Then comes `move`
   * for every span that `isOld`, and `endMove`; between them spans are taken and freed as ever.
   */
  beginMove(): boolean {
    if (this.#old) return true;
    const capacity = this.#bytes / 4;
    if (capacity <= SEGMENT_WORDS || this.#used * 3 > capacity * USED_THIRDS) return false;
    this.#old = new Uint8Array(this.#segments.length).fill(1);
    for (const index of this.#vacant) this.#old[index] = 0;
    this.#free.clear();
    this.#freeLong.clear();
    this.#next = this.#limit = 0;
    return true;
  }

  /** True for a span in memory that is being cleared out. */
  isOld(start: number): boolean {
    return this.#old !== null && this.#old[start >>> SEGMENT_BITS] === 1;
  }

  /** Moves a span that is old; its new start. */
  move(start: number, length: number): number {
    const to = this.take(length);
    const from = offsetOf(start);
    this.wordsOf(to).set(this.wordsOf(start).subarray(from, from + length), offsetOf(to));
    this.free(start, length);
    return to;
  }

  /** Gives the memory back that was cleared out. */
  endMove(): void {
    for (const [index, isOld] of (this.#old ?? []).entries()) {
      if (isOld === 0) continue;
      const words = this.#segments[index]!;
      if (words !== GONE) this.#bytes -= Math.min(words.length, SEGMENT_WORDS) * 4;
      this.#segments[index] = GONE;
      // No span starts at 0, so the first segment is not used again.
      if (index > 0) this.#vacant.push(index);
    }
    this.#old = null;
  }

  #keep(start: number, length: number): void {
    this.wordsOf(start)[offsetOf(start)] = this.#free.get(length) ?? NONE;
    this.#free.set(length, start);
  }

  #takeFresh(length: number): number {
    if (this.#next + length > this.#limit) {
      if (this.#next < this.#limit) {
        this.#reserve(this.#limit);
        this.#keep(this.#next, this.#limit - this.#next);
      }
      const index = this.#vacant.pop() ?? this.#segments.length;
      this.#next = index * SEGMENT_WORDS;
      this.#limit = this.#next + SEGMENT_WORDS;
      this.#segments[index] = new Uint32Array(SEGMENT_WORDS);
      this.#bytes += SEGMENT_WORDS * 4;
    }
    const start = this.#next;
    this.#next += length;
    this.#reserve(this.#next);
    return start;
  }

  /** Grows the first segment, the only one that is not whole from the start, up to an address. */
  #reserve(end: number): void {
    const first = this.#segments[0]!;
    if (end <= first.length || end > SEGMENT_WORDS) return;
    const grown = new Uint32Array(Math.min(SEGMENT_WORDS, Math.max(end, first.length * 2)));
    grown.set(first);
    this.#segments[0] = grown;
    this.#bytes += (grown.length - first.length) * 4;
  }

  #takeLong(length: number): number {
    const memory = new Uint32Array(length);
    this.#bytes += length * 4;
    const start = this.#freeLong.get(length)?.pop() ?? this.#segments.length * SEGMENT_WORDS;
    for (let at = 0; at < length; at += SEGMENT_WORDS) {
      this.#segments[(start + at) >>> SEGMENT_BITS] = memory.subarray(at);
    }
    return start;
  }

  #freeLongSpan(start: number, length: number): void {
    this.#bytes -= length * 4;
    for (let at = 0; at < length; at += SEGMENT_WORDS) {
      this.#segments[(start + at) >>> SEGMENT_BITS] = GONE;
    }
    if (this.isOld(start)) return;
    const starts = this.#freeLong.get(length);
    if (starts) starts.push(start);
    else this.#freeLong.set(length, [start]);
  }
}

const GONE = new Uint32Array(0);

/** Where a span lies in its memory. */
export function offsetOf(start: number): number {
  return start & SEGMENT_MASK;
}
