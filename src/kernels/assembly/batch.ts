// Batches of samples: the host fills columns, then judge → encode → apply or discard. What was accepted is
// remembered here by address, so the host's columns need not be trusted for memory safety.

import { putUvarint, putVarint, storeBig64 } from './bits';
import { CELLS, SPAN } from './layout';
import { freshSpansLeft, returnSpans, spansLeft, takeSpans } from './slab';
import { appendSample, Slot, slotOf } from './slots';

const ACCEPTED: u8 = 0;
const OUT_OF_ORDER: u8 = 1;
const DUPLICATE: u8 = 2;
const OUT_OF_BOUNDS: u8 = 3;
const IDENTICAL: u8 = 4;
const NO_SERIES: u8 = 5;

/** Times beyond are no exact doubles. */
const TIME_MAX: f64 = 9007199254740991;

const SAMPLES_RECORD: u8 = 2;
const RECORD_HEADER: u32 = 17;
/** Two varints and the value. */
const RECORD_SAMPLE: u32 = 28;

let capacity: u32 = 0;
let area: u32 = 0;
let areaSpans: u32 = 0;
let times: u32 = 0;
let values: u32 = 0;
let slots: u32 = 0;
let touched: u32 = 0;
let status: u32 = 0;
let record: u32 = 0;
let judged: u32 = 0;

/**
 * Makes room for `count` samples, keeping what is in the columns, and writes the columns' addresses and
 * their capacity to CELLS. False where memory cannot hold the columns and what `count` samples may need.
 */
export function batchReserve(count: u32): bool {
  // A sample takes at most one block of 1 KiB and one of a fresh chunk; each size class may start a span.
  const forChunks = count / 12 + 80;
  if (count > capacity) {
    let wanted = max<u32>(capacity, 1024);
    while (wanted < count) wanted <<= 1;
    const bytes = wanted * (8 + 8 + 4 + 4 + 1 + RECORD_SAMPLE) + RECORD_HEADER + 16;
    const spans = (bytes + SPAN - 1) / SPAN;
    if (freshSpansLeft() < spans || spansLeft() < spans + forChunks) return false;
    moveTo(takeSpans(spans), wanted);
    areaSpans = spans;
  } else if (spansLeft() < forChunks) {
    return false;
  }
  store<f64>(CELLS, <f64>slots);
  store<f64>(CELLS, <f64>times, 8);
  store<f64>(CELLS, <f64>values, 16);
  store<f64>(CELLS, <f64>status, 24);
  store<f64>(CELLS, <f64>capacity, 32);
  return true;
}

function moveTo(place: u32, wanted: u32): void {
  const newTimes = place;
  const newValues = newTimes + (wanted << 3);
  const newSlots = newValues + (wanted << 3);
  const newTouched = newSlots + (wanted << 2);
  const newStatus = newTouched + (wanted << 2);
  if (capacity != 0) {
    memory.copy(newTimes, times, capacity << 3);
    memory.copy(newValues, values, capacity << 3);
    memory.copy(newSlots, slots, capacity << 2);
    memory.copy(newTouched, touched, capacity << 2);
    memory.copy(newStatus, status, capacity);
    returnSpans(area, areaSpans);
  }
  area = place;
  times = newTimes;
  values = newValues;
  slots = newSlots;
  touched = newTouched;
  status = newStatus;
  record = newStatus + wanted;
  capacity = wanted;
}

/** Samples under judgement. */
export function batchJudged(): u32 {
  return judged;
}

/**
 * Judges the first `count` samples from the start, whatever was judged before. Returns how many are
 * accepted; their earliest and latest time go to CELLS.
 */
export function batchJudge(count: u32, minValidTime: f64): u32 {
  batchDiscard();
  if (count > capacity) unreachable();
  let accepted: u32 = 0;
  let earliest: f64 = Infinity;
  let latest: f64 = -Infinity;
  for (let i: u32 = 0; i < count; i++) {
    const slot = slotOf(load<u32>(slots + (i << 2)));
    const verdict = slot === null ? NO_SERIES : judgeOne(slot, i, minValidTime);
    store<u8>(status + i, verdict);
    if (verdict != ACCEPTED) {
      store<u32>(touched + (i << 2), 0);
      continue;
    }
    slot!.staged = i + 1;
    store<u32>(touched + (i << 2), <u32>changetype<usize>(slot));
    const time = load<f64>(times + (i << 3));
    earliest = min(earliest, time);
    latest = max(latest, time);
    accepted++;
  }
  judged = count;
  store<f64>(CELLS, earliest);
  store<f64>(CELLS, latest, 8);
  return accepted;
}

// @ts-ignore: decorator
@inline
function judgeOne(slot: Slot, i: u32, minValidTime: f64): u8 {
  const time = load<f64>(times + (i << 3));
  // Written so that NaN is out of bounds, too.
  if (!(time >= minValidTime && time >= -TIME_MAX && time <= TIME_MAX)) return OUT_OF_BOUNDS;
  let lastTime = <f64>slot.lastTime;
  let lastValue = slot.lastValue;
  if (slot.staged != 0) {
    const at = (slot.staged - 1) << 3;
    lastTime = load<f64>(times + at);
    lastValue = load<u64>(values + at);
  }
  if (time > lastTime) return ACCEPTED;
  if (time < lastTime) return OUT_OF_ORDER;
  return load<u64>(values + (i << 3)) == lastValue ? IDENTICAL : DUPLICATE;
}

/**
 * Writes the accepted samples as a samples record of Prometheus' write-ahead log (tsdb/record) and
 * returns its length, 0 where nothing was accepted.
 */
export function batchEncode(): u32 {
  let at: usize = record;
  let baseRef: i64 = 0;
  let baseTime: i64 = 0;
  for (let i: u32 = 0; i < judged; i++) {
    const address = load<u32>(touched + (i << 2));
    if (address == 0) continue;
    const ref = <i64>changetype<Slot>(address).ref;
    const time = <i64>load<f64>(times + (i << 3));
    if (at == record) {
      baseRef = ref;
      baseTime = time;
      store<u8>(at, SAMPLES_RECORD);
      storeBig64(at + 1, <u64>ref);
      storeBig64(at + 9, <u64>time);
      at += RECORD_HEADER;
    }
    at = putVarint(at, ref - baseRef);
    at = putVarint(at, time - baseTime);
    storeBig64(at, load<u64>(values + (i << 3)));
    at += 8;
  }
  return <u32>at - record;
}

/** Where batchEncode writes. */
export function batchRecord(): u32 {
  return record;
}

/** Appends the accepted samples to their series; how many. */
export function batchApply(): u32 {
  let applied: u32 = 0;
  for (let i: u32 = 0; i < judged; i++) {
    const address = load<u32>(touched + (i << 2));
    if (address == 0) continue;
    const slot = changetype<Slot>(address);
    slot.staged = 0;
    appendSample(slot, <i64>load<f64>(times + (i << 3)), load<u64>(values + (i << 3)));
    applied++;
  }
  judged = 0;
  return applied;
}

/** Forgets the judgement. */
export function batchDiscard(): void {
  for (let i: u32 = 0; i < judged; i++) {
    const address = load<u32>(touched + (i << 2));
    if (address != 0) changetype<Slot>(address).staged = 0;
  }
  judged = 0;
}
