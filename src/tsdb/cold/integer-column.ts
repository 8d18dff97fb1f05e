// A column of integers as varints of what is left after the best of a few predictions. zstd, which comes
// behind, finds the repetitions; what matters here is that the same thing is written with the same bytes.

import type { WriteBuffer } from '../../encoding/write-buffer.ts';

/** How the integers are predicted; the first byte of a column. */
export const Prediction = {
  /** Distance to the smallest. */
  least: 0,
  /** Difference to the one before. */
  previous: 1,
  /** Difference of differences. */
  slope: 2,
  /** All alike. */
  constant: 3,
} as const;

/** Integers of a column stay within ±this, so that second differences are exact. */
export const INTEGER_MAX = 2 ** 50;

/** Writes the first `count` integers, at least one, each whole and within ±INTEGER_MAX. */
export function writeIntegers(out: WriteBuffer, integers: Float64Array, count: number): void {
  const prediction = bestPrediction(integers, count);
  out.u8(prediction);
  if (prediction === Prediction.least) {
    const least = leastOf(integers, count);
    out.varint(least);
    for (let i = 0; i < count; i++) out.uvarint(integers[i]! - least);
    return;
  }
  let last = integers[0]!;
  out.varint(last);
  if (prediction === Prediction.constant) return;
  const keepsSlope = prediction === Prediction.slope;
  let slope = 0;
  for (let i = 1; i < count; i++) {
    const difference = integers[i]! - last;
    out.varint(difference - slope);
    if (keepsSlope) slope = difference;
    last = integers[i]!;
  }
}

/** Where the bits that are left are fewest. */
function bestPrediction(integers: Float64Array, count: number): number {
  const least = leastOf(integers, count);
  let last = integers[0]!;
  let slope = 0;
  let alike = true;
  let leastBits = bitsOf(last - least);
  let previousBits = 0;
  let slopeBits = 0;
  for (let i = 1; i < count; i++) {
    const value = integers[i]!;
    const difference = value - last;
    if (difference !== 0) alike = false;
    leastBits += bitsOf(value - least);
    previousBits += bitsOf(difference * 2);
    slopeBits += bitsOf((difference - slope) * 2);
    slope = difference;
    last = value;
  }
  if (alike) return Prediction.constant;
  if (leastBits <= previousBits && leastBits <= slopeBits) return Prediction.least;
  return previousBits <= slopeBits ? Prediction.previous : Prediction.slope;
}

function leastOf(integers: Float64Array, count: number): number {
  let least = integers[0]!;
  for (let i = 1; i < count; i++) if (integers[i]! < least) least = integers[i]!;
  return least;
}

/** Bits of the magnitude. */
function bitsOf(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 0x1_0000_0000) return 32 - Math.clz32(magnitude);
  return 64 - Math.clz32(magnitude / 0x1_0000_0000);
}
