// Writes config/*.schema.json. Run with `npm run schemas` after changing a configuration file's schema;
// the files are checked in, and a test says when they are out of date.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configSchemas } from './config-schemas.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [path, text] of configSchemas()) {
  writeFileSync(`${root}${path}`, text);
  console.log(`schemas: wrote ${path}`);
}
