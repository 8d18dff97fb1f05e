// Reads a remote-write 1.0 WriteRequest into columns. A series is known by the bytes of its labels, so
// nothing is built for one that was seen before; what the host has to decide makes the scan stop. Nothing
// in the message is trusted: every length is held against what encloses it. Field numbers:
// prometheus/prometheus prompb/remote.proto and types.proto.

import { came, Entry, expected, expectNothing, find, holds, NO_REF, remember } from './label-table';
import { CELLS } from './layout';
import { canGather, gather, gatherAnew, giveRefs, newcomerCount } from './newcomers';

// Why a scan stopped.
const MORE: i32 = 0;
const END: i32 = 1;
const SERIES: i32 = 2;
const METADATA: i32 = 3;
const TOO_MANY: i32 = 4;
const NEWCOMERS: i32 = 5;
const DAMAGED: i32 = -1;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

const LABEL: u8 = 0x0a;
// The front of a sample as senders write it, and of one with the value 0, which some leave out. A time of
// 2^35 … 2^42 ms (1971 to 2109) takes six bytes.
const SAMPLE_FRONT: u32 = 0x091012;
const SAMPLE_BYTES: u32 = 18;
const ZERO_FRONT: u32 = 0x100712;
const ZERO_BYTES: u32 = 9;
const TIME_TAG: u8 = 0x10;
const SIX_BYTES: u64 = 0x808080808080;
const SIX_BYTES_END: u64 = 0x008080808080;

let at: u32 = 0;
let end: u32 = 0;
let isDamaged: bool = false;
let isFull: bool = false;

let refs: u32 = 0;
let times: u32 = 0;
let values: u32 = 0;
let seriesRefs: u32 = 0;
let capacity: u32 = 0;
/** Where labels are put together that do not stand together. */
let joined: u32 = 0;
/** Samples and series so far. */
let length: u32 = 0;
let position: u32 = 0;
let exemplars: u32 = 0;

// The series at hand.
let seriesAt: u32 = 0;
let labelsAt: u32 = 0;
let labelsEnd: u32 = 0;
let firstSample: u32 = 0;
let histograms: u32 = 0;
let firstExemplar: u32 = 0;
let entry: u32 = 0;

/**
 * Where the columns lie, each with room for `size` samples or series, and where as many bytes as a message
 * has are free.
 */
export function writeColumns(
  refColumn: u32,
  timeColumn: u32,
  valueColumn: u32,
  seriesColumn: u32,
  size: u32,
  free: u32,
): void {
  joined = free;
  refs = refColumn;
  times = timeColumn;
  values = valueColumn;
  seriesRefs = seriesColumn;
  capacity = size;
}

/** Starts on the message of `size` bytes at `body`. A few bytes behind it can be read. */
export function writeStart(body: u32, size: u32): void {
  at = body;
  end = body + size;
  isDamaged = false;
  isFull = false;
  length = 0;
  position = 0;
  exemplars = 0;
  expectNothing();
  gatherAnew();
}

export function writeLength(): u32 {
  return length;
}

export function writeExemplars(): u32 {
  return exemplars;
}

/**
 * Reads on until there is something to say: that about `budget` bytes were read, that the message ends, is
 * damaged or has more samples or series than the columns hold; that a metadata entry was met (CELLS: its
 * bytes); or that a series needs the host, who then calls writeSettle (CELLS: the bytes of its labels, its
 * first sample, its histograms, its reference or NO_REF, its own bytes, its exemplars); or that series were
 * gathered which need writeSettleNewcomers. Series that are known, have neither histograms nor exemplars and
 * are not `inspected` settle themselves.
 */
