// Splits a hash table into shards of different sizes: from the smallest to the largest in even steps of a
// ratio that add up to two. Tables double; shards of one size would all do so at the same moment.

const PLACE_BITS = 12;
const PLACES = 1 << PLACE_BITS;

/** How many shards there are. */
export const SHARDS = 64;

/** The shard of the upper bits of a hash. */
const SHARD_OF = new Uint8Array(PLACES);
for (let place = 0; place < PLACES; place++) {
  SHARD_OF[place] = Math.floor(Math.log2(1 + place / PLACES) * SHARDS);
}

/** The shard of a hash of 32 bits, of which only the upper ones count. */
export function shardOf(hash: number): number {
  return SHARD_OF[hash >>> (32 - PLACE_BITS)]!;
}
