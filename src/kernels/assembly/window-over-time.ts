// What the samples of a window have in common: sums with Neumaier's compensation, extremes, counts. Each
// returns how many windows have a sample. Each sample of a window waits for the one before it, so windows of
// equal length, which most neighbours are, go four at a time: the same operations on each, side by side.

import {
  answer,
  fromOf,
  noAnswer,
  steps,
  toOf,
  valueAt,
  WINDOW_CELLS,
  WINDOW_PRESENT,
  WINDOW_VALUES,
  windowIndex,
} from './window-frame';

/** The answer of a function that leaves a series to somebody else. */
const GIVEN_UP: i32 = -1;

/** The number of samples of each of four windows from `step` on, 0 where they differ or there are fewer. */
// @ts-ignore: decorator
@inline
function fourAlike(step: u32): u32 {
  if (step + 4 > steps) return 0;
  const samples = toOf(step) - fromOf(step);
  if (toOf(step + 1) - fromOf(step + 1) != samples) return 0;
  if (toOf(step + 2) - fromOf(step + 2) != samples) return 0;
  return toOf(step + 3) - fromOf(step + 3) == samples ? samples : 0;
}

/** Where the samples of a window begin. */
// @ts-ignore: decorator
@inline
function samplesAt(step: u32): usize {
  return WINDOW_VALUES + (<usize>fromOf(step) << 3);
}

/** The samples at two places. */
// @ts-ignore: decorator
@inline
function pairAt(first: usize, second: usize): v128 {
  return v128.load_lane<u64>(second, v128.load_zero<u64>(first), 1);
}

/** Writes the answers of four windows. */
// @ts-ignore: decorator
@inline
function answerFour(step: u32, first: v128, second: v128): void {
  const at = WINDOW_CELLS + (<usize>step << 3);
  v128.store(at, first);
  v128.store(at, second, 16);
  store<u32>(WINDOW_PRESENT + step, 0x01010101);
}

// @ts-ignore: decorator
@inline
function compensated(sum: v128, value: v128, total: v128, compensation: v128): v128 {
  const isLarger = f64x2.ge(f64x2.abs(sum), f64x2.abs(value));
  const large = v128.bitselect(sum, value, isLarger);
  const small = v128.bitselect(value, sum, isLarger);
  return f64x2.add(compensation, f64x2.add(f64x2.sub(large, total), small));
}

// @ts-ignore: decorator
@inline
function isInfinite(total: v128): v128 {
  return f64x2.eq(f64x2.abs(total), f64x2.splat(Infinity));
}

/** Sums of four windows, or their means; false where a mean is not to be had from a sum. */
function sumFour(step: u32, samples: u32, isMean: bool): bool {
  const at0 = samplesAt(step);
  const at1 = samplesAt(step + 1);
  const at2 = samplesAt(step + 2);
  const at3 = samplesAt(step + 3);
  let i: u32 = 0;
  let sumA = f64x2.splat(0);
  let sumB = f64x2.splat(0);
  let compensationA = f64x2.splat(0);
  let compensationB = f64x2.splat(0);
  if (isMean) {
    sumA = pairAt(at0, at1);
    sumB = pairAt(at2, at3);
    i = 1;
  }
  for (; i < samples; i++) {
    const at = <usize>i << 3;
    const a = pairAt(at0 + at, at1 + at);
    const b = pairAt(at2 + at, at3 + at);
    const totalA = f64x2.add(sumA, a);
    const totalB = f64x2.add(sumB, b);
    const infiniteA = isInfinite(totalA);
    const infiniteB = isInfinite(totalB);
    if (isMean && v128.any_true(v128.or(infiniteA, infiniteB))) return false;
    compensationA = v128.andnot(compensated(sumA, a, totalA, compensationA), infiniteA);
    compensationB = v128.andnot(compensated(sumB, b, totalB, compensationB), infiniteB);
    sumA = totalA;
    sumB = totalB;
  }
  if (isMean) {
    const count = f64x2.splat(<f64>samples);
    sumA = f64x2.div(sumA, count);
    sumB = f64x2.div(sumB, count);
    compensationA = f64x2.div(compensationA, count);
    compensationB = f64x2.div(compensationB, count);
  }
  answerFour(step, f64x2.add(sumA, compensationA), f64x2.add(sumB, compensationB));
  return true;
}

/** What is better of each pair; NaN gives way to anything. */
// @ts-ignore: decorator
@inline
function better(value: v128, best: v128, isGreatest: bool): v128 {
  const wins = isGreatest ? f64x2.gt(value, best) : f64x2.lt(value, best);
  return v128.bitselect(value, best, v128.or(wins, f64x2.ne(best, best)));
}

