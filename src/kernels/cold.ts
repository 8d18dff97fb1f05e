// Decoding of the columns of cold blocks, in the memory of one WebAssembly instance: bytes are copied in,
// columns are views of it.

import { assert } from '../lifecycle/errors.ts';
import { type Kernels, newKernels } from './load.ts';

/** Samples of a column at most. */
export const COLD_COLUMN_MAX = 4096;

// Two columns and a scratch one, then the bytes: no column is longer than ten bytes for each of two
// integers and nine for each exception.
const COLUMN_BYTES = COLD_COLUMN_MAX * 8;
const TIMES = 1024;
const VALUES = TIMES + COLUMN_BYTES;
const SCRATCH = VALUES + COLUMN_BYTES;
const BYTES = SCRATCH + COLUMN_BYTES;
const BYTES_MAX = COLD_COLUMN_MAX * 32;
const SLACK = 64;
const PAGES = Math.ceil((BYTES + BYTES_MAX + SLACK) / 65_536);

const TROUBLES = [
  '',
  'ends inside a column',
  'has a varint over 64 bits',
  'has a column of an unknown kind',
];

/** Decodes one column after another; 320 KiB of memory. */
export class ColdDecoder {
  /** The last times, Unix ms; valid until the next call of `decodeTimes`. Longer than the count. */
  readonly times: Float64Array;
  /** The last values, bits intact; valid until the next call of `decodeValues`. Longer than the count. */
  readonly values: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #kernels: Kernels;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    this.#kernels = newKernels(memory);
    this.times = new Float64Array(memory.buffer, TIMES, COLD_COLUMN_MAX);
    this.values = new Float64Array(memory.buffer, VALUES, COLD_COLUMN_MAX);
    this.#bytes = new Uint8Array(memory.buffer, BYTES, BYTES_MAX);
  }

  /** Decodes 1…COLD_COLUMN_MAX values from `from` on. What is wrong with the bytes, or null. */
  decodeValues(data: Uint8Array, from: number, count: number): string | null {
    const size = this.#load(data, from, count);
    return answer(this.#kernels.coldValues(BYTES, size, count, VALUES, SCRATCH));
  }

  /** Decodes 1…COLD_COLUMN_MAX times from `from` on. What is wrong with the bytes, or null. */
  decodeTimes(data: Uint8Array, from: number, count: number): string | null {
    const size = this.#load(data, from, count);
    return answer(this.#kernels.coldTimes(BYTES, size, count, TIMES));
  }

  #load(data: Uint8Array, from: number, count: number): number {
    assert(count >= 1 && count <= COLD_COLUMN_MAX, `cold column of ${count} samples`);
    const size = Math.min(data.length - from, BYTES_MAX);
    this.#bytes.set(data.subarray(from, from + size));
    return size;
  }
}

function answer(code: number): string | null {
  return code === 0 ? null : (TROUBLES[-code] ?? 'is damaged');
}

let shared: ColdDecoder | undefined;

/** This thread's decoder: results are copied out before anything else runs. */
export function coldDecoder(): ColdDecoder {
  shared ??= new ColdDecoder();
  return shared;
}
