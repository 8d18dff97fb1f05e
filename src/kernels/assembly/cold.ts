// Reads the columns of cold blocks (src/tsdb/cold): integers as varints behind a prediction, and values made
// from them. All input is checked against its end; 16 bytes behind it must be readable.

import { loadBig64, uvarintOf, varintLength } from './bits';

const TRUNCATED: i32 = -1;
const BAD_VARINT: i32 = -2;
const BAD_KIND: i32 = -3;

const LEAST: u8 = 0;
const PREVIOUS: u8 = 1;
const SLOPE: u8 = 2;
const CONSTANT: u8 = 3;

const VALUES_CONSTANT: u8 = 0;
const VALUES_DECIMAL: u8 = 1;
const VALUES_ROUGH: u8 = 2;
const VALUES_RAW: u8 = 3;

const PLACES_MAX: u8 = 18;
const CONTINUES: u64 = 0x8080808080808080;

/** Where the reader stands, and what went wrong. */
let at: usize = 0;
let trouble: i32 = 0;

// @ts-ignore: decorator
@inline
function unzigzag(word: u64): i64 {
  return <i64>(word >> 1) ^ -<i64>(word & 1);
}

function readUvarint(end: usize): u64 {
  const length = varintLength(at);
  if (length == 0) trouble = BAD_VARINT;
  else if (at + length > end) trouble = TRUNCATED;
  if (trouble != 0) return 0;
  const value = uvarintOf(at, length);
  at += length;
  return value;
}

