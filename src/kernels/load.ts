// The door to the WebAssembly kernels. Every owner brings its own memory and gets its own instance; the
// compiled module is the only thing they share within a thread.

import { readFileSync } from 'node:fs';
import { OutpostError } from '../lifecycle/errors.ts';

/** What every instance exports. Addresses are byte offsets in its memory; see the sources beside this. */
export interface Kernels {
  xorDecode(data: number, size: number, times: number, values: number): number;
  xorEncode(state: number, times: number, values: number, count: number, data: number): number;
}

let compiled: WebAssembly.Module | undefined;

/**
 * A new instance over `memory`, made synchronously. The caller lays the memory out. Throws OutpostError
 * `internal` where the module has not been built.
 */
export function newKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= compile(new URL('./kernels.wasm', import.meta.url));
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return instance.exports as unknown as Kernels;
}

function compile(url: URL): WebAssembly.Module {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new OutpostError('internal', `load kernels: run npm run build to make ${url.pathname}`, {
      cause,
    });
  }
  return new WebAssembly.Module(bytes);
}
