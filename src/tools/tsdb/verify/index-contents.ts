// What the series of an index say, collected while they are checked: other parts are held against it.

const INITIAL_CAPACITY = 1024;

/** Chunks that series refer to, as columns. */
export class ChunkReferences {
  places = new Float64Array(INITIAL_CAPACITY);
  minTimes = new Float64Array(INITIAL_CAPACITY);
  maxTimes = new Float64Array(INITIAL_CAPACITY);
  /** Offset in the index of the series' entry. */
  series = new Float64Array(INITIAL_CAPACITY);
  length = 0;

  add(series: number, place: number, minTime: number, maxTime: number): void {
    if (this.length === this.places.length) this.#grow();
    const at = this.length++;
    this.series[at] = series;
    this.places[at] = place;
    this.minTimes[at] = minTime;
    this.maxTimes[at] = maxTime;
  }

  /** Indices of the entries by place. */
  byPlace(): Uint32Array {
    const order = Uint32Array.from({ length: this.length }, (_, i) => i);
    const { places } = this;
    return order.sort((a, b) => places[a]! - places[b]! || a - b);
  }

  #grow(): void {
    this.places = grown(this.places);
    this.minTimes = grown(this.minTimes);
    this.maxTimes = grown(this.maxTimes);
    this.series = grown(this.series);
  }
}

function grown(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const out = new Float64Array(column.length * 2);
  out.set(column);
  return out;
}

/** Sets of series ids as a count and a sum of hashes, which does not depend on order. */
export class PairSets {
  readonly #slots = new Map<number, number>();
  readonly #counts: number[] = [];
  readonly #hashes: number[] = [];

  get size(): number {
    return this.#counts.length;
  }

  /** Counts a series into the pair's set. */
  add(pair: number, series: number): void {
    let slot = this.#slots.get(pair);
    if (slot === undefined) {
      slot = this.#counts.length;
      this.#slots.set(pair, slot);
      this.#counts.push(0);
      this.#hashes.push(0);
    }
    this.#counts[slot]!++;
    this.#hashes[slot] = (this.#hashes[slot]! + hashOf(series)) >>> 0;
  }

  /** True where the list is the pair's set. */
  equals(pair: number, list: ArrayLike<number>): boolean {
    const slot = this.#slots.get(pair);
    if (slot === undefined || this.#counts[slot] !== list.length) return false;
    let hash = 0;
    for (let i = 0; i < list.length; i++) hash = (hash + hashOf(list[i]!)) >>> 0;
    return hash === this.#hashes[slot];
  }
}

function hashOf(id: number): number {
  const mixed = Math.imul(id ^ (id >>> 15), 0x9e3779b1);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
