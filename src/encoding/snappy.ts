// The one door to snappy, raw block format: remote write, WAL records. The declared length is checked
// before anything is allocated, so a small hostile body cannot ask for gigabytes.

import snappy from 'snappyjs';
import { OutpostError } from '../lifecycle/errors.ts';

/** The length a block says it decompresses to. Throws `bad-data` when the header is not readable. */
export function snappyDecodedLength(bytes: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < 5 && i < bytes.length; i++) {
    value += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[i]! < 0x80) return value;
  }
  throw new OutpostError('bad-data', 'decode snappy: the length header is cut short');
}

/** Decompresses a block of at most `lengthMax` bytes. Throws `bad-data` or `limit-exceeded`. */
export function snappyDecode(bytes: Uint8Array, lengthMax: number): Uint8Array {
  const length = snappyDecodedLength(bytes);
  if (length > lengthMax) {
    throw new OutpostError(
      'limit-exceeded',
      `decode snappy: ${length} bytes when decompressed, at most ${lengthMax} are accepted`,
    );
  }
  if (length === 0) return new Uint8Array(0);
  try {
    return snappy.uncompress(bytes, lengthMax);
  } catch (cause) {
    throw new OutpostError('bad-data', 'decode snappy: the block is damaged or cut short', {
      cause,
    });
  }
}

/** Compresses into one block. */
export function snappyEncode(bytes: Uint8Array): Uint8Array {
  return snappy.compress(bytes);
}
