// The heap of an arena: spans of 16 KiB, cut into blocks of one size class each. A span whose blocks are
// all free goes back to the pool and may serve another class, so that a change in chunk sizes strands
// nothing. Exhaustion is a trap: callers ask `spansLeft` before they start something that cannot stop.

import { HEAP, PARTIAL, SPAN } from './layout';
import { READ_PAST } from './xor';

/** The front of a span with blocks. */
@unmanaged
class Span {
  /** Neighbours in its class's list of spans with room. */
  next: u32;
  previous: u32;
  /** The first block that was used and freed. */
  free: u32;
  /** The first block that was never used. */
  fresh: u32;
  blockBytes: u32;
  sizeClass: u16;
  live: u16;
  reserved: u64;
}

const HEADER: u32 = 32;
/** Bytes of a span for blocks; a reader may look a little past the last one. */
const ROOM: u32 = SPAN - HEADER - <u32>READ_PAST;
const FINE_STEP: u32 = 16;
const FINE_MAX: u32 = 1_088;
const FINE_CLASSES: u32 = FINE_MAX / FINE_STEP;
/** The largest block. */
export const BLOCK_BYTES_MAX: u32 = ROOM;

let pagesMax: u32 = 0;
let heapEnd: u32 = <u32>HEAP;
let freeSpan: u32 = 0;
let freeSpans: u32 = 0;
let bytesUsed: u64 = 0;

/** Sets the limit of the memory in pages of 64 KiB, below 65,536 so that every address is a u32. */
export function heapInit(pages: u32): void {
  pagesMax = pages;
}

/** Bytes of blocks and spans in use. */
export function heapBytesUsed(): f64 {
  return <f64>bytesUsed;
}

/** Spans that can still be had. */
export function spansLeft(): u32 {
  return freeSpans + freshSpansLeft();
}

/** Spans that can still be had in a row. */
export function freshSpansLeft(): u32 {
  return (pagesMax << 2) - (heapEnd >> 14);
}

/** A whole span, not cleared. */
export function takeSpan(): u32 {
  bytesUsed += SPAN;
  if (freeSpan != 0) {
    const span = freeSpan;
    freeSpan = load<u32>(span);
    freeSpans--;
    return span;
  }
  return extend(1);
}

/** `count` spans in a row, not cleared. */
export function takeSpans(count: u32): u32 {
  bytesUsed += <u64>count * SPAN;
  return extend(count);
}

/** Returns `count` spans in a row. */
export function returnSpans(span: u32, count: u32): void {
  bytesUsed -= <u64>count * SPAN;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(span, freeSpan);
    freeSpan = span;
    freeSpans++;
    span += SPAN;
  }
}

function extend(count: u32): u32 {
  const span = heapEnd;
  const pagesNeeded = <u32>((<u64>heapEnd + <u64>count * SPAN + 0xffff) >> 16);
  const pages = <u32>memory.size();
  if (pagesNeeded > pages) {
    if (pagesNeeded > pagesMax) unreachable();
    // Every grow makes the host build its views anew, so memory grows by an eighth.
    const wanted = min(max(pagesNeeded, pages + max(pages >> 3, 16)), pagesMax);
    if (memory.grow(wanted - pages) < 0 && memory.grow(pagesNeeded - pages) < 0) unreachable();
  }
  heapEnd += count * SPAN;
  return span;
}

// @ts-ignore: decorator
@inline
function classOf(bytes: u32): u32 {
  if (bytes <= FINE_MAX) return (bytes + FINE_STEP - 1) / FINE_STEP;
  if (bytes <= ROOM / 10) return FINE_CLASSES + 1;
  if (bytes <= ROOM / 7 / 16 * 16) return FINE_CLASSES + 2;
  if (bytes <= ROOM / 5) return FINE_CLASSES + 3;
  if (bytes <= ROOM / 3) return FINE_CLASSES + 4;
  if (bytes <= ROOM / 2) return FINE_CLASSES + 5;
  return FINE_CLASSES + 6;
}

function bytesOf(sizeClass: u32): u32 {
  if (sizeClass <= FINE_CLASSES) return sizeClass * FINE_STEP;
  switch (sizeClass - FINE_CLASSES) {
    case 1: return ROOM / 10;
    case 2: return ROOM / 7 / 16 * 16;
    case 3: return ROOM / 5;
    case 4: return ROOM / 3;
    case 5: return ROOM / 2;
  }
  return ROOM;
}

/** Bytes a block for `bytes` has. */
export function blockBytesFor(bytes: u32): u32 {
  return bytesOf(classOf(bytes));
}

/** Bytes of the block at `block`. */
// @ts-ignore: decorator
@inline
export function blockBytes(block: u32): u32 {
  return changetype<Span>(block & ~(SPAN - 1)).blockBytes;
}

/** A block of at least `bytes` (at most BLOCK_BYTES_MAX), aligned to 16 and not cleared. */
export function takeBlock(bytes: u32): u32 {
  const sizeClass = classOf(bytes);
  const head = PARTIAL + (sizeClass << 2);
  let address = load<u32>(head);
  if (address == 0) address = newSpan(sizeClass);
  const span = changetype<Span>(address);
  let block = span.free;
  if (block != 0) {
    span.free = load<u32>(block);
  } else {
    block = span.fresh;
    span.fresh = block + span.blockBytes;
  }
  span.live++;
  bytesUsed += span.blockBytes;
  if (span.free == 0 && span.fresh + span.blockBytes > address + HEADER + ROOM) unlink(address);
  return block;
}

/** Returns a block. */
export function returnBlock(block: u32): void {
  const address = block & ~(SPAN - 1);
  const span = changetype<Span>(address);
  const wasFull = span.free == 0 && span.fresh + span.blockBytes > address + HEADER + ROOM;
  bytesUsed -= span.blockBytes;
  span.live--;
  if (span.live == 0) {
    if (!wasFull) unlink(address);
    bytesUsed += SPAN;
    returnSpans(address, 1);
    return;
  }
  store<u32>(block, span.free);
  span.free = block;
  if (wasFull) link(address);
}

function newSpan(sizeClass: u32): u32 {
  const address = takeSpan();
  // Blocks are counted, not the span around them.
  bytesUsed -= SPAN;
  const span = changetype<Span>(address);
  span.free = 0;
  span.fresh = address + HEADER;
  span.blockBytes = bytesOf(sizeClass);
  span.sizeClass = <u16>sizeClass;
  span.live = 0;
  link(address);
  return address;
}

function link(address: u32): void {
  const span = changetype<Span>(address);
  const head = PARTIAL + (<u32>span.sizeClass << 2);
  const next = load<u32>(head);
  span.next = next;
  span.previous = 0;
  if (next != 0) changetype<Span>(next).previous = address;
  store<u32>(head, address);
}

function unlink(address: u32): void {
  const span = changetype<Span>(address);
  if (span.previous != 0) changetype<Span>(span.previous).next = span.next;
  else store<u32>(PARTIAL + (<u32>span.sizeClass << 2), span.next);
  if (span.next != 0) changetype<Span>(span.next).previous = span.previous;
}
