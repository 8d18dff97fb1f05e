// Pseudo files behind descriptors that stay open.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Files, isMissing, SYSTEM_ROOTS } from '../../../plugins/sdk/files.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outpost-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('Files', () => {
  it('reads a file anew each time, from its start', () => {
    const files = new Files({ ...SYSTEM_ROOTS, procfs: directory });
    writeFileSync(join(directory, 'a'), '1\n');
    const file = files.proc('a');
    expect(file.readNumber()).toBe(1);
    writeFileSync(join(directory, 'a'), '22 33\n');
    expect(file.readNumber()).toBe(22);
    files.close();
    expect(file.readNumber()).toBe(22);
    files.close();
  });

  it('reads files larger than its buffer, whole', () => {
    const files = new Files({ ...SYSTEM_ROOTS, procfs: directory });
    const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`);
    writeFileSync(join(directory, 'big'), lines.join(''));
    const scanner = files.proc('big').read();
    let count = 0;
    while (scanner.line()) count++;
    expect(count).toBe(50_000);
    files.close();
  });

  it('tells a missing file from an unreadable one', () => {
    const files = new Files({ ...SYSTEM_ROOTS, procfs: directory });
    expect(files.proc('none').readIfPresent()).toBe(null);
    expect(files.proc('none').readNumber()).toBe(Number.NaN);
    expect(() => files.proc('none').read()).toThrow('ENOENT');
    expect(() => files.file(directory).readIfPresent()).toThrow('EISDIR');
    expect(isMissing(new Error('no code'))).toBe(false);
  });

  it('keeps a bounded number of descriptors open and reads the rest all the same', () => {
    const files = new Files({ ...SYSTEM_ROOTS, procfs: directory });
    for (let i = 0; i < 600; i++) writeFileSync(join(directory, `f${i}`), `${i}\n`);
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < 600; i++) expect(files.proc(`f${i}`).readNumber()).toBe(i);
    }
    files.close();
  });

  it('lists a directory in natural order, and an absent one as empty', () => {
    for (const name of ['cpu10', 'cpu2', 'cpu0']) writeFileSync(join(directory, name), '');
    const files = new Files(SYSTEM_ROOTS);
    expect(files.list(directory)).toEqual(['cpu0', 'cpu2', 'cpu10']);
    expect(files.list(join(directory, 'none'))).toEqual([]);
  });
});
