// The one door to zstd: log records of Prometheus servers that were told to use it, which are only read,
// and the pages of cold blocks.

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { OutpostError } from '../lifecycle/errors.ts';

// Bounds the window, and with it the memory, that a hostile frame can ask for.
const WINDOW_LOG_MAX = 27;

/** Decompresses one frame of at most `lengthMax` bytes. Throws `bad-data`. */
export function zstdDecode(bytes: Uint8Array, lengthMax: number): Uint8Array {
  try {
    return zstdDecompressSync(bytes, {
      maxOutputLength: lengthMax,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    });
  } catch (cause) {
    throw new OutpostError('bad-data', 'decode zstd: the frame is damaged or too large', { cause });
  }
}

/** The only frame of `bytes`, which decompresses to exactly `length` bytes. Throws `bad-data`. */
export function zstdDecodeExactly(bytes: Uint8Array, length: number): Uint8Array {
  try {
    const out = zstdDecompressSync(bytes, {
      chunkSize: Math.max(64, length),
      maxOutputLength: Math.max(1, length),
      params: { [constants.ZSTD_d_windowLogMax]: Math.max(10, Math.ceil(Math.log2(length + 1))) },
    });
    if (out.length === length) return out;
  } catch (cause) {
    throw new OutpostError('bad-data', 'decode zstd: the frame is damaged', { cause });
  }
  throw new OutpostError('bad-data', 'decode zstd: the frame is shorter than it should be');
}

/** One frame; `level` 1 is fastest, 19 densest. */
export function zstdEncode(bytes: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}
