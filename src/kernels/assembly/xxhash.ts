// XXH64 with seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). Four lanes take stripes
// of 32 bytes; what is left over and the length go in at the end.

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;
const STRIPE: u32 = 32;

@unmanaged
class Lanes {
  a: u64;
  b: u64;
  c: u64;
  d: u64;
}

// @ts-ignore: decorator
@inline
function round(lane: u64, word: u64): u64 {
  return rotl<u64>(lane + word * PRIME_2, 31) * PRIME_1;
}

// @ts-ignore: decorator
@inline
function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
}

/** Starts a hash in the 32 bytes at `state`. */
export function xxhashStart(state: usize): void {
  const lanes = changetype<Lanes>(state);
  lanes.a = PRIME_1 + PRIME_2;
  lanes.b = PRIME_2;
  lanes.c = 0;
  lanes.d = 0 - PRIME_1;
}

/** Takes in whole stripes; `size` is a multiple of 32. */
export function xxhashStripes(state: usize, data: usize, size: u32): void {
  const lanes = changetype<Lanes>(state);
  let a = lanes.a;
  let b = lanes.b;
  let c = lanes.c;
  let d = lanes.d;
  for (const end = data + size; data < end; data += STRIPE) {
    a = round(a, load<u64>(data));
    b = round(b, load<u64>(data, 8));
    c = round(c, load<u64>(data, 16));
    d = round(d, load<u64>(data, 24));
  }
  lanes.a = a;
  lanes.b = b;
  lanes.c = c;
  lanes.d = d;
}

/**
 * Takes in the last bytes, fewer than 32, of `total` and puts the hash in place of the state. Stripes are
 * as many as `total` holds.
 */
export function xxhashFinish(state: usize, data: usize, size: u32, total: f64): void {
  const lanes = changetype<Lanes>(state);
  let hash: u64 = PRIME_5;
  if (total >= STRIPE) {
    hash =
      rotl<u64>(lanes.a, 1) + rotl<u64>(lanes.b, 7) + rotl<u64>(lanes.c, 12) + rotl<u64>(lanes.d, 18);
    hash = merge(hash, lanes.a);
    hash = merge(hash, lanes.b);
    hash = merge(hash, lanes.c);
    hash = merge(hash, lanes.d);
  }
  hash += <u64>total;
  const end = data + size;
  for (; data + 8 <= end; data += 8)
    hash = rotl<u64>(hash ^ round(0, load<u64>(data)), 27) * PRIME_1 + PRIME_4;
  if (data + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(data) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    data += 4;
  }
  for (; data < end; data++) hash = rotl<u64>(hash ^ (<u64>load<u8>(data) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  store<u64>(state, hash ^ (hash >> 32));
}

/** The hash of `size` bytes at `data`, in the first 8 bytes at `state`. */
export function xxhash64(state: usize, data: usize, size: u32): void {
  const whole = size & ~(STRIPE - 1);
  if (whole != 0) {
    xxhashStart(state);
    xxhashStripes(state, data, whole);
  }
  xxhashFinish(state, data + whole, size - whole, <f64>size);
}
