// Decompresses a block of snappy (google/snappy, format_description.txt) a stretch at a time, so that a huge
// one need not hold its caller. Lengths and offsets are checked before use; copies move 16 bytes at a
// time, so SNAPPY_SLACK bytes behind the input are readable and as many behind the output writable.

export const SNAPPY_SLACK: u32 = 64;

const MORE: i32 = 0;
const DONE: i32 = 1;
const DAMAGED: i32 = -1;

/** How far a block has come. Everything is an address. */
@unmanaged
class Progress {
  input: u32;
  inputEnd: u32;
  output: u32;
  outputStart: u32;
  outputEnd: u32;
}

/** Starts on the `inputSize` bytes behind a block's header, which says that they make `outputSize`. */
export function snappyStart(state: usize, input: u32, inputSize: u32, output: u32, outputSize: u32): void {
  const progress = changetype<Progress>(state);
  progress.input = input;
  progress.inputEnd = input + inputSize;
  progress.output = output;
  progress.outputStart = output;
  progress.outputEnd = output + outputSize;
}

/**
 * Decompresses about `budget` bytes more, a literal being taken whole: 0 where there are more, 1 at the end,
 * −1 where the block is damaged or makes another length than announced.
 */
export function snappyDecode(state: usize, budget: u32): i32 {
  const progress = changetype<Progress>(state);
  const inputEnd = progress.inputEnd;
  const start = progress.outputStart;
  const end = progress.outputEnd;
  let at = progress.input;
  let out = progress.output;
  const pauseAt = end - out > budget ? out + budget : end;
  while (at < inputEnd) {
    if (out >= pauseAt && out < end) {
      progress.input = at;
      progress.output = out;
      return MORE;
    }
    const tag = <u32>load<u8>(at++);
    const kind = tag & 3;
    let length = (tag >> 2) + 1;
    if (kind == 0) {
      if (length > 60) {
        const width = length - 60;
        const stored = load<u32>(at) & (<u32>-1 >> ((4 - width) << 3));
        at += width;
        if (at > inputEnd || stored == <u32>-1) return DAMAGED;
        length = stored + 1;
      }
      if (length > inputEnd - at || length > end - out) return DAMAGED;
      copyApart(out, at, length);
      at += length;
      out += length;
      continue;
    }
    let offset: u32;
    if (kind == 1) {
      length = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | <u32>load<u8>(at);
      at += 1;
    } else if (kind == 2) {
      offset = <u32>load<u16>(at);
      at += 2;
    } else {
      offset = load<u32>(at);
      at += 4;
    }
    // One less than nothing is the largest of numbers: an offset of zero fails with those too large.
    if (at > inputEnd || offset - 1 >= out - start || length > end - out) return DAMAGED;
    if (offset >= 16) copyLanes(out, out - offset, length);
    else copyRepeating(out, offset, length);
    out += length;
  }
  progress.input = at;
  progress.output = out;
  return out == end ? DONE : DAMAGED;
}

// @ts-ignore: decorator
@inline
function copyApart(to: u32, from: u32, length: u32): void {
  if (length > 256) memory.copy(to, from, length);
  else copyLanes(to, from, length);
}

/** The source lies 16 bytes or more before the target, or elsewhere. Up to 15 bytes too many are written. */
// @ts-ignore: decorator
@inline
function copyLanes(to: u32, from: u32, length: u32): void {
  for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** A source that overlaps the target repeats itself: each step copies all that stands before it. */
// @ts-ignore: decorator
@inline
function copyRepeating(to: u32, offset: u32, length: u32): void {
  const from = to - offset;
  const end = to + length;
  while (to - from < 8 && to < end) {
    store<u64>(to, load<u64>(from));
    to += to - from;
  }
  for (let at = from; to < end; to += 8, at += 8) store<u64>(to, load<u64>(at));
}
