// What the samples of a window have in common: sums with Neumaier's compensation, extremes, counts. Each
// returns how many windows have a sample.

import { answer, fromOf, noAnswer, steps, toOf, valueAt, windowIndex } from './window-frame';

/** The answer of a function that leaves a series to somebody else. */
const GIVEN_UP: i32 = -1;

export function windowSum(count: u32): i32 {
  const filled = windowIndex(count);
  for (let step: u32 = 0; step < steps; step++) {
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
