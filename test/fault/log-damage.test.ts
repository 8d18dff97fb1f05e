// A log cut off or flipped at every byte: what lies before the damage is back, the database opens, and
// takes samples again.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, openTestDb, put } from '../fakes/test-db.ts';

const UP = { __name__: 'up' };
const SAMPLES = 4;

/** A segment of one series record and four samples records, and where each record ends. */
async function smallLog(): Promise<{ bytes: Buffer; ends: number[] }> {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir);
  const path = join(dir, 'wal', '00000000');
  const ends: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await put(db, UP, [[BLOCK_START + i, i]]);
    ends.push(readFileSync(path).length);
  }
  await db.close();
  return { bytes: readFileSync(path), ends };
}

async function open(bytes: Uint8Array): ReturnType<typeof openTestDb> {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'wal'));
  writeFileSync(join(dir, 'wal', '00000000'), bytes);
  return await openTestDb(dir);
}

async function values(db: Awaited<ReturnType<typeof openTestDb>>): Promise<number[]> {
  const texts = (await contents(db)).get('up') ?? [];
  return texts.map(text => Number(text.split(':')[1]));
}

describe('a log that ends anywhere', () => {
  test('gives back every record before its end', async () => {
    const { bytes, ends } = await smallLog();
    for (let length = 0; length <= bytes.length; length++) {
      const db = await open(bytes.subarray(0, length));
      const whole = ends.filter(end => end <= length).length;
      expect(await values(db), `cut at ${length}`).toEqual(
        Array.from({ length: whole }, (_, i) => i),
      );
      expect(db.replay.damages, `cut at ${length}`).toBe(0);
      await put(db, UP, [[BLOCK_START + 100, 100]]);
      await db.close();
      const again = await openTestDb(db.dir);
      expect((await values(again)).at(-1)).toBe(100);
      expect(again.replay).toMatchObject({ damages: 0, tornBytes: 0, samplesLost: 0 });
      await again.close();
    }
  });
});

describe('a log with a flipped bit', () => {
  test('gives back every record but the one that was hit, and is whole afterwards', async () => {
    const { bytes, ends } = await smallLog();
    const seriesEnd = 7 + ((bytes[1]! << 8) | bytes[2]!);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      const db = await open(damaged);
      const read = await values(db);
      const hit = ends.findIndex(end => at < end);
      // Without the series' record its samples have no name; it must not take others with it.
      const before = at < seriesEnd ? [] : Array.from({ length: hit }, (_, i) => i);
      expect(read.slice(0, before.length), `flip at ${at}`).toEqual(before);
      expect(read, `flip at ${at}`).not.toContain(Number.NaN);
      const { damages, tornBytes } = db.replay;
      expect(damages + tornBytes, `flip at ${at}`).toBeGreaterThan(0);
      if (at >= seriesEnd) expect(read.length, `flip at ${at}`).toBe(SAMPLES - 1);
      await put(db, UP, [[BLOCK_START + 100, 100]]);
      await db.close();
      const again = await openTestDb(db.dir);
      expect(again.replay.damages, `flip at ${at}`).toBe(0);
      expect(await values(again), `flip at ${at}`).toEqual([...read, 100]);
      await again.close();
    }
  });
});

test('a log of nothing but noise opens empty and is set aside', async () => {
  const noise = Uint8Array.from({ length: 100_000 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24);
  const db = await open(noise);
  expect(db.seriesCount).toBe(0);
  expect(db.replay.damages).toBeGreaterThan(0);
  expect((await put(db, UP, [[BLOCK_START, 1]])).stored).toBe(1);
  await db.close();
  expect(readFileSync(join(db.dir, 'wal', '00000000.corrupt')).equals(noise)).toBe(true);
});
