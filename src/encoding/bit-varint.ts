// Go's LEB128 varints inside a bit stream, where they need not begin at a byte.

import { OutpostError } from '../lifecycle/errors.ts';
import type { BitReader } from './bit-reader.ts';

const BYTES_MAX = 10;

/** An unsigned varint; beyond 2^53 the nearest number. Throws `corrupt` where it does not end. */
export function readBitUvarint(reader: BitReader): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < BYTES_MAX; i++) {
    const byte = reader.bits(8);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw new OutpostError('corrupt', `read varint: it is longer than ${BYTES_MAX} bytes`);
}

/** A zig-zag varint; beyond 2^53 the nearest number. Throws `corrupt` where it does not end. */
export function readBitVarint(reader: BitReader): number {
  const value = readBitUvarint(reader);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
