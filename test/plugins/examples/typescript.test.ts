// The example in TypeScript, held to what every plugin must do.

import { fileURLToPath } from 'node:url';
import { testPlugin } from '../../acceptance/plugin.ts';

const MAIN = fileURLToPath(
  new URL('../../../plugins/examples/typescript/main.ts', import.meta.url),
);

testPlugin('TypeScript example', () => ({ command: process.execPath, args: [MAIN] }));
