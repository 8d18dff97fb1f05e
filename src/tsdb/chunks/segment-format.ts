// Segment files of a block's chunks: an 8-byte header, then frames of length, encoding, data and CRC.
// Format: docs of Prometheus' tsdb, "Chunks Disk Format", version 1.

import type { FrameFormat } from '../frames.ts';

export const SEGMENT_MAGIC = 0x85bd40dd;
export const SEGMENT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 8;
/** A segment is cut before it would grow beyond this. */
export const SEGMENT_BYTES_MAX = 512 * 1024 * 1024;

/** A chunk's frame: the length counts the data alone, the checksum covers encoding and data. */
export const CHUNK_FRAME: FrameFormat = {
  what: 'chunk',
  length: 'uvarint',
  uncounted: 1,
  guess: 1024,
};

/** Bytes a frame adds to the chunk's data, at most. */
export const FRAME_BYTES_MAX = 5 + 1 + 4;

/** File name of the segment with a 0-based number. */
export function segmentName(segment: number): string {
  return String(segment + 1).padStart(6, '0');
}
