// What a checkout that was never built says.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

test('kernels that were not built are an error that names the command', async () => {
  const root = mkdtempSync(join(tmpdir(), 'outpost-kernels-'));
  try {
    for (const path of ['src/kernels/load.ts', 'src/lifecycle/errors.ts'])
      cpSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), join(root, path));
    const url = pathToFileURL(join(root, 'src/kernels/load.ts')).href;
    const { newKernels } = await import(/* @vite-ignore */ url);
    expect(() => newKernels(new WebAssembly.Memory({ initial: 1 }))).toThrow(
      /load kernels: run npm run build to make .*kernels\.wasm/,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
