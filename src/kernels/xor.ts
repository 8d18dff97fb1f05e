// Encoding and decoding of Prometheus' XOR chunks (payload only: no length, encoding byte or CRC). Work
// happens in the memory of one WebAssembly instance: chunks are copied in, columns are views of it.

import { assert, OutpostError } from '../lifecycle/errors.ts';
import { type Kernels, newKernels } from './load.ts';

/** The most samples a chunk can hold: its count is a u16. */
export const XOR_SAMPLES_MAX = 65_535;

// The memory's layout: encoder state, two columns, the chunk. The chunk's room holds the longest one there
// is (19 bytes a sample); whatever lies behind it in a longer input cannot belong to the chunk.
const STATE = 64;
const TIMES = 1024;
const COLUMN_BYTES = (XOR_SAMPLES_MAX + 1) * 8;
const VALUES = TIMES + COLUMN_BYTES;
const CHUNK = VALUES + COLUMN_BYTES;
const CHUNK_BYTES_MAX = (XOR_SAMPLES_MAX + 1) * 19;
const SLACK = 64;
const PAGES = Math.ceil((CHUNK + CHUNK_BYTES_MAX + SLACK) / 65_536);

// Answers of the decode kernel below zero.
const TROUBLES = [
  '',
  'ends inside a sample',
  'has a varint over 64 bits',
  'has an impossible window',
];

/**
 * Decodes chunks one after another. Its memory is 2.3 MB of address space, of which only what chunks
 * have touched is resident.
 */
export class XorDecoder {
  /** Times of the last chunk, Unix ms; valid until the next decode. Longer than the count. */
  readonly times: Float64Array;
  /** Values of the last chunk, bits intact; valid until the next decode. Longer than the count. */
  readonly values: Float64Array;
  readonly #chunk: Uint8Array;
  readonly #kernels: Kernels;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    this.#kernels = newKernels(memory);
    this.times = new Float64Array(memory.buffer, TIMES, XOR_SAMPLES_MAX);
    this.values = new Float64Array(memory.buffer, VALUES, XOR_SAMPLES_MAX);
    this.#chunk = new Uint8Array(memory.buffer, CHUNK, CHUNK_BYTES_MAX);
  }

  /**
   * Decodes a chunk into `times` and `values` and returns its sample count. Bytes behind the last sample
   * are ignored, as upstream does. Throws OutpostError `corrupt` where the bytes are no chunk.
   */
  decode(data: Uint8Array): number {
    const size = Math.min(data.length, CHUNK_BYTES_MAX);
    this.#chunk.set(size === data.length ? data : data.subarray(0, size));
    const count = this.#kernels.xorDecode(CHUNK, size, TIMES, VALUES);
    if (count >= 0) return count;
    throw new OutpostError(
      'corrupt',
      `decode xor chunk: it ${TROUBLES[-count] ?? 'is damaged'}, ${data.length} bytes`,
    );
  }

  /** `encodeXor` on this decoder's memory: it overwrites the columns of the last decode. */
  encode(times: Float64Array, values: Float64Array, from: number, to: number): Uint8Array {
    const count = to - from;
    assert(count >= 0 && count <= XOR_SAMPLES_MAX, `xor chunk of ${count} samples`);
    this.times.set(times.subarray(from, to));
    this.values.set(values.subarray(from, to));
    const size = this.#kernels.xorEncode(STATE, TIMES, VALUES, count, CHUNK);
    return this.#chunk.slice(0, size);
  }
}

let shared: XorDecoder | undefined;

/**
 * This thread's decoder. Decoding is synchronous and results are copied out before anything else runs, so
 * one serves all.
 */
export function xorDecoder(): XorDecoder {
  shared ??= new XorDecoder();
  return shared;
}

/**
 * The XOR chunk of the samples from…to−1: at most 65,535, times whole milliseconds. The bytes are those
 * Prometheus would write, the copy is the caller's.
 */
export function encodeXor(
  times: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
): Uint8Array {
  return xorDecoder().encode(times, values, from, to);
}
