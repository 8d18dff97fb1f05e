// A label set's place in [0, 1) for limit_ratio: xxHash64 of the label strings, each with its length in
// front (one byte below 255, else 255 and three bytes). The same sets are sampled as by Prometheus.

import { xxhash64 } from '../encoding/xxhash.ts';
import type { Labels } from '../labels/labels.ts';

const encoder = new TextEncoder();

/** Where the label set lies between 0 and 1. */
export function labelsFraction(labels: Labels): number {
  const { high, low } = xxhash64(labelBytes(labels));
  return ((high >>> 0) + (low >>> 0) / 2 ** 32) / 2 ** 32;
}

/** Name and value of each label in order, each with its length in front. */
export function labelBytes(labels: Labels): Uint8Array {
  const bytes: number[] = [];
  for (const text of labels.pairs) {
    const encoded = encoder.encode(text);
    const size = encoded.length;
    if (size < 255) bytes.push(size);
    else bytes.push(255, size & 255, (size >> 8) & 255, (size >> 16) & 255);
    for (const byte of encoded) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
