// Compiles src/kernels/assembly to src/kernels/kernels.wasm. Does nothing where the module is newer than
// its sources and this script.

import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const source = 'src/kernels/assembly';
const target = 'src/kernels/kernels.wasm';
// Written beside and renamed, so that whoever loads the module meanwhile never sees half of it.
const temporary = `src/kernels/kernels.${process.pid}.wasm`;

const options = [
  `${source}/kernels.ts`,
  ...['--outFile', temporary],
  ...['--runtime', 'stub'],
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge'],
  ...['--enable', 'simd'],
  ...['--importMemory', '--noExportMemory', '--initialMemory', '1'],
  // No abort import and no message strings: the module needs nothing but its memory.
  ...['--noAssert', '--use', 'abort='],
];

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const sources = readdirSync(source).map(name => `${source}/${name}`);
const newest = Math.max(...[...sources, 'scripts/build-kernels.ts'].map(modifiedAt));
if (modifiedAt(target) > newest) {
  console.log(`kernels: ${target} is up to date`);
} else {
  const compiler = 'node_modules/assemblyscript/bin/asc.js';
  const { status } = spawnSync(process.execPath, [compiler, ...options], { stdio: 'inherit' });
  if (status === 0) {
    renameSync(temporary, target);
    console.log(`kernels: built ${target}, ${statSync(target).size} bytes`);
  } else {
    process.exitCode = 1;
  }
}
