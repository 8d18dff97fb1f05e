// Whole reads and writes of scratch files.

import type { FileHandle } from 'node:fs/promises';
import { OutpostError } from '../../../lifecycle/errors.ts';

/** Writes all bytes at a position. */
export async function writeAll(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Fills `bytes` from a position. Throws `unavailable` where the file ends before. */
export async function readAll(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) {
      throw new OutpostError('unavailable', 'read back scratch file: it is short');
    }
    at += bytesRead;
  }
}
