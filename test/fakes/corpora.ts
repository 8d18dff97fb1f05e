// Where the test data lies that other projects wrote. It is not part of this repository.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of one corpus, or null where the data is not on this machine. */
export function corpusFolder(name: string): string | null {
  const folder = fileURLToPath(new URL(`../../../shared/corpora/${name}/`, import.meta.url));
  return existsSync(folder) ? folder : null;
}
