// An exemplar as remote write 1.0 sends it. Field numbers: prometheus/prometheus prompb/types.proto.

import { isUtf8 } from 'node:buffer';
import { type ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../encoding/proto.ts';
import { decodeUtf8 } from '../encoding/read-buffer.ts';
import { Labels } from '../labels/labels.ts';
import type { Exemplar } from '../storage/exemplar.ts';

/**
 * Decodes one message, null where its labels are not text. Throws RangeError for malformed bytes.
 */
export function decodeExemplar(reader: ProtoReader): Exemplar | null {
  const pairs: [string, string][] = [];
  let value = 0;
  let time = 0;
  let isText = true;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_BYTES) {
      const pair = decodePair(reader.message());
      if (pair) pairs.push(pair);
      else isText = false;
    } else if (reader.field === 2 && reader.wireType === WIRE_FIXED64) value = reader.double();
    else if (reader.field === 3 && reader.wireType === WIRE_VARINT) time = reader.int64();
    else reader.skip();
  }
  return isText ? { labels: Labels.fromPairs(pairs), value, time } : null;
}

function decodePair(reader: ProtoReader): [string, string] | null {
  const pair: [string, string] = ['', ''];
  while (reader.next()) {
    if (reader.wireType !== WIRE_BYTES || reader.field > 2) reader.skip();
    else {
      const view = reader.view();
      if (!isUtf8(view)) return null;
      pair[reader.field - 1] = decodeUtf8(view, 0, view.length);
    }
  }
  return pair;
}
