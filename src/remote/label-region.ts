// A series' labels as they stand in a request: consecutive protobuf fields {1 name, 2 value}. The bytes
// serve as the series' identity; they are decoded only where a series is new.

import { isAscii, isUtf8 } from 'node:buffer';
import { ProtoReader, WIRE_BYTES } from '../encoding/proto.ts';
import { decodeUtf8 } from '../encoding/read-buffer.ts';
import { compareStrings } from '../labels/compare.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';

const TAG_LABEL = (1 << 3) | WIRE_BYTES;
const TAG_NAME = (1 << 3) | WIRE_BYTES;
const TAG_VALUE = (2 << 3) | WIRE_BYTES;

/**
 * Decodes a region. Labels out of order are sorted and empty values dropped, as the protocol's receivers
 * do. Throws `bad-data` for duplicate names and text that is not UTF-8, RangeError for malformed bytes.
 */
export function decodeLabels(region: Uint8Array): Labels {
  const pairs = (isAscii(region) && usualPairs(region)) || decodePairs(region);
  return isSorted(pairs) ? Labels.fromSorted(pairs) : sortLabels(pairs);
}

/** Labels in ASCII as senders write them, name before value, cut from one text; else null. */
function usualPairs(region: Uint8Array): string[] | null {
  const text = Buffer.from(region.buffer, region.byteOffset, region.length).toString('latin1');
  const pairs: string[] = [];
  for (let at = 0; at < region.length; ) {
    const nameAt = at + 4;
    const nameEnd = nameAt + region[at + 3]!;
    const valueAt = nameEnd + 2;
    const end = valueAt + region[nameEnd + 1]!;
    const isUsual =
      region[at] === TAG_LABEL && region[at + 2] === TAG_NAME && region[nameEnd] === TAG_VALUE;
    if (!isUsual || end !== at + 2 + region[at + 1]! || end > region.length) return null;
    pairs.push(text.slice(nameAt, nameEnd), text.slice(valueAt, end));
    at = end;
  }
  return pairs;
}

function decodePairs(region: Uint8Array): string[] {
  const pairs: string[] = [];
  const reader = new ProtoReader(region);
  while (reader.next()) pairs.push(...decodeLabel(reader.message()));
  return pairs;
}

function isSorted(pairs: readonly string[]): boolean {
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i + 1] === '') return false;
    if (i > 0 && compareStrings(pairs[i - 2]!, pairs[i]!) >= 0) return false;
  }
  return true;
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
