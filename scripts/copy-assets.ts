// Copies what the compiler leaves behind into dist/, at the same relative path: compiled kernels, protocol
// definitions, JSON tables and the like. Code finds them with `new URL('./name', import.meta.url)`.

import { cpSync, existsSync, globSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const roots = '{src,agent,federation,plugins,proto}';
// proto/gen is checked in as JavaScript, which the compiler does not emit.
const suffixes = '{wasm,proto,json,js}';

let copied = 0;
for (const path of globSync(`${roots}/**/*.${suffixes}`, {
  exclude: name => /(^|\/)(node_modules|assembly|fixtures)(\/|$)/.test(name),
})) {
  const target = `dist/${path}`;
  mkdirSync(dirname(target), { recursive: true });
  cpSync(path, target);
  copied++;
}

if (!existsSync('dist/src/kernels/kernels.wasm')) {
  console.error('assets: src/kernels/kernels.wasm is missing; run npm run build');
  process.exitCode = 1;
} else {
  console.log(`assets: copied ${copied} files into dist`);
}
