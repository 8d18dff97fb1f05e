// Windows over one series after another: samples lie in two columns, answers go into a row of cells. Where
// the windows begin and end depends on the times alone, and series that were collected together share their
// times; so both are kept until the times change.

/** The most samples of a series and the most steps. Address space; resident is what was used. */
export const WINDOW_SAMPLES: u32 = 1 << 18;
export const WINDOW_STEPS: u32 = 1 << 14;

const COLUMN_BYTES: usize = (<usize>WINDOW_SAMPLES + 8) << 3;
const ROW_BYTES: usize = <usize>WINDOW_STEPS << 3;

/** The columns of the series at hand. */
export const WINDOW_TIMES: usize = 1024;
export const WINDOW_VALUES: usize = WINDOW_TIMES + COLUMN_BYTES;
/** The row of answers, and one byte a step that says whether there is one. */
export const WINDOW_CELLS: usize = WINDOW_VALUES + COLUMN_BYTES;
export const WINDOW_PRESENT: usize = WINDOW_CELLS + ROW_BYTES;
/** First index of each window and the one behind its last, u32 each. */
const FROM: usize = WINDOW_PRESENT + ROW_BYTES;
const TO: usize = FROM + ROW_BYTES;
const PAST_TIMES: usize = TO + ROW_BYTES;
/** Room for what functions keep by step, and for a list of samples. */
export const KEPT: usize = PAST_TIMES + COLUMN_BYTES;
export const KEPT_ROW: usize = ROW_BYTES;
export const LIST: usize = KEPT + 4 * ROW_BYTES;
export const WINDOW_BYTES: usize = LIST + COLUMN_BYTES;

const STALE: i64 = 0x7ff0000000000002;
const NOTHING: u32 = 0xffffffff;

let startMs: f64 = 0;
let stepMs: f64 = 0;
let reachMs: f64 = 0;
export let steps: u32 = 0;
let pastCount: u32 = NOTHING;
let filled: u32 = 0;
/** False from the time the windows change until somebody sets it. */
export let keptIsRight: bool = false;

/** Windows (end − reach, end] that end at start, start + step, … */
export function windowFrame(start: f64, step: f64, count: u32, reach: f64): void {
  startMs = start;
  stepMs = step;
  steps = count;
  reachMs = reach;
  pastCount = NOTHING;
}

/** Says that what is kept by step belongs to the windows at hand. */
// @ts-ignore: decorator
@inline
export function keep(): void {
  keptIsRight = true;
}

// @ts-ignore: decorator
@inline
export function endOf(step: u32): f64 {
  return startMs + <f64>step * stepMs;
}

// @ts-ignore: decorator
@inline
export function reach(): f64 {
  return reachMs;
}

// @ts-ignore: decorator
@inline
export function fromOf(step: u32): u32 {
  return load<u32>(FROM + (<usize>step << 2));
}

// @ts-ignore: decorator
@inline
export function toOf(step: u32): u32 {
  return load<u32>(TO + (<usize>step << 2));
}

// @ts-ignore: decorator
@inline
export function timeAt(index: u32): f64 {
  return load<f64>(WINDOW_TIMES + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
export function valueAt(index: u32): f64 {
  return load<f64>(WINDOW_VALUES + (<usize>index << 3));
}

/** Writes an answer. */
// @ts-ignore: decorator
@inline
export function answer(step: u32, value: f64): void {
  store<f64>(WINDOW_CELLS + (<usize>step << 3), value);
  store<u8>(WINDOW_PRESENT + step, 1);
}

/** Writes that there is no answer. */
// @ts-ignore: decorator
@inline
export function noAnswer(step: u32): void {
  store<u8>(WINDOW_PRESENT + step, 0);
}

/** Takes stale markers out of the first `count` samples; how many are left. */
export function windowDropStale(count: u32): u32 {
  const marker = i64x2.splat(STALE);
  let i: u32 = 0;
  // One sample behind the last may be looked at: the slow walk does not count it.
  while (i < count) {
    const pair = v128.load(WINDOW_VALUES + (<usize>i << 3));
    if (v128.any_true(i64x2.eq(pair, marker))) break;
    i += 2;
  }
  if (i >= count) return count;
  let kept = i;
  for (; i < count; i++) {
    const bits = load<i64>(WINDOW_VALUES + (<usize>i << 3));
    if (bits == STALE) continue;
    store<f64>(WINDOW_TIMES + (<usize>kept << 3), timeAt(i));
    store<i64>(WINDOW_VALUES + (<usize>kept << 3), bits);
    kept++;
  }
  return kept;
}

/** Finds the windows of the first `count` samples; how many are not empty. */
export function windowIndex(count: u32): u32 {
  if (count == pastCount && unchanged(count)) return filled;
  memory.copy(PAST_TIMES, WINDOW_TIMES, <usize>count << 3);
  pastCount = count;
  keptIsRight = false;
  let from: u32 = 0;
  let to: u32 = 0;
  filled = 0;
  for (let step: u32 = 0; step < steps; step++) {
    const end = endOf(step);
    while (to < count && timeAt(to) <= end) to++;
    const begin = end - reachMs;
    while (from < to && timeAt(from) <= begin) from++;
    store<u32>(FROM + (<usize>step << 2), from);
    store<u32>(TO + (<usize>step << 2), to);
    if (from < to) filled++;
  }
  return filled;
}

function unchanged(count: u32): bool {
  const end = <usize>count << 3;
  let at: usize = 0;
  for (; at + 16 <= end; at += 16) {
    const differ = v128.xor(v128.load(WINDOW_TIMES + at), v128.load(PAST_TIMES + at));
    if (v128.any_true(differ)) return false;
  }
  return at == end || load<i64>(WINDOW_TIMES + at) == load<i64>(PAST_TIMES + at);
}

/**
 * Writes the newest sample of each window, unless it is the stale marker; how many there are. Markers are
 * not taken out before.
 */
export function windowNewest(count: u32): u32 {
  windowIndex(count);
  let found: u32 = 0;
  for (let step: u32 = 0; step < steps; step++) {
    const to = toOf(step);
    const bits = fromOf(step) < to ? load<i64>(WINDOW_VALUES + (<usize>(to - 1) << 3)) : STALE;
    store<i64>(WINDOW_CELLS + (<usize>step << 3), bits);
    const present = <u32>(bits != STALE);
    store<u8>(WINDOW_PRESENT + step, <u8>present);
    found += present;
  }
  return found;
}
