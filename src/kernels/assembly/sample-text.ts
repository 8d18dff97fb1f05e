// Samples as the JSON of the query API: `[seconds,"value"],…`. Series of one answer mostly share their times,
// whose text is kept until they change.

import { DECIMAL_BYTES, DECIMAL_END, writeNumber, writeWhole } from './decimal';

/** The most samples at a time. */
export const TEXT_SAMPLES: u32 = 2048;

const COLUMN_BYTES: usize = <usize>TEXT_SAMPLES << 3;
const HEAD_BYTES: usize = 32;

export const TEXT_TIMES: usize = (DECIMAL_END + 63) & ~63;
export const TEXT_VALUES: usize = TEXT_TIMES + COLUMN_BYTES;
const PAST_TIMES: usize = TEXT_VALUES + COLUMN_BYTES;
/** What stands before each value: 31 bytes of text behind its length. */
const HEADS: usize = PAST_TIMES + COLUMN_BYTES;
export const TEXT: usize = HEADS + <usize>TEXT_SAMPLES * HEAD_BYTES;
export const TEXT_BYTES: usize = TEXT + <usize>TEXT_SAMPLES * (HEAD_BYTES + DECIMAL_BYTES + 8) + 64;

const OPEN: u8 = 0x5b; // [
const COMMA: u8 = 0x2c; // ,
const QUOTE: u8 = 0x22; // "
const MINUS: u8 = 0x2d;
const POINT: u8 = 0x2e;
const ZERO: u8 = 0x30;
/** `"],` */
const TAIL: u32 = 0x2c5d22;

let pastCount: u32 = 0;

/** Writes the first `count` samples of the columns to TEXT, commas between; the number of bytes. */
export function textSamples(count: u32): u32 {
  if (count == 0) return 0;
  if (count > pastCount || !unchanged(count)) writeHeads(count);
  let at = TEXT;
  let head = HEADS;
  for (let i: usize = 0, end: usize = <usize>count << 3; i < end; i += 8) {
    const size = <usize>load<u8>(head);
    v128.store(at, v128.load(head, 1));
    v128.store(at, v128.load(head, 17), 16);
    head += HEAD_BYTES;
    at = writeNumber(at + size, load<f64>(TEXT_VALUES + i));
    store<u32>(at, TAIL);
    at += 3;
  }
  return <u32>(at - 1 - TEXT);
}

function unchanged(count: u32): bool {
  const end = <usize>count << 3;
  for (let at: usize = 0; at < end; at += 8) {
    if (load<u64>(TEXT_TIMES + at) != load<u64>(PAST_TIMES + at)) return false;
  }
  return true;
}

function writeHeads(count: u32): void {
  memory.copy(PAST_TIMES, TEXT_TIMES, <usize>count << 3);
  pastCount = count;
  for (let i: u32 = 0; i < count; i++) {
    const head = HEADS + <usize>i * HEAD_BYTES;
    const ms = <i64>load<f64>(TEXT_TIMES + (<usize>i << 3));
    store<u8>(head, OPEN, 1);
    let at = writeSeconds(head + 2, ms);
    store<u8>(at, COMMA);
    store<u8>(at, QUOTE, 1);
    store<u8>(head, <u8>(at + 1 - head));
  }
}

/** Milliseconds as seconds: whole, or with exactly three decimals. */
function writeSeconds(at: usize, ms: i64): usize {
  if (ms < 0) {
    store<u8>(at++, MINUS);
    ms = -ms;
  }
  const whole = <u64>ms / 1000;
  const rest = <u32>(<u64>ms - whole * 1000);
  at = writeWhole(at, whole);
  if (rest == 0) return at;
  store<u8>(at, POINT);
  store<u8>(at, ZERO + <u8>(rest / 100), 1);
  store<u8>(at, ZERO + <u8>((rest / 10) % 10), 2);
  store<u8>(at, ZERO + <u8>(rest % 10), 3);
  return at + 4;
}
