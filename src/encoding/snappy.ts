// The one door to snappy, raw block format: remote write, WAL records. The declared length is checked
// before anything is allocated, so a small hostile body cannot ask for gigabytes.

import snappy from 'snappyjs';
import { OutpostError } from '../lifecycle/errors.ts';

const EXPANSION_MAX = 22;

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
  // A copy of three bytes makes at most 64: a body that announces more is not worth the memory.
  const isPossible = length <= bytes.length * EXPANSION_MAX;
  const output = new Uint8Array(isPossible ? length : 0);
  if (!isPossible || !decodeBlock(bytes, output)) {
    throw new OutpostError('bad-data', 'decode snappy: the block is damaged or cut short');
  }
  return output;
}

// Snappyjs' own decoder takes a literal of 2 GiB or more for one of negative length and steps back to it
// for ever, so blocks from outside are decoded here. Format: google/snappy format_description.txt.
function decodeBlock(input: Uint8Array, output: Uint8Array): boolean {
  let at = 0;
  while (input[at]! >= 0x80) at++;
  at++;
  let out = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const width = length - 60;
        length = littleEndian(input, at, width) + 1;
        at += width;
      }
      if (length > input.length - at || length > output.length - out) return false;
      copyLiteral(input, at, { output, out, length });
      at += length;
      out += length;
    } else {
      const kind = tag & 3;
      const width = kind === 3 ? 4 : kind;
      if (width > input.length - at) return false;
      const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const high = kind === 1 ? (tag >>> 5) << 8 : 0;
      const offset = high + littleEndian(input, at, width);
      at += width;
      if (offset === 0 || offset > out || length > output.length - out) return false;
      // Byte by byte: a copy may overlap what it makes.
      for (const end = out + length; out < end; out++) output[out] = output[out - offset]!;
    }
  }
  return out === output.length;
}

interface Target {
  readonly output: Uint8Array;
  readonly out: number;
  readonly length: number;
}

function copyLiteral(input: Uint8Array, at: number, { output, out, length }: Target): void {
  if (length > 64) output.set(input.subarray(at, at + length), out);
  else for (let i = 0; i < length; i++) output[out + i] = input[at + i]!;
}

/** Missing bytes count as zero; the lengths made of them are checked by the caller. */
function littleEndian(input: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (input[at + i] ?? 0);
  return value;
}

/** Compresses into one block. */
export function snappyEncode(bytes: Uint8Array): Uint8Array {
  return snappy.compress(bytes);
}
