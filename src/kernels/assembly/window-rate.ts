// Growth over windows, stretched to their edges, as in Prometheus (promql/functions.go, extrapolatedRate).

import {
  answer,
  endOf,
  fromOf,
  KEPT,
  KEPT_ROW,
  keep,
  keptIsRight,
  LIST,
  noAnswer,
  reach,
  steps,
  timeAt,
  toOf,
  valueAt,
  WINDOW_VALUES,
  windowIndex,
} from './window-frame';

/** Gaps up to this many average intervals are bridged in full. */
const THRESHOLD: f64 = 1.1;

// Kept by step, in seconds: what the difference is stretched by where no counter's zero is in the way, the
// time between the window's first and last sample, and what is added to it on either side.
const FACTOR: usize = KEPT;
const SAMPLED: usize = KEPT + KEPT_ROW;
const TO_START: usize = KEPT + 2 * KEPT_ROW;
const TO_END: usize = KEPT + 3 * KEPT_ROW;

/**
 * Writes the growth of each window of two samples or more, per second where `seconds` (the window's length)
 * is not 0. A counter's falls are resets to zero. Returns how many windows have a sample.
 */
export function windowGrowth(count: u32, counter: bool, seconds: f64): u32 {
  const filled = windowIndex(count);
  if (!keptIsRight) keepFactors(seconds);
  const resets: u32 = counter ? listResets(count) : 0;
  let next: u32 = 0;
  for (let step: u32 = 0; step < steps; step++) {
    const from = fromOf(step);
    const to = toOf(step);
    if (to < from + 2) {
      noAnswer(step);
      continue;
    }
    const first = valueAt(from);
    let result = valueAt(to - 1) - first;
    if (resets != 0) {
      while (next < resets && resetAt(next) <= from) next++;
      for (let r = next; r < resets && resetAt(r) < to; r++) result += valueAt(resetAt(r) - 1);
    }
    const at = <usize>step << 3;
    let factor = load<f64>(FACTOR + at);
    if (counter && result > 0 && first >= 0) {
      // Where the counter is larger than its growth, zero lies further away than any edge that is reached.
      const isNear = first < result || load<f64>(SAMPLED + at) < load<f64>(TO_START + at);
      if (isNear) factor = factorFromZero(at, first / result, seconds);
    }
    answer(step, result * factor);
  }
  return filled;
}

function keepFactors(seconds: f64): void {
  for (let step: u32 = 0; step < steps; step++) {
    const from = fromOf(step);
    const to = toOf(step);
    if (to < from + 2) continue;
    const end = endOf(step);
    const first = timeAt(from);
    const last = timeAt(to - 1);
    const sampled = (last - first) / 1000;
    const average = sampled / <f64>(to - from - 1);
    const threshold = average * THRESHOLD;
    let toStart = (first - (end - reach())) / 1000;
    let toEnd = (end - last) / 1000;
    if (toStart >= threshold) toStart = average / 2;
    if (toEnd >= threshold) toEnd = average / 2;
    const at = <usize>step << 3;
    store<f64>(SAMPLED + at, sampled);
    store<f64>(TO_START + at, toStart);
    store<f64>(TO_END + at, toEnd);
    store<f64>(FACTOR + at, stretch(sampled, toStart, toEnd, seconds));
  }
  keep();
}

/** The factor where the line to the counter's zero may end before the window begins. */
function factorFromZero(at: usize, share: f64, seconds: f64): f64 {
  const sampled = load<f64>(SAMPLED + at);
  const toStart = load<f64>(TO_START + at);
  const toZero = sampled * share;
  return stretch(sampled, toZero < toStart ? toZero : toStart, load<f64>(TO_END + at), seconds);
}

// @ts-ignore: decorator
@inline
function stretch(sampled: f64, toStart: f64, toEnd: f64, seconds: f64): f64 {
  const factor = (sampled + toStart + toEnd) / sampled;
  return seconds == 0 ? factor : factor / seconds;
}

/** Lists the samples that lie below the one before; how many. */
function listResets(count: u32): u32 {
  let resets: u32 = 0;
  let i: u32 = 1;
  for (; i + 1 < count; i += 2) {
    const at = WINDOW_VALUES + (<usize>i << 3);
    const falls = f64x2.lt(v128.load(at), v128.load(at - 8));
    if (!v128.any_true(falls)) continue;
    if (valueAt(i) < valueAt(i - 1)) addReset(resets++, i);
    if (valueAt(i + 1) < valueAt(i)) addReset(resets++, i + 1);
  }
  if (i < count && valueAt(i) < valueAt(i - 1)) addReset(resets++, i);
  return resets;
}

// @ts-ignore: decorator
@inline
function addReset(number: u32, index: u32): void {
  store<u32>(LIST + (<usize>number << 2), index);
}

// @ts-ignore: decorator
@inline
function resetAt(number: u32): u32 {
  return load<u32>(LIST + (<usize>number << 2));
}
