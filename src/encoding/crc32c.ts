// CRC-32C (Castagnoli), the checksum of index, chunk and log records. zlib's crc32 is another polynomial.

import { type Kernels, newKernels } from '../kernels/load.ts';

// The memory: the tables, then the bytes at hand.
const TABLES = 64;
const INPUT = 32_768;
const INPUT_BYTES = 98_304;

interface Checksum {
  readonly kernels: Kernels;
  readonly input: Uint8Array;
}

let shared: Checksum | undefined;

function checksum(): Checksum {
  if (shared === undefined) {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
    const kernels = newKernels(memory);
    kernels.crc32cTables(TABLES);
    shared = { kernels, input: new Uint8Array(memory.buffer, INPUT, INPUT_BYTES) };
  }
  return shared;
}

/** The CRC-32C of the bytes, or of `previous` continued by them. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const { kernels, input } = checksum();
  let crc = previous;
  for (let at = 0; at < bytes.length; at += INPUT_BYTES) {
    const size = Math.min(INPUT_BYTES, bytes.length - at);
    input.set(size === bytes.length ? bytes : bytes.subarray(at, at + size));
    crc = kernels.crc32c(TABLES, INPUT, size, crc);
  }
  return crc >>> 0;
}
