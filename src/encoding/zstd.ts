// The one door to zstd: log records of Prometheus servers that were told to use it. Never written here.

import { constants, zstdDecompressSync } from 'node:zlib';
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
