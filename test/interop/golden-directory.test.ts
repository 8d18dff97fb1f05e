// A data directory with all golden blocks in it, one of them damaged: the others are read, that one is named
// and set aside.

import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Registry } from '../../src/telemetry/metrics.ts';
import { isUlid } from '../../src/tsdb/block/ulid.ts';
import { corpusFolder } from '../fakes/corpora.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { metricValue, openTestDb } from '../fakes/test-db.ts';

const folder = corpusFolder('tsdb-golden-blocks');
const missing = folder ? '' : ' (skipped: the golden blocks are not on this machine)';
const blocks = folder
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => basename(name) === 'meta.json')
      .map(name => join(folder, dirname(name)))
  : [];

/** A block's name in a data directory; its folder need not be called so. */
function ulidOf(dir: string): string {
  if (isUlid(basename(dir))) return basename(dir);
  const { ulid } = JSON.parse(readFileSync(join(dir, 'meta.json'), 'utf8')) as { ulid: string };
  return ulid;
}

function directory(): string {
  const dir = temporaryDirectory();
  for (const block of blocks) cpSync(block, join(dir, ulidOf(block)), { recursive: true });
  return dir;
}

describe.skipIf(!folder)(`golden blocks in one directory${missing}`, () => {
  it('are seven, and all are opened', async () => {
    const db = await openTestDb(directory(), { retentionMs: 0 });
    expect(blocks).toHaveLength(7);
    expect(db.blocks.map(({ meta }) => meta.ulid).sort()).toEqual(blocks.map(ulidOf).sort());
    await db.close();
  });

  it.each(blocks.map(block => [ulidOf(block)]))('lose %s alone where it is damaged', async ulid => {
    const dir = directory();
    const path = join(dir, ulid, 'index');
    const bytes = readFileSync(path);
    bytes[bytes.length - 20]! ^= 0x40; // in the table of contents
    writeFileSync(path, bytes);
    const registry = new Registry();
    const db = await openTestDb(dir, { retentionMs: 0, registry });
    const others = blocks.map(ulidOf).filter(name => name !== ulid);
    expect(db.blocks.map(({ meta }) => meta.ulid).sort()).toEqual(others.sort());
    expect(existsSync(join(dir, `${ulid}.corrupt`))).toBe(true);
    const name = registry.gather().find(family => /blocks_set_aside/.test(family.name))!.name;
    expect(metricValue(registry, name)).toBe(1);
    await db.close();
  });
});