export function writeScan(budget: u32, inspected: bool): i32 {
  const pauseAt = end - at > budget ? at + budget : end;
  while (at < end) {
    if (at >= pauseAt) return MORE;
    if (!canGather()) return NEWCOMERS;
    const fieldAt = at;
    const tag = tagBefore(end);
    if (tag == ((1 << 3) | BYTES)) {
      const limit = limitBefore(end);
      if (isDamaged) return DAMAGED;
      scanSeries(limit);
      if (isFull || position >= capacity) return TOO_MANY;
      if (isDamaged || at != limit) return DAMAGED;
      const ref = entry == 0 ? NO_REF : changetype<Entry>(entry).ref;
      if (entry != 0) came(entry);
      const others = histograms + exemplars - firstExemplar;
      if (entry == 0 && others == 0 && !inspected && gathers()) {
        position++;
        continue;
      }
      if (entry == 0 || others != 0 || inspected) {
        if (newcomerCount() != 0) {
          // It is met again when they are settled.
          at = fieldAt;
          length = firstSample;
          exemplars = firstExemplar;
          return NEWCOMERS;
        }
        store<f64>(CELLS, <f64>labelsAt);
        store<f64>(CELLS, <f64>labelsEnd, 8);
        store<f64>(CELLS, <f64>firstSample, 16);
        store<f64>(CELLS, <f64>histograms, 24);
        store<f64>(CELLS, <f64>ref, 32);
        store<f64>(CELLS, <f64>seriesAt, 40);
        store<f64>(CELLS, <f64>limit, 48);
        store<f64>(CELLS, <f64>(exemplars - firstExemplar), 56);
        return SERIES;
      }
      writeSettle(ref);
    } else if (tag == ((3 << 3) | BYTES)) {
      const limit = limitBefore(end);
      if (isDamaged) return DAMAGED;
      store<f64>(CELLS, <f64>at);
      store<f64>(CELLS, <f64>limit, 8);
      at = limit;
      return METADATA;
    } else {
      skip(tag & 7, end);
      if (isDamaged) return DAMAGED;
    }
  }
  return newcomerCount() != 0 ? NEWCOMERS : END;
}

/** Settles the gathered series with the references that the host has written, NO_REF to drop the samples. */
export function writeSettleNewcomers(): void {
  const dropped = giveRefs(refs, seriesRefs);
  if (dropped >= length) return;
  let kept = dropped;
  for (let i = dropped; i < length; i++) {
    const ref = load<u32>(refs + (i << 2));
    if (ref == NO_REF) continue;
    store<u32>(refs + (kept << 2), ref);
    store<f64>(times + (kept << 3), load<f64>(times + (i << 3)));
    store<u64>(values + (kept << 3), load<u64>(values + (i << 3)));
    kept++;
  }
  length = kept;
}

/** Gathers the series at hand; false where it needs the host at once. */
// @ts-ignore: decorator
@inline
function gathers(): bool {
  // Labels that were put together lie where the next ones will.
  return (
    labelsAt != joined && gather(position, firstSample, length - firstSample, labelsAt, labelsEnd)
  );
}

/** Gives the series at hand its reference, NO_REF to drop its samples. */
export function writeSettle(ref: u32): void {
  if (ref == NO_REF) length = firstSample;
  for (let i = firstSample; i < length; i++) store<u32>(refs + (i << 2), ref);
  store<u32>(seriesRefs + (position << 2), ref);
  position++;
}

/** Drops the samples of the series at hand, which has this reference. */
export function writeDrop(ref: u32): void {
  length = firstSample;
  writeSettle(ref);
}

/** Keeps the reference for the labels of the series at hand. */
export function writeRemember(ref: u32): void {
  const kept = remember(labelsAt, labelsEnd - labelsAt, ref);
  if (kept != 0) came(kept);
}

function scanSeries(limit: u32): void {
  firstSample = length;
  histograms = 0;
  firstExemplar = exemplars;
  seriesAt = at;
  labelsAt = at;
  entry = expectedHere(limit);
  if (entry != 0) {
    at += changetype<Entry>(entry).size;
  } else {
    while (at < limit && load<u8>(at) == LABEL) {
      at++;
      const fieldEnd = limitBefore(limit);
      if (isDamaged) return;
      at = fieldEnd;
    }
    if (at > labelsAt) entry = find(labelsAt, at - labelsAt);
  }
  labelsEnd = at;
  let isWhole = true;
  while (at < limit) {
    scanUsualSamples(limit);
    if (at == limit || isFull) break;
    const fieldAt = at;
    const tag = tagBefore(limit);
    const field = tag >> 3;
    if ((tag & 7) == BYTES && field <= 4) {
      const fieldEnd = limitBefore(limit);
      if (isDamaged) return;
      if (field == 1) {
        addLabel(fieldAt, fieldEnd);
        isWhole = false;
      } else if (field == 2) scanSample(fieldEnd);
      else if (field == 3) exemplars++;
      else histograms++;
      at = fieldEnd;
    } else skip(tag & 7, limit);
    if (isDamaged) return;
  }
  if (!isWhole) entry = find(labelsAt, labelsEnd - labelsAt);
}

