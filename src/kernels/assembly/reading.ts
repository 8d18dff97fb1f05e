// Reading series: chunk by chunk, or decoded into the arena's columns. Slots are given by index; an index
// without series reads as empty.

import { CELLS, COLUMN, INPUT, TIMES, VALUES } from './layout';
import { BLOCK_BYTES_MAX, spansLeft } from './slab';
import { addClosed, Chunk, CHUNK_HEADER, dropChunksBefore, maxTimeOf, settle, Slot, slotOf } from './slots';
import { xorDecode } from './xor';

const NO_SERIES: i32 = -4;
const NO_SAMPLES: i32 = -5;
const NOT_ASCENDING: i32 = -6;
const NOT_NEWER: i32 = -7;
const OTHER_RANGE: i32 = -8;
const TOO_LONG: i32 = -9;
const NO_MEMORY: i32 = -10;

/** Times beyond are no exact doubles. */
const TIME_MAX: f64 = 9007199254740991;
const DURATION_MAX: f64 = 4294967295;

/**
 * The first chunk behind `after` (0 for all) that overlaps minTime…maxTime, 0 where there is none. Its
 * range, the address of its bytes and their number go to CELLS.
 */
export function nextChunk(index: u32, after: u32, minTime: f64, maxTime: f64): u32 {
  const slot = slotOf(index);
  if (slot === null) return 0;
  const chunk = overlapping(slot, after, minTime, maxTime);
  if (chunk == 0) return 0;
  const header = changetype<Chunk>(chunk);
  store<f64>(CELLS, header.minTime);
  store<f64>(CELLS, maxTimeOf(chunk), 8);
  store<f64>(CELLS, <f64>(chunk + CHUNK_HEADER), 16);
  store<f64>(CELLS, <f64>header.size, 24);
  return chunk;
}

function overlapping(slot: Slot, after: u32, minTime: f64, maxTime: f64): u32 {
  let chunk = after == 0 ? slot.first : after == slot.open ? 0 : changetype<Chunk>(after).next;
  for (; chunk != 0; chunk = changetype<Chunk>(chunk).next) {
    if (changetype<Chunk>(chunk).minTime > maxTime) return 0;
    if (maxTimeOf(chunk) >= minTime) return chunk;
  }
  const open = slot.open;
  if (open == 0 || after == open) return 0;
  if (changetype<Chunk>(open).minTime > maxTime || <f64>slot.lastTime < minTime) return 0;
  settle(slot);
  return open;
}

/**
 * Decodes chunks behind `after` into the columns until they are full. The samples of minTime…maxTime are
 * those from CELLS[0] to before CELLS[1]. Returns the chunk to go on behind, 0 at the end.
 */
export function readSamples(index: u32, after: u32, minTime: f64, maxTime: f64): u32 {
  let count: u32 = 0;
  let from: u32 = 0;
  let to: u32 = 0;
  const slot = slotOf(index);
  let chunk = slot === null ? 0 : overlapping(slot, after, minTime, maxTime);
  while (chunk != 0) {
    const header = changetype<Chunk>(chunk);
    if (count + header.count > COLUMN) break;
    const place: usize = count << 3;
    const decoded = xorDecode(chunk + CHUNK_HEADER, header.size, TIMES + place, VALUES + place);
    if (decoded < 0) unreachable();
    if (count == 0 && header.minTime < minTime) from = lowerBound(0, decoded, minTime);
    to = count + decoded;
    if (maxTimeOf(chunk) > maxTime) to = lowerBound(count, to, Math.floor(maxTime) + 1);
    count += decoded;
    after = chunk;
    chunk = overlapping(slot!, after, minTime, maxTime);
  }
  store<f64>(CELLS, <f64>from);
  store<f64>(CELLS, <f64>max(from, to), 8);
  return chunk == 0 ? 0 : after;
}

