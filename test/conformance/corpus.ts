// Where the scripts lie. They are not part of the project.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../shared/corpora/promqltest');

/** True where the scripts are there. */
export const corpusPresent: boolean = existsSync(FOLDER);

/** Script files by name, sorted. */
export function scriptNames(): string[] {
  return readdirSync(FOLDER)
    .filter(name => name.endsWith('.test'))
    .sort();
}

export function readScript(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}
