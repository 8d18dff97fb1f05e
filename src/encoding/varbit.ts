// Integers of variable width in a bit stream, as in Prometheus' histogram chunks (tsdb/docs/format/chunks.md):
// up to eight ones say how wide the field is. Signed fields are asymmetric: n bits hold −(2^(n−1)−1)…2^(n−1).

import { assert } from '../lifecycle/errors.ts';
import type { BitReader } from './bit-reader.ts';
import type { BitWriter } from './bit-writer.ts';

const TWO_32 = 0x1_0000_0000;
/** Field widths by the number of ones before them. */
const WIDTHS = [0, 3, 6, 9, 12, 18, 25, 56, 64];
const WIDE = 7;
const WIDEST = 8;

/** A signed varbit; beyond ±2^53 the nearest number. Throws `corrupt` where the bits end. */
export function readVarbitInt(reader: BitReader): number {
  const ones = reader.ones(WIDEST);
  if (ones === 0) return 0;
  const width = WIDTHS[ones]!;
  if (ones < WIDE) {
    const raw = reader.bits(width);
    const limit = 2 ** (width - 1);
    return raw > limit ? raw - 2 * limit : raw;
  }
  let high = reader.bits(width - 32);
  const low = reader.bits(32);
  if (ones === WIDEST) high |= 0;
  else if (high > 0x80_0000 || (high === 0x80_0000 && low > 0)) high -= 0x100_0000;
  return high * TWO_32 + low;
}

/** An unsigned varbit; beyond 2^53 the nearest number. Throws `corrupt` where the bits end. */
export function readVarbitUint(reader: BitReader): number {
  const ones = reader.ones(WIDEST);
  if (ones === 0) return 0;
  const width = WIDTHS[ones]!;
  if (ones < WIDE) return reader.bits(width);
  const high = reader.bits(width - 32);
  return high * TWO_32 + reader.bits(32);
}

/** Writes a safe integer as a signed varbit. */
export function writeVarbitInt(writer: BitWriter, value: number): void {
  assert(Number.isSafeInteger(value), `varbit of ${value}`);
  if (value === 0) {
    writer.bit(0);
    return;
  }
  let ones = 1;
  while (ones < WIDE && !fits(value, WIDTHS[ones]!)) ones++;
  writeField(writer, ones, value);
}

/** Writes a safe integer that is not negative as an unsigned varbit. */
export function writeVarbitUint(writer: BitWriter, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `unsigned varbit of ${value}`);
  if (value === 0) {
    writer.bit(0);
    return;
  }
  let ones = 1;
  while (ones < WIDE && value >= 2 ** WIDTHS[ones]!) ones++;
  writeField(writer, ones, value);
}

function fits(value: number, width: number): boolean {
  const limit = 2 ** (width - 1);
  return value > -limit && value <= limit;
}

/** The prefix and the field. A safe integer needs at most 56 bits. */
function writeField(writer: BitWriter, ones: number, value: number): void {
  writer.bits(2 ** (ones + 1) - 2, ones + 1);
  const width = WIDTHS[ones]!;
  if (ones < WIDE) {
    writer.bits(value, width);
    return;
  }
  writer.bits(Math.floor(value / TWO_32), width - 32);
  writer.bits(value, 32);
}
