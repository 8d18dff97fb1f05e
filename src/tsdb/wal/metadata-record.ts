// Metadata records: `6 (ref:uvarint type:u8 fields:uvarint ("UNIT" unit) ("HELP" help))*`.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { MetricMetadata } from '../../storage/appender.ts';
import { RECORD_METADATA } from './record-type.ts';

const TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];
const FIELDS_MAX = 64;

/** What one series' family is. */
export interface LoggedMetadata {
  readonly ref: number;
  readonly metadata: MetricMetadata;
}

/** Encodes one record. */
export function encodeMetadataRecord(entries: Iterable<LoggedMetadata>): Uint8Array {
  const buffer = new WriteBuffer();
  buffer.u8(RECORD_METADATA);
  for (const { ref, metadata } of entries) {
    buffer.uvarint(ref);
    buffer.u8(Math.max(0, TYPES.indexOf(metadata.type)));
    buffer.uvarint(2);
    buffer.string('UNIT');
    buffer.string(metadata.unit);
    buffer.string('HELP');
    buffer.string(metadata.help);
  }
  return buffer.bytes();
}

/** Hands each entry of a record to `visit`. Throws `corrupt`. */
export function decodeMetadataRecord(
  record: Uint8Array,
  visit: (entry: LoggedMetadata) => void,
): void {
  const buffer = new ReadBuffer(record, 1);
  while (buffer.remaining > 0) {
    const ref = buffer.uvarint();
    const type = TYPES[buffer.u8()] ?? 'unknown';
    const fields = buffer.uvarint();
    if (fields > FIELDS_MAX) throw new OutpostError('corrupt', `metadata record: ${fields} fields`);
    let unit = '';
    let help = '';
    for (let i = 0; i < fields; i++) {
      const name = buffer.string();
      const value = buffer.string();
      if (name === 'UNIT') unit = value;
      else if (name === 'HELP') help = value;
    }
    if (buffer.error === null) visit({ ref, metadata: { type, unit, help } });
  }
  if (buffer.error !== null) throw new OutpostError('corrupt', `metadata record: ${buffer.error}`);
}
