// Small sorted buffers of samples, all in one flat array: 4 samples at first, then 8, 16 and 32. A buffer's
// times lie in front of its values.

/** Most samples of a buffer. */
export const BUFFER_SAMPLES_MAX = 32;

const CAPACITY_MIN = 4;
const INITIAL_BUFFERS = 16;
/** Ends a list of free spans; no span starts at 0. */
const NONE = 0;

/** Buffers by number, counted from 0. */
export class SampleBuffers {
  #cells = new Float64Array(256);
  #end = 1;
  /** First free span by capacity; each holds the start of the next in its first cell. */
  readonly #free = new Uint32Array(BUFFER_SAMPLES_MAX + 1);
  #starts = new Uint32Array(INITIAL_BUFFERS);
  #capacities = new Uint8Array(INITIAL_BUFFERS);
  #counts = new Uint8Array(INITIAL_BUFFERS);
  #buffers = 0;

  /** Bytes of memory held. */
  get bytes(): number {
    return this.#cells.byteLength + this.#starts.length * 6;
  }

  /** Adds an empty buffer and returns its number. */
  create(): number {
    const buffer = this.#buffers++;
    if (buffer === this.#starts.length) {
      const length = this.#starts.length * 2;
      this.#starts = grown(this.#starts, new Uint32Array(length));
      this.#capacities = grown(this.#capacities, new Uint8Array(length));
      this.#counts = grown(this.#counts, new Uint8Array(length));
    }
    this.#starts[buffer] = this.#take(CAPACITY_MIN);
    this.#capacities[buffer] = CAPACITY_MIN;
    return buffer;
  }

  /** Samples in the buffer. */
  count(buffer: number): number {
    return this.#counts[buffer]!;
  }

  /** A view of the buffer's times, ascending; valid until the next insertion. */
  times(buffer: number): Float64Array {
    const start = this.#starts[buffer]!;
    return this.#cells.subarray(start, start + this.#counts[buffer]!);
  }

  /** A view of the values beside `times`. */
  values(buffer: number): Float64Array {
    const start = this.#starts[buffer]! + this.#capacities[buffer]!;
    return this.#cells.subarray(start, start + this.#counts[buffer]!);
  }

  /** Index of the first time ≥ `time`, the count where there is none. */
  place(buffer: number, time: number): number {
    const start = this.#starts[buffer]!;
    let at = this.#counts[buffer]!;
    // Late samples mostly come in order among themselves.
    while (at > 0 && this.#cells[start + at - 1]! >= time) at--;
    return at;
  }

  /** Puts a sample at its place, which `place` gave; the buffer is not full. Bits are kept. */
  insert(buffer: number, place: number, time: number, values: Float64Array, index: number): void {
    const count = this.#counts[buffer]!;
    if (count === this.#capacities[buffer]) this.#grow(buffer);
    const times = this.#starts[buffer]!;
    const beside = times + this.#capacities[buffer]!;
    const cells = this.#cells;
    cells.copyWithin(times + place + 1, times + place, times + count);
    cells.copyWithin(beside + place + 1, beside + place, beside + count);
    cells[times + place] = time;
    cells[beside + place] = values[index]!;
    this.#counts[buffer] = count + 1;
  }

  /** Empties the buffer. */
  clear(buffer: number): void {
    this.#counts[buffer] = 0;
  }

  #grow(buffer: number): void {
    const from = this.#starts[buffer]!;
    const held = this.#capacities[buffer]!;
    const to = this.#take(held * 2);
    this.#cells.copyWithin(to, from, from + held);
    this.#cells.copyWithin(to + held * 2, from + held, from + held * 2);
    this.#cells[from] = this.#free[held]!;
    this.#free[held] = from;
    this.#starts[buffer] = to;
    this.#capacities[buffer] = held * 2;
  }

  #take(capacity: number): number {
    const free = this.#free[capacity]!;
    if (free !== NONE) {
      this.#free[capacity] = this.#cells[free]!;
      return free;
    }
    const start = this.#end;
    this.#end += capacity * 2;
    if (this.#end > this.#cells.length) {
      const length = Math.max(this.#end, Math.ceil(this.#cells.length * 1.5));
      this.#cells = grown(this.#cells, new Float64Array(length));
    }
    return start;
  }
}

function grown<T extends Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
