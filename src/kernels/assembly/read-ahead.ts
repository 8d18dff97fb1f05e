// Series that are about to be read are brought near. A chunk hangs on the one before it, so reading waits
// for memory at every chunk; here the lists of several series are walked side by side and the waits overlap.

import { INPUT } from './layout';
import { Chunk, CHUNK_HEADER, maxTimeOf, slotOf } from './slots';

/** The most series at a time. */
export const AHEAD: u32 = 64;

const CHUNKS: usize = INPUT + (<usize>AHEAD << 2);
const LINE: u32 = 64;

/**
 * Touches the chunks of minTime…maxTime of the `count` slots at INPUT. What it returns means nothing: it is
 * there so that nothing is left out.
 */
export function readAhead(count: u32, minTime: f64, maxTime: f64): u32 {
  let touched: u32 = 0;
  let left: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const slot = slotOf(load<u32>(INPUT + (i << 2)));
    if (slot === null) {
      store<u32>(CHUNKS + (i << 2), 0);
      continue;
    }
    store<u32>(CHUNKS + (i << 2), slot.first);
    if (slot.first != 0) left++;
    // The open chunk is no longer than the others; its size is known when it is read.
    if (slot.open != 0) touched += touch(slot.open, slot.bits >> 3);
  }
  while (left != 0) {
    left = 0;
    for (let i: u32 = 0; i < count; i++) {
      const at = load<u32>(CHUNKS + (i << 2));
      if (at == 0) continue;
      const chunk = changetype<Chunk>(at);
      const isPast = chunk.minTime > maxTime;
      if (!isPast && maxTimeOf(at) >= minTime) touched += touch(at, chunk.size);
      const next = isPast ? 0 : chunk.next;
      store<u32>(CHUNKS + (i << 2), next);
      left += u32(next != 0);
    }
  }
  return touched;
}

// @ts-ignore: decorator
@inline
function touch(chunk: u32, size: u32): u32 {
  let touched: u32 = 0;
  for (let at: u32 = 0, end = CHUNK_HEADER + size; at < end; at += LINE) touched += load<u8>(chunk + at);
  return touched;
}
