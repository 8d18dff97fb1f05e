// Big-endian words, bit strings (most significant bit first) and Go's varints in linear memory.
// Reads may look up to 9 bytes past the addressed bit and writes may zero up to 8: callers keep that
// much room behind their buffers. WebAssembly has no byte swap; a constant SIMD shuffle is one.

/** The big-endian u64 at `at`. */
// @ts-ignore: decorator
@inline
export function loadBig64(at: usize): u64 {
  const word = v128.load_zero<u64>(at);
  return v128.extract_lane<u64>(
    v128.shuffle<u8>(word, word, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8),
    0,
  );
}

/** Stores `word` big-endian at `at`. */
// @ts-ignore: decorator
@inline
export function storeBig64(at: usize, word: u64): void {
  const lanes = v128.splat<u64>(word);
  v128.store_lane<u64>(
    at,
    v128.shuffle<u8>(lanes, lanes, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8),
    0,
  );
}

/** The 64 bits that start at bit `position` of `data`; the first 57 are valid, the rest zero. */
// @ts-ignore: decorator
@inline
export function peek57(data: usize, position: u32): u64 {
  return loadBig64(data + (position >> 3)) << (position & 7);
}

/** The `count` (1…64) bits at bit `position` of `data`. */
// @ts-ignore: decorator
@inline
export function peekBits(data: usize, position: u32, count: u32): u64 {
  const at = data + (position >> 3);
  const skip = position & 7;
  const word = (loadBig64(at) << skip) | ((<u64>load<u8>(at, 8)) >> (8 - skip));
  return word >> (64 - count);
}

/** Writes the low `count` (1…64) bits of `bits`, which has no others, at bit `position`. */
// @ts-ignore: decorator
@inline
export function putBits(data: usize, position: u32, bits: u64, count: u32): void {
  const at = data + (position >> 3);
  const skip = position & 7;
  const kept = <u64>(<u32>load<u8>(at) & (0xff00 >> skip) & 0xff);
  storeBig64(at, (kept << 56) | ((bits << (64 - count)) >> skip));
  if (skip + count > 64) store<u8>(at, <u8>(bits << (72 - skip - count)), 8);
}

/** Writes an unsigned varint at `at`; the address behind it. */
// @ts-ignore: decorator
@inline
export function putUvarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}

/** Writes a zig-zag varint at `at`; the address behind it. */
// @ts-ignore: decorator
@inline
export function putVarint(at: usize, value: i64): usize {
  return putUvarint(at, (<u64>value << 1) ^ <u64>(value >> 63));
}

/** Length of the varint at `at` in bytes, 0 where it exceeds 64 bits. */
// @ts-ignore: decorator
@inline
export function varintLength(at: usize): u32 {
  let length: u32 = 1;
  while (load<u8>(at) >= 0x80) {
    if (++length > 10) return 0;
    at++;
  }
  return length == 10 && load<u8>(at) > 1 ? 0 : length;
}

/** The unsigned varint of `length` bytes at `at`. */
// @ts-ignore: decorator
@inline
export function uvarintOf(at: usize, length: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < length; i++) value |= <u64>(load<u8>(at + i) & 0x7f) << (7 * i);
  return value;
}

/** The zig-zag varint of `length` bytes at `at`. */
// @ts-ignore: decorator
@inline
export function varintOf(at: usize, length: u32): i64 {
  const value = uvarintOf(at, length);
  return <i64>(value >> 1) ^ -<i64>(value & 1);
}