/** The extremes of four windows. */
// @ts-ignore: decorator
@inline
function extremesFour(step: u32, samples: u32, isGreatest: bool): void {
  const at0 = samplesAt(step);
  const at1 = samplesAt(step + 1);
  const at2 = samplesAt(step + 2);
  const at3 = samplesAt(step + 3);
  let bestA = pairAt(at0, at1);
  let bestB = pairAt(at2, at3);
  for (let i: u32 = 1; i < samples; i++) {
    const at = <usize>i << 3;
    bestA = better(pairAt(at0 + at, at1 + at), bestA, isGreatest);
    bestB = better(pairAt(at2 + at, at3 + at), bestB, isGreatest);
  }
  answerFour(step, bestA, bestB);
}

export function windowSum(count: u32): i32 {
  const filled = windowIndex(count);
  for (let step: u32 = 0; step < steps; step++) {
    const alike = fourAlike(step);
    if (alike != 0) {
      sumFour(step, alike, false);
      step += 3;
      continue;
    }
    const to = toOf(step);
    let i = fromOf(step);
    if (i == to) {
      noAnswer(step);
      continue;
    }
    let sum: f64 = 0;
    let compensation: f64 = 0;
    for (; i < to; i++) {
      const value = valueAt(i);
      const total = sum + value;
      compensation = abs(total) == Infinity ? 0 : compensation + lost(sum, value, total);
      sum = total;
    }
    answer(step, sum + compensation);
  }
  return filled;
}

/** Means; gives the series up where a sum overflows, which asks for a running mean. */
export function windowMean(count: u32): i32 {
  const filled = windowIndex(count);
  for (let step: u32 = 0; step < steps; step++) {
    const alike = fourAlike(step);
    if (alike != 0) {
      if (!sumFour(step, alike, true)) return GIVEN_UP;
      step += 3;
      continue;
    }
    const from = fromOf(step);
    const to = toOf(step);
    if (from == to) {
      noAnswer(step);
      continue;
    }
    let sum = valueAt(from);
    let compensation: f64 = 0;
    for (let i = from + 1; i < to; i++) {
      const value = valueAt(i);
      const total = sum + value;
      if (abs(total) == Infinity) return GIVEN_UP;
      compensation += lost(sum, value, total);
      sum = total;
    }
    const samples = <f64>(to - from);
    answer(step, sum / samples + compensation / samples);
  }
  return filled;
}

/** What rounding took from a sum. */
// @ts-ignore: decorator
@inline
function lost(a: f64, b: f64, total: f64): f64 {
  const isLarger = abs(a) >= abs(b);
  const large = select(a, b, isLarger);
  const small = select(b, a, isLarger);
  return large - total + small;
}

/** The least value, NaN only where all are. */
export function windowLeast(count: u32): i32 {
  const filled = windowIndex(count);
  for (let step: u32 = 0; step < steps; step++) {
    const alike = fourAlike(step);
    if (alike != 0) {
      extremesFour(step, alike, false);
      step += 3;
      continue;
    }
    const to = toOf(step);
    let i = fromOf(step);
    if (i == to) {
      noAnswer(step);
      continue;
    }
    let best = valueAt(i);
    for (i++; i < to; i++) {
      const value = valueAt(i);
      best = select(value, best, i32(value < best) | i32(best != best));
    }
    answer(step, best);
  }
  return filled;
}

/** The greatest value, NaN only where all are. */
export function windowGreatest(count: u32): i32 {
  const filled = windowIndex(count);
  for (let step: u32 = 0; step < steps; step++) {
    const alike = fourAlike(step);
    if (alike != 0) {
      extremesFour(step, alike, true);
      step += 3;
      continue;
    }
    const to = toOf(step);
    let i = fromOf(step);
    if (i == to) {
      noAnswer(step);
      continue;
    }
    let best = valueAt(i);
    for (i++; i < to; i++) {
      const value = valueAt(i);
      best = select(value, best, i32(value > best) | i32(best != best));
    }
    answer(step, best);
  }
  return filled;
}

/** The number of samples. */
export function windowCount(count: u32): i32 {
  const filled = windowIndex(count);
  for (let step: u32 = 0; step < steps; step++) {
    const samples = toOf(step) - fromOf(step);
    if (samples == 0) noAnswer(step);
    else answer(step, <f64>samples);
  }
  return filled;
}
