// Compresses into a block of snappy (google/snappy, format_description.txt). Matches are found by a table of
// the places where four bytes were last seen, forgotten every 64 KiB as the reference encoder does, so
// that offsets fit two bytes. Steps grow where nothing matches: what does not compress costs little.

import { putUvarint } from './bits';

/** Bytes of the table. */
export const SNAPPY_TABLE_BYTES: u32 = 32_768;

const FRAGMENT: u32 = 65_536;
const TABLE_BITS_MAX: u32 = 14;
const TABLE_BITS_MIN: u32 = 8;
/** The last bytes of a fragment are not searched, so that words can be loaded without a look at the end. */
const MARGIN: u32 = 15;

/** Compresses `size` bytes to `output`, which has room for 32 + size × 7/6 bytes; the length. */
export function snappyEncode(input: usize, size: u32, output: usize, table: usize): u32 {
  let out = putUvarint(output, size);
  for (let done: u32 = 0; done < size; done += FRAGMENT) {
    out = encodeFragment(input + done, min(FRAGMENT, size - done), out, table);
  }
  return <u32>(out - output);
}

function encodeFragment(start: usize, size: u32, out: usize, table: usize): usize {
  const end = start + size;
  if (size <= MARGIN) return putLiteral(out, start, size);
  const searchEnd = end - MARGIN;
  let bits = TABLE_BITS_MIN;
  while (bits < TABLE_BITS_MAX && <u32>1 << bits < size) bits++;
  memory.fill(table, 0, 2 << bits);
  const shift = 32 - bits;
  let pending = start;
  let at = start + 1;
  let misses: u32 = 32;
  while (at < searchEnd) {
    const word = load<u32>(at);
    const candidate = exchange(table, word, shift, at, start);
    if (load<u32>(candidate) != word) {
      at += misses++ >> 5;
      continue;
    }
    if (pending < at) out = putLiteral(out, pending, <u32>(at - pending));
    const length = matchLength(candidate, at, end);
    out = putCopy(out, <u32>(at - candidate), length);
    at += length;
    pending = at;
    misses = 32;
    if (at < searchEnd) exchange(table, load<u32>(at - 1), shift, at - 1, start);
  }
  return pending < end ? putLiteral(out, pending, <u32>(end - pending)) : out;
}

/** Where the word was last seen, `start` where it was not; it is seen here now. */
// @ts-ignore: decorator
@inline
function exchange(table: usize, word: u32, shift: u32, at: usize, start: usize): usize {
  const cell = table + (<usize>((word * 0x1e35a7bd) >> shift) << 1);
  const before = start + <usize>load<u16>(cell);
  store<u16>(cell, <u16>(at - start));
  return before;
}

/** How many bytes are alike, the first four being so. */
// @ts-ignore: decorator
@inline
function matchLength(candidate: usize, at: usize, end: usize): u32 {
  const from = at;
  at += 4;
  candidate += 4;
  for (; at + 8 <= end; at += 8, candidate += 8) {
    const change = load<u64>(at) ^ load<u64>(candidate);
    if (change != 0) return <u32>(at - from) + (<u32>ctz<u64>(change) >> 3);
  }
  while (at < end && load<u8>(at) == load<u8>(candidate)) {
    at++;
    candidate++;
  }
  return <u32>(at - from);
}

// @ts-ignore: decorator
@inline
function putLiteral(out: usize, from: usize, length: u32): usize {
  const stored = length - 1;
  if (stored < 60) {
    store<u8>(out, <u8>(stored << 2));
    out += 1;
  } else if (stored < 256) {
    store<u8>(out, 60 << 2);
    store<u8>(out, <u8>stored, 1);
    out += 2;
  } else {
    store<u8>(out, 61 << 2);
    store<u16>(out, <u16>stored, 1);
    out += 3;
  }
  if (length > 64) memory.copy(out, from, length);
  else for (let i: u32 = 0; i < length; i += 16) v128.store(out + i, v128.load(from + i));
  return out + length;
}

// @ts-ignore: decorator
@inline
function putCopy(out: usize, offset: u32, length: u32): usize {
  // No copy has more than 64 bytes, and four must be left for the last one.
  while (length >= 68) {
    out = putLongCopy(out, offset, 64);
    length -= 64;
  }
  if (length > 64) {
    out = putLongCopy(out, offset, 60);
    length -= 60;
  }
  if (length >= 12 || offset >= 2048) return putLongCopy(out, offset, length);
  store<u8>(out, <u8>(((offset >> 8) << 5) | ((length - 4) << 2) | 1));
  store<u8>(out, <u8>offset, 1);
  return out + 2;
}

// @ts-ignore: decorator
@inline
function putLongCopy(out: usize, offset: u32, length: u32): usize {
  store<u8>(out, <u8>(((length - 1) << 2) | 2));
  store<u16>(out, <u16>offset, 1);
  return out + 3;
}
