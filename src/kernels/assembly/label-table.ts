// From the bytes of a series' labels, as they stand in a request, to the series' reference. Entries lie in
// the order in which they were added, so a sender that repeats its series in order walks the memory in
// order; each entry also names the one that came after it the last time, which is compared before
// anything is hashed. Two generations bound the memory: when the younger is full it becomes the elder,
// whose entries are copied back as they are used and otherwise go with the next change.

/** No store gives out this reference. */
export const NO_REF: u32 = 0xffffffff;

const BUCKETS_MIN: u32 = 1024;
/** Labels that would need more steps to find are not kept: hostile ones cannot make others slow. */
const PROBES_MAX: u32 = 64;
const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;

/** The front of an entry; the bytes follow, and the next entry at a multiple of 16. */
@unmanaged
export class Entry {
  ref: u32;
  size: u32;
  hash: u32;
  /** The entry that followed in the last request, 0 where none did. */
  follower: u32;
}

export const ENTRY_BYTES: u32 = 16;

@unmanaged
class Generation {
  /** Open addressing over addresses of entries. */
  buckets: u32;
  mask: u32;
  count: u32;
  labelBytes: u32;
  first: u32;
  next: u32;
}

const GENERATION_BYTES: u32 = 24;

let young: Generation = changetype<Generation>(0);
let old: Generation = changetype<Generation>(0);
let entriesMax: u32 = 0;
let bytesMax: u32 = 0;
let seed: u64 = 0;
/** The entry after which the next one is expected. */
let previous: u32 = 0;

/**
 * Sets the table up, once. The generations lie at `base`, each with room for its buckets and, behind them,
 * its entries.
 */
export function tableInit(base: u32, bucketBytes: u32, entryBytes: u32, entries: u32, bytes: u32, key: u32): bool {
  young = changetype<Generation>(base);
  old = changetype<Generation>(base + GENERATION_BYTES);
  entriesMax = entries;
  bytesMax = bytes;
  seed = <u64>key * PRIME_1;
  const area = base + 64;
  young.buckets = area;
  young.first = area + bucketBytes;
  old.buckets = area + bucketBytes + entryBytes;
  old.first = area + bucketBytes + entryBytes + bucketBytes;
  // The elder is never looked at before the younger has taken its place.
  return clear(young);
}

/** Entries of both generations. */
export function tableSize(): u32 {
  return young.count + old.count;
}

function clear(generation: Generation): bool {
  if (!reach(generation.first)) return false;
  generation.mask = BUCKETS_MIN - 1;
  memory.fill(generation.buckets, 0, BUCKETS_MIN << 2);
  generation.count = 0;
  generation.labelBytes = 0;
  generation.next = generation.first;
  return true;
}

/** Makes memory reach beyond `address`; false where there is none. */
function reach(address: u32): bool {
  const pages = <u32>memory.size();
  const needed = (address >> 16) + 1;
  if (needed <= pages) return true;
  const wanted = max(needed, pages + (pages >> 4));
  return memory.grow(wanted - pages) >= 0 || memory.grow(needed - pages) >= 0;
}

/** Forgets what came last, at the start of a request. */
// @ts-ignore: decorator
@inline
export function expectNothing(): void {
  previous = 0;
}

/** The entry that is expected next, 0 where none is. */
// @ts-ignore: decorator
@inline
export function expected(): u32 {
  return previous == 0 ? 0 : changetype<Entry>(previous).follower;
}

/** Says that this entry of the younger generation came now. */
// @ts-ignore: decorator
@inline
export function came(entry: u32): void {
  if (previous != 0) changetype<Entry>(previous).follower = entry;
  previous = entry;
}

/** The entry of these bytes, 0 where there is none. */
export function find(at: u32, size: u32): u32 {
  const hash = hashOf(at, size);
  const bucket = probe(young, hash, at, size);
  if (bucket != 0 && load<u32>(bucket) != 0) return load<u32>(bucket);
  if (old.count == 0) return 0;
  const elder = probe(old, hash, at, size);
  if (elder == 0 || load<u32>(elder) == 0) return 0;
  return add(hash, at, size, changetype<Entry>(load<u32>(elder)).ref);
}

