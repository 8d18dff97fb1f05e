// Writes the generated pages of docs/reference. Run with `npm run docs` after changing flags, metrics or
// schemas; the pages are checked in, and a test says when they are out of date.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { referenceDocs } from './reference-docs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [path, text] of await referenceDocs()) {
  writeFileSync(`${root}${path}`, text);
  console.log(`docs: wrote ${path}`);
}
