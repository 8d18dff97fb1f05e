// Exemplars records: `4 baseRef:u64 baseTime:i64 (ref−base:varint time−base:varint value:f64 labels:uvarint
// (name value)*)*`, strings with their length as uvarint.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { Labels } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { EXEMPLAR_LABELS_LENGTH_MAX, type Exemplar } from '../../storage/exemplar.ts';
import { RECORD_EXEMPLARS } from './record-type.ts';

/** An exemplar of the series with a reference. */
export interface LoggedExemplar {
  readonly ref: number;
  readonly exemplar: Exemplar;
}

/** Encodes one record of at least one exemplar. */
export function encodeExemplarsRecord(exemplars: readonly LoggedExemplar[]): Uint8Array {
  const buffer = new WriteBuffer();
  const first = exemplars[0]!;
  buffer.u8(RECORD_EXEMPLARS);
  buffer.u64(first.ref);
  buffer.u64(first.exemplar.time);
  for (const { ref, exemplar } of exemplars) {
    buffer.varint(ref - first.ref);
    buffer.varint(exemplar.time - first.exemplar.time);
    buffer.f64(exemplar.value);
    buffer.uvarint(exemplar.labels.size);
    for (const text of exemplar.labels.pairs) buffer.string(text);
  }
  return buffer.bytes();
}

/** Hands each exemplar of a record to `visit`. Throws `corrupt`. */
export function decodeExemplarsRecord(
  record: Uint8Array,
  visit: (logged: LoggedExemplar) => void,
): void {
  const buffer = new ReadBuffer(record, 1);
  if (buffer.remaining === 0) return;
  const baseRef = buffer.u64();
  const baseTime = buffer.i64();
  while (buffer.remaining > 0) {
    const ref = baseRef + buffer.varint();
    const time = baseTime + buffer.varint();
    const value = buffer.f64();
    const count = buffer.uvarint();
    if (count > EXEMPLAR_LABELS_LENGTH_MAX) {
      throw new OutpostError('corrupt', `exemplars record: ${count} labels`);
    }
    const pairs: string[] = [];
    for (let i = 0; i < count * 2; i++) pairs.push(buffer.string());
    if (buffer.error === null) {
      visit({ ref, exemplar: { labels: Labels.fromSorted(pairs), value, time } });
    }
  }
  if (buffer.error !== null) throw new OutpostError('corrupt', `exemplars record: ${buffer.error}`);
}
