// A plugin of a few lines, held to what every plugin must do.

import { fileURLToPath } from 'node:url';
import { testPlugin } from '../../acceptance/plugin.ts';

const COUNTING = fileURLToPath(new URL('../host/plugins/counting.ts', import.meta.url));

testPlugin('counting', () => ({ command: process.execPath, args: [COUNTING] }));
