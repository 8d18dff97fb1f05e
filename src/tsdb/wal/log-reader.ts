// Reads one segment from front to back in bounded memory, giving way to other work between records.

import type { FileHandle } from 'node:fs/promises';
import type { Slicer } from '../../lifecycle/slicer.ts';
import { withFile } from '../with-file.ts';
import { PAGE_BYTES } from './framing.ts';
import { type Damage, RecordScanner, type RecordVisitor } from './record-scanner.ts';

const READ_BYTES = 32 * PAGE_BYTES;

/** What was found in a segment. */
export interface SegmentReading {
  readonly records: number;
  /** Offset behind the last whole record before any damage. */
  readonly goodEnd: number;
  readonly fileBytes: number;
  readonly damages: readonly Damage[];
  /** Bytes between good records that could not be read; a torn end is not among them. */
  readonly lostBytes: number;
}

/**
 * Hands every readable record of the segment to `visit`, in order; damage is noted and passed over, and what
 * the device does not give back ends the segment. `onRead`
 * hears of bytes read.
 */
export async function readSegment(
  path: string,
  visit: RecordVisitor,
  slicer: Slicer,
  { onRead }: { readonly onRead?: ((bytes: number) => void) | undefined } = {},
): Promise<SegmentReading> {
  const scanner = new RecordScanner(visit);
  const buffer = new Uint8Array(READ_BYTES);
  let offset = 0;
  await withFile(path, 'r', async file => {
    for (;;) {
      let length: number;
      try {
        length = await readFully(file, buffer, offset);
      } catch (error) {
        if (!isDeviceError(error)) throw error;
        const { size } = await file.stat();
        scanner.unreadable(offset, `the device does not give it back: ${error.message}`);
        offset = Math.max(offset, size);
        break;
      }
      for (let at = 0; at < length; at += PAGE_BYTES) {
        const page = buffer.subarray(at, Math.min(at + PAGE_BYTES, length));
        for (const _ of scanner.fragments(page, offset + at)) if (slicer.due) await slicer.pause();
      }
      offset += length;
      onRead?.(length);
      if (length < READ_BYTES) break;
    }
  });
  scanner.end(offset);
  const { records, goodEnd, damages, lostBytes } = scanner;
  return { records, goodEnd, fileBytes: offset, damages, lostBytes };
}

/** True where the device has lost the bytes; asking again would not help. */
function isDeviceError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'EIO';
}

// A short read in the middle of a file would look like its end.
async function readFully(file: FileHandle, buffer: Uint8Array, offset: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, offset + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
