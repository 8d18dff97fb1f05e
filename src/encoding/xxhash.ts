// XXH64 with seed 0: the hash of chunks on the wire and of series when they are spread over shards. A
// 64-bit result travels as two 32-bit halves.

import { type Kernels, newKernels } from '../kernels/load.ts';

// The memory: the state, then the bytes at hand.
const STATE = 64;
const INPUT = 128;
const INPUT_BYTES = 65_536;
const STRIPE = 32;

/** A 64-bit hash. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

interface Hasher {
  readonly kernels: Kernels;
  readonly input: Uint8Array;
  readonly result: Uint32Array;
}

let shared: Hasher | undefined;

function hasher(): Hasher {
  if (shared === undefined) {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
    shared = {
      kernels: newKernels(memory),
      input: new Uint8Array(memory.buffer, INPUT, INPUT_BYTES),
      result: new Uint32Array(memory.buffer, STATE, 2),
    };
  }
  return shared;
}

/** The hash of the bytes. */
export function xxhash64(bytes: Uint8Array): Hash64 {
  const [low, high] = hashed(bytes);
  return { high: high!, low: low! };
}

/** Writes the hash to out[index] (low half) and out[index + 1] (high half), allocating nothing. */
export function xxhash64Into(bytes: Uint8Array, out: Uint32Array, index: number): void {
  const result = hashed(bytes);
  out[index] = result[0]!;
  out[index + 1] = result[1]!;
}

function hashed(bytes: Uint8Array): Uint32Array {
  const { kernels, input, result } = hasher();
  if (bytes.length <= INPUT_BYTES) {
    input.set(bytes);
    kernels.xxhash64(STATE, INPUT, bytes.length);
    return result;
  }
  kernels.xxhashStart(STATE);
  const whole = bytes.length - (bytes.length % STRIPE);
  for (let at = 0; at < whole; at += INPUT_BYTES) {
    const end = Math.min(at + INPUT_BYTES, whole);
    input.set(bytes.subarray(at, end));
    kernels.xxhashStripes(STATE, INPUT, end - at);
  }
  input.set(bytes.subarray(whole));
  kernels.xxhashFinish(STATE, INPUT, bytes.length - whole, bytes.length);
  return result;
}
