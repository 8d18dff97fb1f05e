// What is wrong with a data directory is told in words, at once.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeDataDirectory } from '../../../src/tsdb/data-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'outpost-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a data directory', () => {
  it('is made with its parents, and is taken where it is there', () => {
    const dir = join(folder, 'a/b/c');
    makeDataDirectory(dir);
    makeDataDirectory(dir);
    expect(existsSync(dir)).toBe(true);
  });

  it('cannot be a file, nor lie below one', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => makeDataDirectory(file)).toThrow(`open data directory ${file}: it is a file`);
    expect(() => makeDataDirectory(join(file, 'x'))).toThrow(
      `open data directory ${file}/x: a part of the path is not a directory; mend it or choose another directory`,
    );
  });

  it('cannot lie where the system makes no directories', () => {
    expect(() => makeDataDirectory('/proc/outpost/data')).toThrow(
      'open data directory /proc/outpost/data: no such file or directory',
    );
  });
});
