// Directories of the test file's own, removed when it is done.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** A new empty directory. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'outpost-test-'));
  made.push(dir);
  return dir;
}