/** Keeps or replaces the reference of these bytes; their entry, 0 where it could not be kept. */
export function remember(at: u32, size: u32, ref: u32): u32 {
  const hash = hashOf(at, size);
  const bucket = probe(young, hash, at, size);
  if (bucket == 0 || load<u32>(bucket) == 0) return add(hash, at, size, ref);
  const entry = load<u32>(bucket);
  changetype<Entry>(entry).ref = ref;
  return entry;
}

/** Adds bytes that the younger generation does not have. */
function add(hash: u32, at: u32, size: u32, ref: u32): u32 {
  if (size > bytesMax) return 0;
  let generation = young;
  if (generation.count >= entriesMax || generation.labelBytes + size > bytesMax) {
    if (!clear(old)) return 0;
    generation = old;
    old = young;
    young = generation;
    previous = 0;

  }
  const entry = generation.next;
  const next = entry + ENTRY_BYTES + ((size + 15) & ~15);
  if (!reach(next)) return 0;
  if (((generation.count + 1) << 1) > generation.mask) rehash(generation);
  const bucket = probe(young, hash, at, size);
  if (bucket == 0) return 0;
  const made = changetype<Entry>(entry);
  made.ref = ref;
  made.size = size;
  made.hash = hash;
  made.follower = 0;
  memory.copy(entry + ENTRY_BYTES, at, size);
  store<u32>(bucket, entry);
  generation.next = next;
  generation.count++;
  generation.labelBytes += size;
  return entry;
}

/** The bucket of these bytes, or the empty one where they would go; 0 where that is too far. */
function probe(generation: Generation, hash: u32, at: u32, size: u32): u32 {
  const mask = generation.mask;
  for (let i: u32 = 0; i < PROBES_MAX; i++) {
    const bucket = generation.buckets + (((hash + i) & mask) << 2);
    const entry = load<u32>(bucket);
    if (entry == 0) return bucket;
    if (changetype<Entry>(entry).hash == hash && holds(entry, at, size)) return bucket;
  }
  return 0;
}

/** Twice the buckets, filled anew from the entries. */
function rehash(generation: Generation): void {
  const mask = (generation.mask << 1) | 1;
  generation.mask = mask;
  memory.fill(generation.buckets, 0, (mask + 1) << 2);
  for (let entry = generation.first; entry < generation.next; ) {
    const held = changetype<Entry>(entry);
    for (let i: u32 = 0; i < PROBES_MAX; i++) {
      const bucket = generation.buckets + (((held.hash + i) & mask) << 2);
      if (load<u32>(bucket) != 0) continue;
      store<u32>(bucket, entry);
      break;
    }
    entry += ENTRY_BYTES + ((held.size + 15) & ~15);
  }
}

/** Whether an entry has these bytes. */
// @ts-ignore: decorator
@inline
export function holds(entry: u32, at: u32, size: u32): bool {
  return changetype<Entry>(entry).size == size && alike(entry + ENTRY_BYTES, at, size);
}

/** Whether as many bytes are the same in both places. */
// @ts-ignore: decorator
@inline
export function alike(held: u32, at: u32, size: u32): bool {
  if (size < 16) {
    for (let i: u32 = 0; i < size; i++) if (load<u8>(held + i) != load<u8>(at + i)) return false;
    return true;
  }
  const last = size - 16;
  for (let i: u32 = 0; i < last; i += 16) {
    if (v128.any_true(v128.xor(v128.load(held + i), v128.load(at + i)))) return false;
  }
  return !v128.any_true(v128.xor(v128.load(held + last), v128.load(at + last)));
}

/** A keyed hash, by words of eight bytes; the last one overlaps. */
export function hashOf(at: u32, size: u32): u32 {
  let hash = seed + <u64>size;
  if (size >= 8) {
    const last = size - 8;
    for (let i: u32 = 0; i < last; i += 8) hash = mix(hash, load<u64>(at + i));
    hash = mix(hash, load<u64>(at + last));
  } else {
    for (let i: u32 = 0; i < size; i++) hash = mix(hash, <u64>load<u8>(at + i));
  }
  hash = (hash ^ (hash >> 29)) * PRIME_1;
  return <u32>(hash >> 32);
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  return rotl<u64>((hash ^ word) * PRIME_2, 29) + (word ^ seed);
}
