// Finds slots by the hash of their labels: a hash table with open addressing in parts, which double one by one
// as they fill and halve as they empty, so that no series pays for the growth of all of it.

import { SHARDS, shardOf } from './uneven-shards.ts';

const INITIAL_BUCKETS = 32;

/** Slots by hash; several may share one. The hash of a slot is asked of its owner. */
export class LabelBuckets {
  /** Slot + 1, 0 where empty; linear probing from `hash & mask`. */
  readonly #shards: Uint32Array[] = [];
  readonly #sizes = new Uint32Array(SHARDS);
  readonly #hashOf: (slot: number) => number;
  #bytes = SHARDS * INITIAL_BUCKETS * 4;

  constructor(hashOf: (slot: number) => number) {
    this.#hashOf = hashOf;
    for (let i = 0; i < SHARDS; i++) this.#shards.push(new Uint32Array(INITIAL_BUCKETS));
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first slot with this hash that is accepted, −1 where there is none. */
  find(hash: number, accepts: (slot: number) => boolean): number {
    const buckets = this.#shards[shardOf(hash)]!;
    const mask = buckets.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = buckets[at]! - 1;
      if (slot < 0 || accepts(slot)) return slot;
    }
  }

  /** Adds a slot that is not there. */
  add(slot: number, hash: number): void {
    const shard = shardOf(hash);
    const size = ++this.#sizes[shard]!;
    const { length } = this.#shards[shard]!;
    if (size * 2 > length) this.#resize(shard, length * 2);
    link(this.#shards[shard]!, slot, hash);
  }

  /** Removes a slot that is there. */
  remove(slot: number, hash: number): void {
    const shard = shardOf(hash);
    const buckets = this.#shards[shard]!;
    const mask = buckets.length - 1;
    let hole = hash & mask;
    while (buckets[hole] !== slot + 1) hole = (hole + 1) & mask;
    // Later members of the run move back into the hole, so that lookups need no deletion marks.
    for (let at = (hole + 1) & mask; buckets[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(buckets[at]! - 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      buckets[hole] = buckets[at]!;
      hole = at;
    }
    buckets[hole] = 0;
    const size = --this.#sizes[shard]!;
    const { length } = buckets;
    if (size * 8 < length && length > INITIAL_BUCKETS) this.#resize(shard, length / 2);
  }

  #resize(shard: number, length: number): void {
    const old = this.#shards[shard]!;
    const buckets = new Uint32Array(length);
    for (const entry of old) if (entry !== 0) link(buckets, entry - 1, this.#hashOf(entry - 1));
    this.#shards[shard] = buckets;
    this.#bytes += (length - old.length) * 4;
  }
}

function link(buckets: Uint32Array, slot: number, hash: number): void {
  const mask = buckets.length - 1;
  let at = hash & mask;
  while (buckets[at] !== 0) at = (at + 1) & mask;
  buckets[at] = slot + 1;
}
