// Series slots and their chunks. A slot is one cache line; closed chunks hang on it as a list in time
// order, the open one apart. Chunks are cut as Prometheus' head cuts them (tsdb/head_append.go).

import { SLOT_SPANS, SPAN } from './layout';
import {
  blockBytes,
  blockBytesFor,
  heapInit,
  returnBlock,
  spansLeft,
  takeBlock,
  takeSpan,
} from './slab';
import { SAMPLE_BYTES_MAX, WRITE_PAST, xorAppend, xorFinish, xorReset, XorState } from './xor';

/** A series. The encoder's state in front belongs to the open chunk. */
@unmanaged
export class Slot extends XorState {
  /** The open chunk is cut before a sample at this time. */
  nextAt: i64;
  /** The owner's number; FREE marks a slot without series. */
  ref: f64;
  /** Address of the open chunk, 0 where there is none. */
  open: u32;
  /** The oldest and newest closed chunk; `first` links free slots (index + 1). */
  first: u32;
  last: u32;
  /** Index + 1 of the series' last sample accepted in the batch under judgement. */
  staged: u32;
}

/** The front of a chunk; its bytes follow. What only the slot knows of an open one is brought up by `settle`. */
@unmanaged
export class Chunk {
  minTime: f64;
  /** maxTime − minTime. */
  duration: u32;
  next: u32;
  size: u16;
  count: u16;
}

export const CHUNK_HEADER: u32 = 20;
const FREE: f64 = -1;
const NEVER: i64 = i64.MIN_VALUE;
const SLOT_BYTES: u32 = 64;
const SLOTS_PER_SPAN: u32 = SPAN / SLOT_BYTES;
/** An open chunk longer than this is cut: chunks end below 1 KiB whatever the next sample. */
const OPEN_BYTES_MAX: u32 = 1024 - SAMPLE_BYTES_MAX;
const OPEN_BLOCK_MAX: u32 = CHUNK_HEADER + 1024 + WRITE_PAST;
/** Holds a chunk of 120 samples that never change. */
const OPEN_BLOCK_FIRST: u32 = 96;

let chunkRange: i64 = 0;
let samplesPerChunk: u32 = 0;
let slotsMade: u32 = 0;
let freeSlot: u32 = 0;
let seriesCount: u32 = 0;
let chunkCount: u32 = 0;

/** Once, before anything else. */
export function arenaInit(chunkRangeMs: f64, samples: u32, pages: u32): void {
  chunkRange = <i64>chunkRangeMs;
  samplesPerChunk = samples;
  heapInit(pages);
}

export function arenaSeriesCount(): u32 {
  return seriesCount;
}

export function arenaChunkCount(): u32 {
  return chunkCount;
}

// @ts-ignore: decorator
@inline
export function addressOf(index: u32): u32 {
  const span = load<u32>(SLOT_SPANS + ((index / SLOTS_PER_SPAN) << 2));
  return span + (index % SLOTS_PER_SPAN) * SLOT_BYTES;
}

/** The slot of that index, null where no series has it. */
// @ts-ignore: decorator
@inline
export function slotOf(index: u32): Slot | null {
  if (index >= slotsMade) return null;
  const slot = changetype<Slot>(addressOf(index));
  return slot.ref == FREE ? null : slot;
}

/** The new series' slot, −1 where memory is exhausted. */
export function createSlot(ref: f64): i32 {
  let index: u32;
  if (freeSlot != 0) {
    index = freeSlot - 1;
    freeSlot = changetype<Slot>(addressOf(index)).first;
  } else {
    if (slotsMade % SLOTS_PER_SPAN == 0) {
      if (spansLeft() == 0) return -1;
      store<u32>(SLOT_SPANS + ((slotsMade / SLOTS_PER_SPAN) << 2), takeSpan());
    }
    index = slotsMade++;
  }
  const slot = changetype<Slot>(addressOf(index));
  slot.lastTime = NEVER;
  slot.lastValue = 0;
  slot.delta = 0;
  slot.ref = ref;
  slot.nextAt = 0;
  slot.open = 0;
  slot.first = 0;
  slot.last = 0;
  slot.staged = 0;
  xorReset(slot);
  seriesCount++;
  return index;
}

/** Releases a slot and its chunks; false where it has none to release or a sample waits in a batch. */
export function freeSlotAt(index: u32): bool {
  const slot = slotOf(index);
  if (slot === null || slot.staged != 0) return false;
  for (let chunk = slot.first; chunk != 0; ) {
    const next = changetype<Chunk>(chunk).next;
    dropChunk(chunk);
    chunk = next;
  }
  if (slot.open != 0) dropChunk(slot.open);
  slot.ref = FREE;
  slot.open = 0;
  slot.first = freeSlot;
  freeSlot = index + 1;
  seriesCount--;
  return true;
}

function dropChunk(chunk: u32): void {
  returnBlock(chunk);
  chunkCount--;
}