/** Index of the first time ≥ `time` in from…to−1 of the column, `to` where there is none. */
function lowerBound(from: u32, to: u32, time: f64): u32 {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (load<f64>(TIMES + (<usize>middle << 3)) < time) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Appends the chunk of `size` bytes at INPUT to a series; its count, or a negative answer. */
export function loadChunk(index: u32, size: u32, minTime: f64, maxTime: f64): i32 {
  const slot = slotOf(index);
  if (slot === null || slot.staged != 0) return NO_SERIES;
  if (CHUNK_HEADER + size > BLOCK_BYTES_MAX) return TOO_LONG;
  const count = xorDecode(INPUT, size, TIMES, VALUES);
  if (count < 0) return count;
  if (count == 0) return NO_SAMPLES;
  for (let i = 1; i < count; i++) {
    const at = TIMES + (<usize>i << 3);
    if (!(load<f64>(at) > load<f64>(at - 8))) return NOT_ASCENDING;
  }
  const end: usize = <usize>(count - 1) << 3;
  const first = load<f64>(TIMES);
  const last = load<f64>(TIMES + end);
  if (first != minTime || last != maxTime || first < -TIME_MAX || last > TIME_MAX)
    return OTHER_RANGE;
  if (first <= <f64>slot.lastTime) return NOT_NEWER;
  if (last - first > DURATION_MAX) return TOO_LONG;
  // One span for the chunk, one for the open chunk that is closed before it.
  if (spansLeft() < 2) return NO_MEMORY;
  addClosed(slot, INPUT, size, first, last);
  slot.lastTime = <i64>last;
  slot.lastValue = load<u64>(VALUES + end);
  return count;
}

/** Releases chunks that end before `time`; how many are left. */
export function dropBefore(index: u32, time: f64): u32 {
  const slot = slotOf(index);
  return slot === null ? 0 : dropChunksBefore(slot, time);
}

/** Time of the oldest sample held, Infinity where none is. */
export function slotMinTime(index: u32): f64 {
  const slot = slotOf(index);
  if (slot === null) return Infinity;
  const chunk = slot.first != 0 ? slot.first : slot.open;
  return chunk == 0 ? Infinity : changetype<Chunk>(chunk).minTime;
}

/** Time of the newest sample held, −Infinity where none is. */
export function slotMaxTime(index: u32): f64 {
  const slot = slotOf(index);
  return slot === null ? -Infinity : newestOf(slot);
}

// @ts-ignore: decorator
@inline
function newestOf(slot: Slot): f64 {
  if (slot.open != 0) return <f64>slot.lastTime;
  return slot.last == 0 ? -Infinity : maxTimeOf(slot.last);
}

/** Samples held. */
export function slotSamples(index: u32): u32 {
  const slot = slotOf(index);
  if (slot === null) return 0;
  let count: u32 = slot.open != 0 ? slot.count : 0;
  for (let chunk = slot.first; chunk != 0; chunk = changetype<Chunk>(chunk).next)
    count += changetype<Chunk>(chunk).count;
  return count;
}

/** Whether a chunk overlaps minTime…maxTime. */
export function slotOverlaps(index: u32, minTime: f64, maxTime: f64): bool {
  const slot = slotOf(index);
  return slot !== null && reachesInto(slot, minTime, maxTime);
}

// The open chunk is asked first: most readers want the newest samples, and a list is slow to walk.
// @ts-ignore: decorator
@inline
function reachesInto(slot: Slot, minTime: f64, maxTime: f64): bool {
  const open = slot.open;
  if (open != 0 && <f64>slot.lastTime >= minTime && changetype<Chunk>(open).minTime <= maxTime)
    return true;
  for (let chunk = slot.first; chunk != 0; chunk = changetype<Chunk>(chunk).next) {
    if (changetype<Chunk>(chunk).minTime > maxTime) return false;
    if (maxTimeOf(chunk) >= minTime) return true;
  }
  return false;
}

/** The most slots of one `newestIn`. */
export const NEWEST: u32 = 1024;

/**
 * For each of `count` slots at INPUT the time of its newest sample as an f64 behind the last of NEWEST slots,
 * −Infinity where no chunk overlaps minTime…maxTime.
 */
export function newestIn(count: u32, minTime: f64, maxTime: f64): void {
  const out = INPUT + (<usize>NEWEST << 2);
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(INPUT + (<usize>i << 2));
    const slot = slotOf(index);
    const isIn = slot !== null && reachesInto(slot, minTime, maxTime);
    store<f64>(out + (<usize>i << 3), isIn ? newestOf(slot!) : -Infinity);
  }
}

/** Writes time and value of the newest sample ever taken to CELLS; false where there was none. */
export function slotLast(index: u32): bool {
  const slot = slotOf(index);
  if (slot === null || slot.lastTime == i64.MIN_VALUE) return false;
  store<f64>(CELLS, <f64>slot.lastTime);
  store<u64>(CELLS, slot.lastValue, 8);
  return true;
}

/** The owner's number, −1 where the slot has no series. */
export function slotRef(index: u32): f64 {
  const slot = slotOf(index);
  return slot === null ? -1 : slot.ref;
}
