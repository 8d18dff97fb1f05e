// The hardware plugin as a process of its own, held to what every plugin must do.

import { fileURLToPath } from 'node:url';
import { testPlugin } from '../../acceptance/plugin.ts';

const MAIN = fileURLToPath(new URL('../../../plugins/hardware/main.ts', import.meta.url));

testPlugin('hardware', () => ({ command: process.execPath, args: [MAIN] }));
