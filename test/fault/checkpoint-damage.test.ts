// A checkpoint with any byte flipped, or cut short anywhere: the database opens, blocks are whole, nothing is
// read that was not written, and what is missing is told.

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, HOUR, openTestDb, put } from '../fakes/test-db.ts';

const MINUTE = 60_000;
/** Every byte in the long form. */
const STRIDE = process.env['OUTPOST_KILL_ROUNDS'] === undefined ? 5 : 1;

/** A closed database with a block and a checkpoint, and where the checkpoint lies. */
async function checkpointed(): Promise<{ dir: string; path: string }> {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, { logSegmentBytes: 32 * 1024 });
  for (let at = 0; at < 4 * HOUR; at += 15 * MINUTE) {
    for (const n of ['1', '2']) await put(db, { __name__: 'm', n }, [[BLOCK_START + at, at]]);
  }
  await db.close();
  for (let i = 0; i < 4 && checkpointOf(dir) === null; i++) {
    // Each start begins a segment, and whole segments are what a checkpoint takes up.
    const again = await openTestDb(dir, { logSegmentBytes: 32 * 1024 });
    const time = BLOCK_START + (4 + i) * HOUR;
    await put(again, { __name__: 'm', n: '1' }, [[time, i]]);
    await again.maintain();
    await again.close();
  }
  const path = checkpointOf(dir);
  if (path === null) expect.fail(`no checkpoint in ${readdirSync(join(dir, 'wal'))}`);
  return { dir, path };
}

function checkpointOf(dir: string): string | null {
  const name = readdirSync(join(dir, 'wal')).find(one => one.startsWith('checkpoint.'));
  return name ? join('wal', name, '00000000') : null;
}

test('a damaged checkpoint loses its own records and tells', { timeout: 300_000 }, async () => {
  const { dir, path } = await checkpointed();
  const bytes = readFileSync(join(dir, path));
  const whole = await openTestDb(dir);
  const right = await contents(whole);
  await whole.close();
  const texts = new Set(
    [...right].flatMap(([labels, all]) => all.map(text => `${labels} ${text}`)),
  );
  let told = 0;
  let count = 0;
  for (let at = 0; at < bytes.length; at += STRIDE) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (at % 8);
    for (const damaged of [flipped, bytes.subarray(0, at)]) {
      const copy = temporaryDirectory();
      cpSync(dir, copy, { recursive: true });
      writeFileSync(join(copy, path), damaged);
      const db = await openTestDb(copy);
      const read = await contents(db);
      for (const [labels, all] of read) {
        for (const text of all) {
          if (!texts.has(`${labels} ${text}`)) expect.fail(`byte ${at}: ${labels} has ${text}`);
        }
      }
      // What is in the block is there in any case.
      expect(read.get('m{n="2"}')?.[0], `byte ${at}`).toBe(`${BLOCK_START}:0`);
      const { damages, tornBytes, samplesLost } = db.replay;
      const missing = [...read].flatMap(([, all]) => all).length < texts.size;
      if (damages + tornBytes + samplesLost > 0) told++;
      else if (missing && damaged === flipped) expect.fail(`byte ${at}: samples went silently`);
      count++;
      expect((await put(db, { __name__: 'new' }, [[BLOCK_START + 12 * HOUR, 1]])).stored).toBe(1);
      await db.close();
    }
  }
  expect(told).toBeGreaterThan(count / 3);
});
