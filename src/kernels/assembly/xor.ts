// The XOR chunk of Prometheus (tsdb/chunkenc/xor.go; the scheme is that of Facebook's Gorilla paper):
// a big-endian u16 count, the first sample as varint and raw bits, then per sample the change of the
// time step in one of five widths and the changed bits of the value. Bits of values are never touched.

import {
  loadBig64,
  peek57,
  peekBits,
  putBits,
  putUvarint,
  putVarint,
  storeBig64,
  uvarintOf,
  varintLength,
  varintOf,
} from './bits';

// What decode answers instead of a count.
const TRUNCATED: i32 = -1;
const BAD_VARINT: i32 = -2;
const BAD_WINDOW: i32 = -3;

/** Bytes readable behind a chunk's end: one sample may be read from there before it is refused. */
export const READ_PAST: usize = 32;
/** The longest sample, rounded up to bytes. */
export const SAMPLE_BYTES_MAX: u32 = 19;
/** Bytes behind a chunk's end that writing a sample may zero. */
export const WRITE_PAST: u32 = 9;

/** The leading-zeros mark of an encoder that has no window yet. */
export const NO_WINDOW: u8 = 0xff;

/**
 * The encoder's state, at the front of a series slot and wherever a batch encoder keeps it. `bits` is
 * the chunk's length in bits, its count word included.
 */
@unmanaged
export class XorState {
  lastTime: i64;
  lastValue: u64;
  delta: i64;
  bits: u32;
  count: u16;
  leading: u8;
  trailing: u8;
}

/**
 * Decodes `size` bytes at `data` into two columns and returns the count, or a negative answer for bytes
 * that are no chunk. READ_PAST bytes behind the data must be readable.
 */
export function xorDecode(data: usize, size: u32, times: usize, values: usize): i32 {
  if (size < 2) return TRUNCATED;
  const limit = size << 3;
  const count = (<u32>load<u8>(data) << 8) | <u32>load<u8>(data, 1);
  if (count == 0) return 0;

  let length = varintLength(data + 2);
  if (length == 0) return BAD_VARINT;
  let time = varintOf(data + 2, length);
  let value = loadBig64(data + 2 + length);
  let position: u32 = (10 + length) << 3;
  if (position > limit) return TRUNCATED;
  store<f64>(times, <f64>time);
  store<u64>(values, value);
  if (count == 1) return 1;

  const second = data + (position >> 3);
  length = varintLength(second);
  if (length == 0) return BAD_VARINT;
  let delta = <i64>uvarintOf(second, length);
  position += length << 3;

  // The window starts as the whole word, as in the reader that resumes a chunk upstream.
  let significant: u32 = 64;
  let shift: u32 = 0;
  let at: usize = 8;
  const end: usize = count << 3;
  let word = peek57(data, position);
  let used: u32 = 0;
  let first = true;

  while (at < end) {
    if (position > limit) return TRUNCATED;
    if (!first) {
      word = peek57(data, position);
      const zeros = <u32>clz<u64>(word);
      if (zeros >= 2) {
        // A run of samples with the same step and the same value: two zero bits each.
        const run = min<u32>(min<u32>(zeros, 56) >> 1, <u32>(end - at) >> 3);
        const stop = at + (run << 3);
        while (at < stop) {
          time += delta;
          store<f64>(times + at, <f64>time);
          store<u64>(values + at, value);
          at += 8;
        }
        position += run << 1;
        continue;
      }
      used = 1;
      if (<i64>word < 0) {
        const ones = <u32>clz<u64>(~word);
        if (<i64>(word << 1) >= 0) {
          // Scrapes that are some milliseconds late: the width they mostly have is decoded with constants.
          const raw = <i64>((word << 2) >> 50);
          delta += raw > 8192 ? raw - 16384 : raw;
          used = 16;
        } else if (ones >= 4) {
          delta += <i64>peekBits(data, position + 4, 64);
          position += 68;
          word = peek57(data, position);
          used = 0;
        } else {
          const width = 11 + 3 * ones;
          const raw = <i64>((word << (ones + 1)) >> (64 - width));
          // The field's range is asymmetric: only what exceeds 2^(width-1) is negative.
          delta += raw > (<i64>1 << (width - 1)) ? raw - (<i64>1 << width) : raw;
          used = ones + 1 + width;
        }
      }
    }
    first = false;
    time += delta;
    const rest = word << used;
    if (<i64>rest < 0) {
      used += 2;
      if (<i64>(rest << 1) < 0) {
        significant = <u32>(rest >> 51) & 63;
        if (significant == 0) significant = 64;
        const window = (<u32>(rest >> 57) & 31) + significant;
        if (window > 64) return BAD_WINDOW;
        shift = 64 - window;
        used += 11;
      }
      const changed =
        used + significant <= 57
          ? (word << used) >> (64 - significant)
          : peekBits(data, position + used, significant);
      value ^= changed << shift;
      used += significant;
    } else {
      used += 1;
    }
    position += used;
    used = 0;
    store<f64>(times + at, <f64>time);
    store<u64>(values + at, value);
    at += 8;
  }
  return position > limit ? TRUNCATED : <i32>count;
}

