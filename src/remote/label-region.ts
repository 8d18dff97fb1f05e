// A series' labels as they stand in a request: consecutive protobuf fields {1 name, 2 value}. The bytes
// serve as the series' identity; they are decoded only where a series is new.

import { isUtf8 } from 'node:buffer';
import { ProtoReader, WIRE_BYTES } from '../encoding/proto.ts';
import { decodeUtf8 } from '../encoding/read-buffer.ts';
import { compareStrings } from '../labels/compare.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';

/** A run of borrowed bytes. `view` covers the whole of `bytes`. */
export interface LabelRegion {
  bytes: Uint8Array;
  view: DataView;
  start: number;
  end: number;
}

/** A 32-bit hash of a region, by words (the mixing is MurmurHash3's). Another seed gives another order. */
export function hashRegion(region: LabelRegion, seed: number): number {
  const { view, bytes, start, end } = region;
  let hash = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = mix(hash, view.getUint32(at, true));
  let tail = 0;
  for (; at < end; at++) tail = (tail << 8) | bytes[at]!;
  hash = mix(hash, tail) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mix(hash: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/**
 * Decodes a region. Labels out of order are sorted and empty values dropped, as the protocol's receivers
 * do. Throws `bad-data` for duplicate names and text that is not UTF-8, RangeError for malformed bytes.
 */
export function decodeLabels(region: LabelRegion): Labels {
  const pairs: string[] = [];
  const reader = new ProtoReader(region.bytes, region.start, region.end);
  let sorted = true;
  while (reader.next()) {
    const [name, value] = decodeLabel(reader.message());
    if (pairs.length > 0 && compareStrings(pairs[pairs.length - 2]!, name) >= 0) sorted = false;
    if (value === '') sorted = false;
    pairs.push(name, value);
  }
  return sorted ? Labels.fromSorted(pairs) : sortLabels(pairs);
}

function decodeLabel(reader: ProtoReader): [string, string] {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.wireType !== WIRE_BYTES || reader.field > 2) reader.skip();
    else {
      const view = reader.view();
      if (!isUtf8(view)) throw new OutpostError('bad-data', 'a label is not valid UTF-8');
      const text = decodeUtf8(view, 0, view.length);
      if (reader.field === 1) name = text;
      else value = text;
    }
  }
  return [name, value];
}

function sortLabels(pairs: readonly string[]): Labels {
  const entries = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) {
    if (entries.has(pairs[i]!)) {
      throw new OutpostError('bad-data', `label ${JSON.stringify(pairs[i])} occurs twice`);
    }
    entries.set(pairs[i]!, pairs[i + 1]!);
  }
  return Labels.fromPairs(entries);
}