/** The expected entry where its bytes, and no further label, stand here. */
// @ts-ignore: decorator
@inline
function expectedHere(limit: u32): u32 {
  const candidate = expected();
  if (candidate == 0) return 0;
  const size = changetype<Entry>(candidate).size;
  if (size > limit - at || !holds(candidate, at, size)) return 0;
  return at + size < limit && load<u8>(at + size) == LABEL ? 0 : candidate;
}

/** Labels with other fields between them are legal and unheard of. They are copied to one place. */
function addLabel(from: u32, to: u32): void {
  if (from != labelsEnd) {
    if (labelsAt != joined) {
      memory.copy(joined, labelsAt, labelsEnd - labelsAt);
      labelsEnd = joined + labelsEnd - labelsAt;
      labelsAt = joined;
    }
    memory.copy(labelsEnd, from, to - from);
  }
  labelsEnd += to - from;
}

// @ts-ignore: decorator
@inline
function scanUsualSamples(limit: u32): void {
  for (;;) {
    const front = load<u32>(at) & 0xffffff;
    let time: u64;
    let size: u32;
    if (front == SAMPLE_FRONT && load<u8>(at, 11) == TIME_TAG) {
      time = load<u64>(at, 12);
      size = SAMPLE_BYTES;
    } else if (front == ZERO_FRONT) {
      time = load<u64>(at, 3);
      size = ZERO_BYTES;
    } else return;
    if (size > limit - at || (time & SIX_BYTES) != SIX_BYTES_END) return;
    if (length >= capacity) {
      isFull = true;
      return;
    }
    store<f64>(times + (length << 3), <f64>sixBytes(time));
    store<u64>(values + (length << 3), size == SAMPLE_BYTES ? load<u64>(at, 3) : 0);
    length++;
    at += size;
  }
}

/** A varint of six bytes: seven bits of each, pushed together in pairs. */
// @ts-ignore: decorator
@inline
function sixBytes(word: u64): u64 {
  const pairs = (word & 0x007f007f007f) | ((word & 0x7f007f007f00) >> 1);
  return (pairs & 0x3fff) | ((pairs & 0x3fff0000) >> 2) | ((pairs & 0x3fff00000000) >> 4);
}

function scanSample(limit: u32): void {
  let time: u64 = 0;
  let value: u64 = 0;
  while (at < limit) {
    const tag = tagBefore(limit);
    if (tag == ((1 << 3) | FIXED64) && limit - at >= 8) {
      value = load<u64>(at);
      at += 8;
    } else if (tag == ((2 << 3) | VARINT)) time = varintBefore(limit);
    else skip(tag & 7, limit);
    if (isDamaged) return;
  }
  if (length >= capacity) {
    isFull = true;
    return;
  }
  store<f64>(times + (length << 3), <f64><i64>time);
  store<u64>(values + (length << 3), value);
  length++;
}

function skip(wireType: u32, limit: u32): void {
  if (wireType == VARINT) varintBefore(limit);
  else if (wireType == FIXED64) pass(8, limit);
  else if (wireType == BYTES) at = limitBefore(limit);
  else if (wireType == FIXED32) pass(4, limit);
  else isDamaged = true;
}

function pass(size: u32, limit: u32): void {
  if (size > limit - at) isDamaged = true;
  else at += size;
}

/** A field's number and wire type. */
// @ts-ignore: decorator
@inline
function tagBefore(limit: u32): u32 {
  const tag = smallBefore(limit);
  if (tag < 8) isDamaged = true;
  return tag;
}

/** Reads a length; the end of the field it belongs to, which lies within `limit`. */
// @ts-ignore: decorator
@inline
function limitBefore(limit: u32): u32 {
  const size = smallBefore(limit);
  if (size > limit - at) isDamaged = true;
  return isDamaged ? at : at + size;
}

/** A varint that fits 32 bits. */
// @ts-ignore: decorator
@inline
function smallBefore(limit: u32): u32 {
  if (at < limit && load<u8>(at) < 0x80) return <u32>load<u8>(at++);
  const from = at;
  const value = varintBefore(limit);
  // The tenth byte has room for one bit; what else is in it was lost.
  if (value > 0xffffffff || (at - from == 10 && load<u8>(at - 1) > 1)) isDamaged = true;
  return <u32>value;
}

/** A varint; bits beyond 64 are lost, as they are in other readers. */
function varintBefore(limit: u32): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70 && at < limit; shift += 7) {
    const byte = <u64>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  isDamaged = true;
  return 0;
}
