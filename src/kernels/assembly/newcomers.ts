// Series of a request that nobody knows yet, gathered so that the host is asked about many at a time. Their
// labels are numbered by their bytes: what they have in common is one number. Only labels as senders
// write them are gathered: ASCII, short, sorted by name, none empty; others take the slow way.

import { alike, came, hashOf, NO_REF, remember } from './label-table';

/** The most series gathered at a time. */
export const NEWCOMERS_MAX: u32 = 512;
/** The most different labels of them, and labels in all. */
export const NEWCOMER_LABELS_MAX: u32 = 4096;
export const NEWCOMER_RUNS_MAX: u32 = 16_384;

// The area: addresses of the labels, the numbers of each series' labels, where they end, the references that
// the host gives, the series, and the table that finds a label's number.
const RUNS: u32 = NEWCOMER_LABELS_MAX << 2;
const ENDS: u32 = RUNS + (NEWCOMER_RUNS_MAX << 2);
const REFS: u32 = ENDS + (NEWCOMERS_MAX << 2);
const SERIES: u32 = REFS + (NEWCOMERS_MAX << 2);
const NEWCOMER_BYTES: u32 = 20;
const BUCKETS: u32 = SERIES + NEWCOMERS_MAX * NEWCOMER_BYTES;
const BUCKET_COUNT: u32 = NEWCOMER_LABELS_MAX << 1;
/** Bytes of the area. */
export const NEWCOMERS_BYTES: u32 = BUCKETS + (BUCKET_COUNT << 1);

const LABELS_PER_SERIES_MAX: u32 = 64;
const LABEL: u8 = 0x0a;
const NAME: u8 = 0x0a;
const VALUE: u8 = 0x12;
const LONG: u32 = 0x80;
const NOT_ASCII: u64 = 0x8080808080808080;

@unmanaged
class Newcomer {
  position: u32;
  firstSample: u32;
  samples: u32;
  labelsAt: u32;
  labelsSize: u32;
}

let area: u32 = 0;
let count: u32 = 0;
let labelCount: u32 = 0;
let runLength: u32 = 0;

/** Says where the area is, once. */
export function newcomersAt(base: u32): void {
  area = base;
}

/** Series gathered and not settled. */
export function newcomerCount(): u32 {
  return count;
}

/** Different labels of these. */
export function newcomerLabels(): u32 {
  return labelCount;
}

/** Forgets all. */
export function gatherAnew(): void {
  count = 0;
  labelCount = 0;
  runLength = 0;
  memory.fill(area + BUCKETS, 0, BUCKET_COUNT << 1);
}

/** Whether another series fits, whatever its labels. */
// @ts-ignore: decorator
@inline
export function canGather(): bool {
  return (
    count < NEWCOMERS_MAX &&
    labelCount + LABELS_PER_SERIES_MAX <= NEWCOMER_LABELS_MAX &&
    runLength + LABELS_PER_SERIES_MAX <= NEWCOMER_RUNS_MAX
  );
}

/** Gathers a series; false where its labels are not as they should be. There is room for it. */
export function gather(position: u32, firstSample: u32, samples: u32, labelsAt: u32, labelsEnd: u32): bool {
  if (labelsAt >= labelsEnd) return false;
  const start = runLength;
  let before: u32 = 0;
  for (let at = labelsAt; at < labelsEnd; ) {
    const size = labelBytes(at, labelsEnd);
    const number =
      size == 0 || runLength - start == LABELS_PER_SERIES_MAX || (before != 0 && !ascends(before, at))
        ? -1
        : numberOf(at, size);
    if (number < 0) {
      runLength = start;
      return false;
    }
    store<u32>(area + RUNS + (runLength++ << 2), <u32>number);
    before = at;
    at += size;
  }
  const newcomer = changetype<Newcomer>(area + SERIES + count * NEWCOMER_BYTES);
  newcomer.position = position;
  newcomer.firstSample = firstSample;
  newcomer.samples = samples;
  newcomer.labelsAt = labelsAt;
  newcomer.labelsSize = labelsEnd - labelsAt;
  store<u32>(area + ENDS + (count << 2), runLength);
  count++;
  return true;
}

