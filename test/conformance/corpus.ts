// Where the scripts lie. They are not part of the project.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const CORPORA = join(import.meta.dirname, '../../../shared/corpora');
const FOLDER = join(CORPORA, 'promqltest');
/** The scripts that Thanos runs its engine with: Prometheus' of version 2, as Thanos keeps them. */
const OLDER = join(CORPORA, 'thanos/query-testdata/promql/prometheus');
const OLDER_PREFIX = 'older/';
/** Thanos' own, over several stores. */
const STORES = join(CORPORA, 'thanos/query-testdata/promql/thanos');
const STORES_PREFIX = 'stores/';

/** True where the scripts are there. */
export const corpusPresent: boolean = existsSync(FOLDER);

/** Script files by name, sorted. */
export function scriptNames(): string[] {
  return scriptsIn(FOLDER);
}

/** Scripts of version 2 by name, sorted; none where they are absent. */
export function olderScriptNames(): string[] {
  return existsSync(OLDER) ? scriptsIn(OLDER).map(name => OLDER_PREFIX + name) : [];
}

/** Scripts over several stores by name, sorted; none where they are absent. */
export function storeScriptNames(): string[] {
  return existsSync(STORES) ? scriptsIn(STORES).map(name => STORES_PREFIX + name) : [];
}

function scriptsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.test'))
    .sort();
}

export function readScript(name: string): string {
  if (name.startsWith(OLDER_PREFIX)) {
    return readFileSync(join(OLDER, name.slice(OLDER_PREFIX.length)), 'utf8');
  }
  if (name.startsWith(STORES_PREFIX)) {
    return readFileSync(join(STORES, name.slice(STORES_PREFIX.length)), 'utf8');
  }
  return readFileSync(join(FOLDER, name), 'utf8');
}
