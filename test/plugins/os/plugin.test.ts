// The os plugin as a process, held to what every plugin must do.

import { fileURLToPath } from 'node:url';
import { testPlugin } from '../../acceptance/plugin.ts';

const MAIN = fileURLToPath(new URL('../../../plugins/os/main.ts', import.meta.url));

testPlugin('os', () => ({ command: process.execPath, args: [MAIN] }));