/** Bytes of the label's field, 0 where it is unusual. */
// @ts-ignore: decorator
@inline
function labelBytes(at: u32, limit: u32): u32 {
  const size = <u32>load<u8>(at, 1);
  const nameSize = <u32>load<u8>(at, 3);
  const end = at + 2 + size;
  const valueAt = at + 4 + nameSize;
  if (size >= LONG || nameSize == 0 || end > limit || valueAt + 2 >= end) return 0;
  if (load<u8>(at) != LABEL || load<u8>(at, 2) != NAME || load<u8>(valueAt) != VALUE) return 0;
  return valueAt + 2 + <u32>load<u8>(valueAt, 1) == end ? size + 2 : 0;
}

/** Whether the name of the second label comes after that of the first. */
// @ts-ignore: decorator
@inline
function ascends(first: u32, second: u32): bool {
  const a = <u32>load<u8>(first, 3);
  const b = <u32>load<u8>(second, 3);
  const shorter = min(a, b);
  for (let i: u32 = 0; i < shorter; i++) {
    const x = load<u8>(first + i, 4);
    const y = load<u8>(second + i, 4);
    if (x != y) return x < y;
  }
  return a < b;
}

/** The label's number, given out where it is new; −1 where it is not ASCII. */
function numberOf(at: u32, size: u32): i32 {
  let bucket = hashOf(at, size) & (BUCKET_COUNT - 1);
  let held = numberIn(bucket);
  while (held != 0) {
    const other = load<u32>(area + ((held - 1) << 2));
    if (<u32>load<u8>(other, 1) + 2 == size && alike(other, at, size)) return held - 1;
    bucket = (bucket + 1) & (BUCKET_COUNT - 1);
    held = numberIn(bucket);
  }
  if (!isAscii(at, size)) return -1;
  store<u32>(area + (labelCount << 2), at);
  store<u16>(area + BUCKETS + (bucket << 1), <u16>++labelCount);
  return labelCount - 1;
}

// @ts-ignore: decorator
@inline
function numberIn(bucket: u32): u32 {
  return <u32>load<u16>(area + BUCKETS + (bucket << 1));
}

// A label has at least seven bytes; the last word overlaps.
// @ts-ignore: decorator
@inline
function isAscii(at: u32, size: u32): bool {
  let bits: u64 = 0;
  if (size < 8) {
    for (let i: u32 = 0; i < size; i++) bits |= <u64>load<u8>(at + i);
  } else {
    for (let i: u32 = 0; i < size - 8; i += 8) bits |= load<u64>(at + i);
    bits |= load<u64>(at + size - 8);
  }
  return (bits & NOT_ASCII) == 0;
}

/** Where the labels of a gathered series lie, and how many bytes they are. */
export function newcomerLabelsAt(index: u32): u32 {
  return changetype<Newcomer>(area + SERIES + index * NEWCOMER_BYTES).labelsAt;
}

export function newcomerLabelsSize(index: u32): u32 {
  return changetype<Newcomer>(area + SERIES + index * NEWCOMER_BYTES).labelsSize;
}

/** How many samples it has. */
export function newcomerSamples(index: u32): u32 {
  return changetype<Newcomer>(area + SERIES + index * NEWCOMER_BYTES).samples;
}

/**
 * Gives the gathered series the references that the host has written, to their samples and positions, and
 * keeps them. The first sample of a series that has none (NO_REF), or the largest number.
 */
export function giveRefs(refs: u32, seriesRefs: u32): u32 {
  let dropped: u32 = 0xffffffff;
  for (let i: u32 = 0; i < count; i++) {
    const newcomer = changetype<Newcomer>(area + SERIES + i * NEWCOMER_BYTES);
    const ref = load<u32>(area + REFS + (i << 2));
    const end = newcomer.firstSample + newcomer.samples;
    for (let at = newcomer.firstSample; at < end; at++) store<u32>(refs + (at << 2), ref);
    store<u32>(seriesRefs + (newcomer.position << 2), ref);
    if (ref == NO_REF) {
      dropped = min(dropped, newcomer.firstSample);
      continue;
    }
    const kept = remember(newcomer.labelsAt, newcomer.labelsSize, ref);
    if (kept != 0) came(kept);
  }
  gatherAnew();
  return dropped;
}