/** Reads `count` varints to `out` as they are. Most are one byte, so eight at a time are tried. */
function readVarints(end: usize, count: u32, out: usize): void {
  const stop = out + (<usize>count << 3);
  while (out < stop) {
    if (stop - out >= 64 && at + 8 <= end) {
      const word = load<u64>(at);
      if ((word & CONTINUES) == 0) {
        if (word == 0) {
          memory.fill(out, 0, 64);
        } else {
          const zero = i8x16.splat(0);
          const bytes = v128.load_zero<u64>(at);
          const shorts = i8x16.shuffle(bytes, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
          const low = i16x8.shuffle(shorts, zero, 0, 8, 1, 9, 2, 10, 3, 11);
          const high = i16x8.shuffle(shorts, zero, 4, 12, 5, 13, 6, 14, 7, 15);
          v128.store(out, i32x4.shuffle(low, zero, 0, 4, 1, 5));
          v128.store(out, i32x4.shuffle(low, zero, 2, 6, 3, 7), 16);
          v128.store(out, i32x4.shuffle(high, zero, 0, 4, 1, 5), 32);
          v128.store(out, i32x4.shuffle(high, zero, 2, 6, 3, 7), 48);
        }
        at += 8;
        out += 64;
        continue;
      }
      const length = (ctz(~word & CONTINUES) >> 3) + 1;
      if (length <= 8) {
        // Up to eight bytes of seven bits, gathered in three steps.
        let bits = word & (<u64>-1 >> ((8 - length) << 3)) & 0x7f7f7f7f7f7f7f7f;
        bits = (bits & 0x007f007f007f007f) | ((bits & 0x7f007f007f007f00) >> 1);
        bits = (bits & 0x00003fff00003fff) | ((bits & 0x3fff00003fff0000) >> 2);
        bits = (bits & 0x000000000fffffff) | ((bits & 0x0fffffff00000000) >> 4);
        store<u64>(out, bits);
        at += <usize>length;
        out += 8;
        continue;
      }
    }
    store<u64>(out, readUvarint(end));
    if (trouble != 0) return;
    out += 8;
  }
}

/** Reads a column of `count` ≥ 1 integers as i64. */
function readIntegers(end: usize, count: u32, out: usize): void {
  if (at >= end) {
    trouble = TRUNCATED;
    return;
  }
  const prediction = load<u8>(at++);
  let value = unzigzag(readUvarint(end));
  if (trouble != 0) return;
  const stop = out + (<usize>count << 3);
  if (prediction == CONSTANT) {
    for (; out < stop; out += 8) store<i64>(out, value);
  } else if (prediction == LEAST) {
    readVarints(end, count, out);
    for (; out < stop; out += 8) store<i64>(out, load<i64>(out) + value);
  } else if (prediction == PREVIOUS) {
    store<i64>(out, value);
    readVarints(end, count - 1, out + 8);
    for (out += 8; out < stop; out += 8) {
      value += unzigzag(load<u64>(out));
      store<i64>(out, value);
    }
  } else if (prediction == SLOPE) {
    store<i64>(out, value);
    readVarints(end, count - 1, out + 8);
    let slope: i64 = 0;
    for (out += 8; out < stop; out += 8) {
      slope += unzigzag(load<u64>(out));
      value += slope;
      store<i64>(out, value);
    }
  } else trouble = BAD_KIND;
}

function powerOfTen(places: u8): f64 {
  // Powers up to 10^22 are exact, and so is each product on the way.
  let power: f64 = 1;
  for (let i: u8 = 0; i < places; i++) power *= 10;
  return power;
}

function readDecimals(end: usize, count: u32, values: usize, ulps: usize): void {
  if (at >= end) {
    trouble = TRUNCATED;
    return;
  }
  const places = load<u8>(at++);
  if (places > PLACES_MAX) {
    trouble = BAD_KIND;
    return;
  }
  readIntegers(end, count, values);
  if (ulps != 0 && trouble == 0) readIntegers(end, count, ulps);
  if (trouble != 0) return;
  const stop = values + (<usize>count << 3);
  if (places == 0) {
    for (let i = values; i < stop; i += 8) store<f64>(i, <f64>load<i64>(i));
  } else {
    const power = powerOfTen(places);
    for (let i = values; i < stop; i += 8) store<f64>(i, <f64>load<i64>(i) / power);
  }
  if (ulps != 0) {
    for (let i = values; i < stop; i += 8, ulps += 8) {
      store<i64>(i, load<i64>(i) + load<i64>(ulps));
    }
  }
  const exceptions = readUvarint(end);
  let position: u64 = 0;
  for (let i: u64 = 0; i < exceptions && trouble == 0; i++) {
    position += readUvarint(end);
    if (at + 8 > end || position >= <u64>count) {
      trouble = TRUNCATED;
      return;
    }
    store<u64>(values + (<usize>position << 3), loadBig64(at));
    at += 8;
  }
}

function readRaw(end: usize, count: u32, values: usize): void {
  const bytes = <usize>count;
  if (at + (bytes << 3) > end) {
    trouble = TRUNCATED;
    return;
  }
  let value: u64 = 0;
  for (let i: usize = 0; i < bytes; i++) {
    let changed: u64 = 0;
    for (let plane: usize = 0; plane < 8; plane++) {
      changed = (changed << 8) | <u64>load<u8>(at + plane * bytes + i);
    }
    value ^= changed;
    store<u64>(values + (i << 3), value);
  }
  at += bytes << 3;
}

/**
 * Reads a value column of `count` ≥ 1 from `data` to `values`; `scratch` has room for another column.
 * 0, or a negative answer for bytes that are no column.
 */
export function coldValues(data: usize, size: u32, count: u32, values: usize, scratch: usize): i32 {
  const end = data + size;
  at = data + 1;
  trouble = 0;
  if (size == 0) return TRUNCATED;
  const kind = load<u8>(data);
  if (kind == VALUES_CONSTANT) {
    if (at + 8 > end) return TRUNCATED;
    const value = loadBig64(at);
    const stop = values + (<usize>count << 3);
    for (; values < stop; values += 8) store<u64>(values, value);
  } else if (kind == VALUES_DECIMAL) readDecimals(end, count, values, 0);
  else if (kind == VALUES_ROUGH) readDecimals(end, count, values, scratch);
  else if (kind == VALUES_RAW) readRaw(end, count, values);
  else return BAD_KIND;
  return trouble;
}

/**
 * Reads `count` ≥ 1 times from `data` to `times`: first, step, and how far each is off the even
 * spacing. 0, or a negative answer for bytes that are no column.
 */
export function coldTimes(data: usize, size: u32, count: u32, times: usize): i32 {
  const end = data + size;
  at = data;
  trouble = 0;
  let time = unzigzag(readUvarint(end));
  const step = <i64>readUvarint(end);
  if (trouble != 0) return trouble;
  readIntegers(end, count, times);
  const stop = times + (<usize>count << 3);
  for (; times < stop; times += 8) {
    store<f64>(times, <f64>(time + load<i64>(times)));
    time += step;
  }
  return trouble;
}
