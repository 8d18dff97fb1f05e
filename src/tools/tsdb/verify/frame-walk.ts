// Frames (length, payload, CRC-32C) that follow each other in a file. Where one is damaged, the walk goes on
// with the next place that proves to be a frame.

import { crc32c } from '../../../encoding/crc32c.ts';
import type { ByteWindow } from './byte-window.ts';

const CRC_BYTES = 4;
const VARINT_BYTES_MAX = 5;
// An empty payload's checksum is zero, so padding would pass for frames.
const PAYLOAD_BYTES_MIN = 2;

/** How the frames lie. */
export interface FrameShape {
  readonly length: 'uvarint' | 'u32';
  /** Payload bytes the length does not count. */
  readonly uncounted: number;
}

/** A frame that is whole. The payload is valid until the next read. */
export interface Frame {
  readonly payload: Uint8Array;
  /** Offset after the checksum. */
  readonly end: number;
}

/** The frame at an offset, or what is wrong with it. It must end before `limit`. */
export async function frameAt(
  window: ByteWindow,
  shape: FrameShape,
  offset: number,
  limit: number,
): Promise<Frame | string> {
  const head = await window.read(offset, Math.min(limit, offset + VARINT_BYTES_MAX));
  const prefix = shape.length === 'u32' ? u32Length(head) : uvarintLength(head);
  if (prefix === null) return 'length is malformed';
  const payloadAt = offset + prefix.bytes;
  const end = payloadAt + prefix.value + shape.uncounted + CRC_BYTES;
  if (end > limit) return 'is longer than its section';
  const bytes = await window.read(payloadAt, end);
  const payload = bytes.subarray(0, bytes.length - CRC_BYTES);
  let stored = 0;
  for (let i = payload.length; i < bytes.length; i++) stored = stored * 256 + bytes[i]!;
  return crc32c(payload) === stored ? { payload, end } : 'checksum mismatch';
}

/** The next offset from `offset` on, in steps, where a whole frame lies; `limit` where there is none. */
export async function nextFrame(
  window: ByteWindow,
  shape: FrameShape,
  place: { readonly offset: number; readonly step: number; readonly limit: number },
): Promise<number> {
  for (let at = place.offset; at < place.limit; at += place.step) {
    const frame = await frameAt(window, shape, at, place.limit);
    if (typeof frame !== 'string' && frame.payload.length >= PAYLOAD_BYTES_MIN) return at;
  }
  return place.limit;
}

interface Length {
  readonly value: number;
  readonly bytes: number;
}

function u32Length(bytes: Uint8Array): Length | null {
  if (bytes.length < 4) return null;
  const value = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
  return { value, bytes: 4 };
}

function uvarintLength(bytes: Uint8Array): Length | null {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < bytes.length; i++) {
    value += (bytes[i]! & 0x7f) * scale;
    if (bytes[i]! < 0x80) return { value, bytes: i + 1 };
    scale *= 128;
  }
  return null;
}
