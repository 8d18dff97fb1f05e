// Index series, posting lists and chunks share one shape: a length, a payload, the payload's CRC-32C.
// Their length is known only once its first bytes are read, so a frame is fetched with a guess and,
// where that fell short, once more with its exact end.

import { crc32c } from '../encoding/crc32c.ts';
import type { ByteSource } from './byte-source.ts';
import { corrupt } from './corrupt.ts';

const CRC_BYTES = 4;
// Five bytes of seven bits hold every length below 2^32.
const LENGTH_VARINT_BYTES_MAX = 5;

/** How one kind of frame is laid out. */
export interface FrameFormat {
  /** What error texts call a frame. */
  readonly what: string;
  readonly length: 'uvarint' | 'u32';
  /** Payload bytes the length does not count. */
  readonly uncounted: number;
  /** Bytes fetched at first where the frame's end is not known. */
  readonly guess: number;
}

/** Which frames to read. */
export interface FrameRequest {
  readonly format: FrameFormat;
  /** Offset of each frame's length field. */
  readonly offsets: ArrayLike<number>;
  /** Where each frame presumably ends, 0 where nothing is known; a wrong one costs a fetch. */
  readonly ends?: ArrayLike<number>;
  /** No frame reaches beyond this offset. */
  readonly limit: number;
}

/** The payloads, in order, each checked against its CRC. Throws `corrupt`. */
export async function readFrames(
  source: ByteSource,
  request: FrameRequest,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const { format, offsets, limit } = request;
  const ranges = Array.from(offsets, (start, i) => {
    if (!(start >= 0 && start < limit)) {
      throw corrupt(`${format.what} outside its section`, source.name, start);
    }
    const hint = request.ends?.[i] ?? 0;
    const end =
      hint > start ? Math.max(hint, start + LENGTH_VARINT_BYTES_MAX) : start + format.guess;
    return { start, end: Math.min(end, limit) };
  });
  const payloads: Uint8Array[] = new Array(ranges.length);
  const short: number[] = [];
  const fetched = await source.read(ranges, signal);
  for (let i = 0; i < ranges.length; i++) {
    const at = ranges[i]!.start;
    const frame = parseFrame(fetched[i]!, request, at, source.name);
    if (frame.end > fetched[i]!.length) {
      ranges[i] = { start: at, end: at + frame.end };
      short.push(i);
    } else payloads[i] = checkedPayload(fetched[i]!, frame, request.format, source.name, at);
  }
  if (short.length > 0) {
    const again = await source.read(
      short.map(i => ranges[i]!),
      signal,
    );
    short.forEach((i, at) => {
      const { start } = ranges[i]!;
      const frame = parseFrame(again[at]!, request, start, source.name);
      payloads[i] = checkedPayload(again[at]!, frame, request.format, source.name, start);
    });
  }
  return payloads;
}

interface FrameBounds {
  readonly payload: number;
  /** Offset after the CRC. */
  readonly end: number;
}

function parseFrame(
  bytes: Uint8Array,
  { format, limit }: FrameRequest,
  offset: number,
  file: string,
): FrameBounds {
  let length = 0;
  let payload = 0;
  let complete = false;
  if (format.length === 'u32') {
    payload = 4;
    complete = bytes.length >= 4;
    for (let i = 0; complete && i < 4; i++) length = length * 256 + bytes[i]!;
  } else {
    let scale = 1;
    while (!complete && payload < bytes.length && payload < LENGTH_VARINT_BYTES_MAX) {
      const byte = bytes[payload++]!;
      length += (byte & 0x7f) * scale;
      scale *= 128;
      complete = byte < 0x80;
    }
  }
  const end = payload + length + format.uncounted + CRC_BYTES;
  if (!complete || end > limit - offset) {
    throw corrupt(`${format.what} longer than its section`, file, offset);
  }
  return { payload, end };
}

function checkedPayload(
  bytes: Uint8Array,
  bounds: FrameBounds,
  format: FrameFormat,
  file: string,
  offset: number,
): Uint8Array {
  const crcAt = bounds.end - CRC_BYTES;
  const payload = bytes.subarray(bounds.payload, crcAt);
  let stored = 0;
  for (let i = crcAt; i < bounds.end; i++) stored = stored * 256 + bytes[i]!;
  if (crc32c(payload) !== stored) {
    throw corrupt(`${format.what} checksum mismatch`, file, offset);
  }
  return payload;
}
