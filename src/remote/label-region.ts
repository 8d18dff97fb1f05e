// A series' labels as they stand in a request: consecutive protobuf fields {1 name, 2 value}. The bytes
// serve as the series' identity; they are decoded only where a series is new.

import { isUtf8 } from 'node:buffer';
import { ProtoReader, WIRE_BYTES } from '../encoding/proto.ts';
import { decodeUtf8 } from '../encoding/read-buffer.ts';
import { compareStrings } from '../labels/compare.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';

/**
 * Decodes a region. Labels out of order are sorted and empty values dropped, as the protocol's receivers
 * do. Throws `bad-data` for duplicate names and text that is not UTF-8, RangeError for malformed bytes.
 */
export function decodeLabels(region: Uint8Array): Labels {
  const pairs: string[] = [];
  const reader = new ProtoReader(region);
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
