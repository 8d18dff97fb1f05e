// Tombstones records: `3 (ref:u64 minTime:varint maxTime:varint)*`, both times inclusive. Deletions
// without bounds carry the extremes of int64, which no safe integer holds; they become ±2^53.

import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { RECORD_TOMBSTONES } from './record-type.ts';

/** Samples of a series that were deleted: minTime ≤ t ≤ maxTime. */
export interface LoggedTombstone {
  readonly ref: number;
  readonly minTime: number;
  readonly maxTime: number;
}

/** Encodes one record. */
export function encodeTombstonesRecord(tombstones: Iterable<LoggedTombstone>): Uint8Array {
  const buffer = new WriteBuffer();
  buffer.u8(RECORD_TOMBSTONES);
  for (const { ref, minTime, maxTime } of tombstones) {
    buffer.u64(ref);
    buffer.varint(minTime);
    buffer.varint(maxTime);
  }
  return buffer.bytes();
}

/** Hands each tombstone of a record to `visit`. Throws `corrupt`. */
export function decodeTombstonesRecord(
  record: Uint8Array,
  visit: (tombstone: LoggedTombstone) => void,
): void {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  let at = 1;
  const varint = (): number => {
    let zigzag = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = record[at++];
      if (byte === undefined) break;
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return clamp((zigzag >> 1n) ^ -(zigzag & 1n));
    }
    throw new OutpostError('corrupt', `tombstones record: a varint is cut short at offset ${at}`);
  };
  while (at < record.length) {
    if (at + 8 > record.length) {
      throw new OutpostError('corrupt', `tombstones record: cut short at offset ${at}`);
    }
    const ref = view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
    at += 8;
    visit({ ref, minTime: varint(), maxTime: varint() });
  }
}

function clamp(value: bigint): number {
  const safe = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > safe ? safe : value < -safe ? -safe : value);
}