// @ts-ignore: decorator
@inline
export function maxTimeOf(chunk: u32): f64 {
  const header = changetype<Chunk>(chunk);
  return header.minTime + <f64>header.duration;
}

/** Releases chunks that end before `time`; how many are left. */
export function dropChunksBefore(slot: Slot, time: f64): u32 {
  let chunk = slot.first;
  while (chunk != 0 && maxTimeOf(chunk) < time) {
    const next = changetype<Chunk>(chunk).next;
    dropChunk(chunk);
    chunk = next;
  }
  slot.first = chunk;
  if (chunk == 0) slot.last = 0;
  if (slot.open != 0 && <f64>slot.lastTime < time) {
    dropChunk(slot.open);
    slot.open = 0;
  }
  let left: u32 = slot.open != 0 ? 1 : 0;
  for (; chunk != 0; chunk = changetype<Chunk>(chunk).next) left++;
  return left;
}

/** Brings the open chunk's front and count word up to date. */
export function settle(slot: Slot): void {
  const header = changetype<Chunk>(slot.open);
  header.duration = <u32>(<f64>slot.lastTime - header.minTime);
  header.next = 0;
  header.count = slot.count;
  header.size = <u16>xorFinish(slot, slot.open + CHUNK_HEADER);
}

/** Closes the open chunk, if there is one, and moves it to a block that fits. */
export function closeChunk(slot: Slot): void {
  const open = slot.open;
  if (open == 0) return;
  settle(slot);
  const bytes = CHUNK_HEADER + <u32>changetype<Chunk>(open).size;
  let closed = open;
  if (blockBytesFor(bytes) < blockBytes(open)) {
    closed = takeBlock(bytes);
    memory.copy(closed, open, bytes);
    returnBlock(open);
  }
  slot.open = 0;
  linkClosed(slot, closed);
}

function linkClosed(slot: Slot, chunk: u32): void {
  changetype<Chunk>(chunk).next = 0;
  if (slot.last == 0) slot.first = chunk;
  else changetype<Chunk>(slot.last).next = chunk;
  slot.last = chunk;
}

/** Appends a chunk of `size` bytes at `data` as closed. Its samples follow all others of the slot. */
export function addClosed(slot: Slot, data: usize, size: u32, minTime: f64, maxTime: f64): void {
  closeChunk(slot);
  const chunk = takeBlock(CHUNK_HEADER + size);
  const header = changetype<Chunk>(chunk);
  header.minTime = minTime;
  header.duration = <u32>(maxTime - minTime);
  header.size = <u16>size;
  header.count = (<u16>load<u8>(data) << 8) | <u16>load<u8>(data, 1);
  memory.copy(chunk + CHUNK_HEADER, data, size);
  linkClosed(slot, chunk);
  chunkCount++;
}

/** Appends a sample newer than all others of the slot. */
// @ts-ignore: decorator
@inline
export function appendSample(slot: Slot, time: i64, value: u64): void {
  if (slot.open != 0 && mustCut(slot, time)) closeChunk(slot);
  if (slot.open == 0) {
    slot.open = takeBlock(OPEN_BLOCK_FIRST);
    changetype<Chunk>(slot.open).minTime = <f64>time;
    slot.nextAt = rangeEnd(time);
    xorReset(slot);
    chunkCount++;
  }
  const needed = CHUNK_HEADER + ((slot.bits + 7) >> 3) + SAMPLE_BYTES_MAX + WRITE_PAST;
  const held = blockBytes(slot.open);
  if (needed > held) {
    const grown = takeBlock(min(max(needed, held + (held >> 1)), OPEN_BLOCK_MAX));
    memory.copy(grown, slot.open, held);
    returnBlock(slot.open);
    slot.open = grown;
  }
  xorAppend(slot, slot.open + CHUNK_HEADER, time, value);
}

// @ts-ignore: decorator
@inline
function mustCut(slot: Slot, time: i64): bool {
  if ((slot.bits + 7) >> 3 > OPEN_BYTES_MAX) return true;
  const count = <u32>slot.count;
  // At a quarter of the wanted count the end is estimated anew, so that the rest of the range is shared
  // out evenly among its chunks.
  if (count == samplesPerChunk / 4)
    slot.nextAt = estimatedEnd(<i64>changetype<Chunk>(slot.open).minTime, slot.lastTime, slot.nextAt);
  return time >= slot.nextAt || count >= 2 * samplesPerChunk;
}

function rangeEnd(time: i64): i64 {
  const rest = time % chunkRange;
  return time - (rest < 0 ? rest + chunkRange : rest) + chunkRange;
}

function estimatedEnd(start: i64, current: i64, end: i64): i64 {
  const chunks = <f64>(end - start) / (<f64>(current - start + 1) * 4);
  if (chunks <= 1) return end;
  return <i64>(<f64>start + <f64>(end - start) / Math.floor(chunks));
}
