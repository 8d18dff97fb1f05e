// Series records: `1 (ref:u64 labels:uvarint (name value)*)*`, strings with their length as uvarint.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { LABELS_PER_SERIES_MAX } from '../../labels/validate.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { RECORD_SERIES } from './record-type.ts';

// Other writers may allow more labels than we take in; this only bounds what a damaged count can ask for.
const LABELS_MAX = LABELS_PER_SERIES_MAX * 16;

/** Collects series for one record. */
export class SeriesRecordWriter {
  readonly #buffer = new WriteBuffer(4096);

  get empty(): boolean {
    return this.#buffer.length === 0;
  }

  /** Adds a series; `pairs` is flat, sorted by name. */
  add(ref: number, pairs: readonly string[]): void {
    if (this.empty) this.#buffer.u8(RECORD_SERIES);
    this.#buffer.u64(ref);
    this.#buffer.uvarint(pairs.length / 2);
    for (const text of pairs) this.#buffer.string(text);
  }

  /** A view of the record; valid until the next call. */
  bytes(): Uint8Array {
    return this.#buffer.bytes();
  }

  reset(): void {
    this.#buffer.reset();
  }
}

/** Hands each series of a record to `visit`, whose `pairs` are its own. Throws `corrupt`. */
export function decodeSeriesRecord(
  record: Uint8Array,
  visit: (ref: number, pairs: string[]) => void,
): void {
  const buffer = new ReadBuffer(record, 1);
  while (buffer.remaining > 0) {
    const ref = buffer.u64();
    const count = buffer.uvarint();
    if (count > LABELS_MAX) throw new OutpostError('corrupt', `series record: ${count} labels`);
    const pairs: string[] = [];
    for (let i = 0; i < count * 2; i++) pairs.push(buffer.string());
    if (buffer.error === null) visit(ref, pairs);
  }
  if (buffer.error !== null) throw new OutpostError('corrupt', `series record: ${buffer.error}`);
}
