// A label set's place in [0, 1) for limit_ratio: xxHash64 of the label strings, each with its length in
// front (one byte below 255, else 255 and three bytes). The same sets are sampled as by Prometheus.

import type { Labels } from '../labels/labels.ts';

const encoder = new TextEncoder();
const MASK = 0xffff_ffff_ffff_ffffn;
const PRIME1 = 0x9e37_79b1_85eb_ca87n;
const PRIME2 = 0xc2b2_ae3d_27d4_eb4fn;
const PRIME3 = 0x1656_67b1_9e37_79f9n;
const PRIME4 = 0x85eb_ca77_c2b2_ae63n;
const PRIME5 = 0x27d4_eb2f_1656_67c5n;

/** Where the label set lies between 0 and 1. */
export function labelsFraction(labels: Labels): number {
  const bytes: number[] = [];
  for (const text of labels.pairs) {
    const encoded = encoder.encode(text);
    const size = encoded.length;
    if (size < 255) bytes.push(size);
    else bytes.push(255, size & 255, (size >> 8) & 255, (size >> 16) & 255);
    bytes.push(...encoded);
  }
  return Number(xxHash64(Uint8Array.from(bytes))) / 2 ** 64;
}

// Once per series of a rare aggregation, so plain 64-bit arithmetic is fast enough.
/** xxHash64 with seed 0. */
export function xxHash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    const lanes = [(PRIME1 + PRIME2) & MASK, PRIME2, 0n, -PRIME1 & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + 8 * lane, true));
      }
    }
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, i) => sum + rotate(lanes[i]!, bits), 0n) & MASK;
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * PRIME1 + PRIME4) & MASK;
  } else {
    hash = PRIME5;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash ^= round(0n, view.getBigUint64(at, true));
    hash = (rotate(hash, 27n) * PRIME1 + PRIME4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash ^= (BigInt(view.getUint32(at, true)) * PRIME1) & MASK;
    hash = (rotate(hash, 23n) * PRIME2 + PRIME3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash ^= (BigInt(bytes[at]!) * PRIME5) & MASK;
    hash = (rotate(hash, 11n) * PRIME1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * PRIME2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME3) & MASK;
  return hash ^ (hash >> 32n);
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function round(lane: bigint, input: bigint): bigint {
  return (rotate((lane + input * PRIME2) & MASK, 31n) * PRIME1) & MASK;
}