/** An empty chunk: only the count word. */
// @ts-ignore: decorator
@inline
export function xorReset(state: XorState): void {
  state.bits = 16;
  state.count = 0;
  state.leading = NO_WINDOW;
  state.trailing = 0;
}

/**
 * Appends a sample to the chunk at `data`, whose count word is left alone. The chunk has room for
 * SAMPLE_BYTES_MAX + WRITE_PAST more bytes.
 */
// @ts-ignore: decorator
@inline
export function xorAppend(state: XorState, data: usize, time: i64, value: u64): void {
  const count = state.count;
  state.count = count + 1;
  let position = state.bits;
  if (count == 0) {
    const behind = putVarint(data + (position >> 3), time);
    storeBig64(behind, value);
    state.bits = <u32>(behind + 8 - data) << 3;
    state.lastTime = time;
    state.lastValue = value;
    return;
  }
  // Bits wait in `head` until they can be written together with the value's.
  let head: u64 = 0;
  let pending: u32 = 1;
  const delta = time - state.lastTime;
  if (count == 1) {
    position = <u32>(putUvarint(data + (position >> 3), <u64>delta) - data) << 3;
    pending = 0;
  } else {
    const change = delta - state.delta;
    if (change != 0) {
      if (fits(change, 14)) {
        head = (2 << 14) | (<u64>change & 0x3fff);
        pending = 16;
      } else if (fits(change, 17)) {
        head = (6 << 17) | (<u64>change & 0x1ffff);
        pending = 20;
      } else if (fits(change, 20)) {
        head = (14 << 20) | (<u64>change & 0xfffff);
        pending = 24;
      } else {
        putBits(data, position, 15, 4);
        putBits(data, position + 4, <u64>change, 64);
        position += 68;
        pending = 0;
      }
    }
  }
  state.lastTime = time;
  state.delta = delta;

  let changed = value ^ state.lastValue;
  state.lastValue = value;
  if (changed == 0) {
    putBits(data, position, head << 1, pending + 1);
    state.bits = position + pending + 1;
    return;
  }
  const leading = min<u32>(<u32>clz<u64>(changed), 31);
  const trailing = <u32>ctz<u64>(changed);
  let significant: u32;
  if (
    state.leading != NO_WINDOW &&
    leading >= <u32>state.leading &&
    trailing >= <u32>state.trailing
  ) {
    significant = 64 - <u32>state.leading - <u32>state.trailing;
    changed >>= state.trailing;
    head = (head << 2) | 2;
    pending += 2;
  } else {
    significant = 64 - leading - trailing;
    changed >>= trailing;
    state.leading = <u8>leading;
    state.trailing = <u8>trailing;
    head = (head << 13) | (3 << 11) | (leading << 6) | (significant & 63);
    pending += 13;
  }
  if (pending + significant <= 64) {
    putBits(data, position, (head << significant) | changed, pending + significant);
  } else {
    putBits(data, position, head, pending);
    putBits(data, position + pending, changed, significant);
  }
  state.bits = position + pending + significant;
}

/** Whether a change of step fits a field of `width` bits: −(2^(width−1)−1) … 2^(width−1). */
// @ts-ignore: decorator
@inline
function fits(change: i64, width: i64): bool {
  const half = <i64>1 << (width - 1);
  return change > -half && change <= half;
}

/** Writes the chunk's count word; its length in bytes. */
// @ts-ignore: decorator
@inline
export function xorFinish(state: XorState, data: usize): u32 {
  store<u8>(data, <u8>(state.count >> 8));
  store<u8>(data, <u8>state.count, 1);
  return (state.bits + 7) >> 3;
}

/** Encodes `count` samples of two columns into a chunk at `data`; its length in bytes. */
export function xorEncode(state: usize, times: usize, values: usize, count: u32, data: usize): u32 {
  const chunk = changetype<XorState>(state);
  xorReset(chunk);
  for (let i: usize = 0, end: usize = count << 3; i < end; i += 8)
    xorAppend(chunk, data, <i64>load<f64>(times + i), load<u64>(values + i));
  return xorFinish(chunk, data);
}
