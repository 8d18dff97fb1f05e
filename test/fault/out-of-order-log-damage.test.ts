// The log of out-of-order samples, floats and histograms of all four kinds, cut off or flipped at every byte:
// what lies before the damage is back, what is in order is not concerned, and samples out of order are taken
// again.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, openTestDb, put } from '../fakes/test-db.ts';

const UP = { __name__: 'up' };
const NEWEST = BLOCK_START + 60_000;

function counted(count: number, changes: Partial<FloatHistogram> = {}): FloatHistogram {
  return histogram({
    schema: 1,
    count,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    ...changes,
  });
}

const CUSTOM = { schema: -53, customValues: Float64Array.of(1) };
const LATE: readonly (number | FloatHistogram)[] = [
  0,
  counted(1, { integer: true }),
  counted(2),
  counted(3, { ...CUSTOM, integer: true }),
  counted(4, CUSTOM),
  5,
];
const TEXTS = ['0', 'h1', 'h2', 'h3', 'h4', '5'];
const SAMPLES = LATE.length;
/** What was repaired is opened once more at every so many places. */
const AGAIN_EVERY = 3;

async function putLate(db: Db, i: number): Promise<void> {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject(UP));
  const sample = LATE[i]!;
  if (typeof sample === 'number') appender.append(ref, BLOCK_START + i, sample);
  else appender.appendHistogram(ref, BLOCK_START + i, sample);
  expect((await appender.commit()).stored).toBe(1);
}

/** A database with one sample in order and others out of order, closed, and where each record ends. */
async function small(): Promise<{ dir: string; bytes: Buffer; ends: number[] }> {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir);
  const path = join(dir, 'wbl', '00000000');
  await put(db, UP, [[NEWEST, 9]]);
  const ends: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await putLate(db, i);
    ends.push(readFileSync(path).length);
  }
  await db.close();
  return { dir, bytes: readFileSync(path), ends };
}

async function open(dir: string, bytes: Uint8Array): Promise<Db> {
  const copy = temporaryDirectory();
  cpSync(dir, copy, { recursive: true });
  writeFileSync(join(copy, 'wbl', '00000000'), bytes);
  return await openTestDb(copy);
}

async function values(db: Db): Promise<string[]> {
  const texts = (await contents(db)).get('up') ?? [];
  return texts.map(text => text.split(':')[1]!);
}

test('an out-of-order log that ends anywhere gives back every record before its end', {
  timeout: 120_000,
}, async () => {
  const { dir, bytes, ends } = await small();
  for (let length = 0; length <= bytes.length; length++) {
    const db = await open(dir, bytes.subarray(0, length));
    const whole = ends.filter(end => end <= length).length;
    const expected = TEXTS.slice(0, whole);
    expect(await values(db), `cut at ${length}`).toEqual([...expected, '9']);
    expect(db.outOfOrderReplay.damages, `cut at ${length}`).toBe(0);
    expect((await put(db, UP, [[BLOCK_START + 100, 100]])).stored).toBe(1);
    await db.close();
    if (length % AGAIN_EVERY !== 0) continue;
    const again = await openTestDb(db.dir);
    expect(await values(again), `cut at ${length}`).toEqual([...expected, '100', '9']);
    expect(again.outOfOrderReplay).toMatchObject({ damages: 0, tornBytes: 0, samplesLost: 0 });
    await again.close();
  }
});

test('an out-of-order log with a flipped bit loses the record that was hit, and is whole afterwards', {
  timeout: 120_000,
}, async () => {
  const { dir, bytes } = await small();
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << (at % 8);
    const db = await open(dir, damaged);
    const read = await values(db);
    const { damages, tornBytes } = db.outOfOrderReplay;
    expect(damages + tornBytes, `flip at ${at}`).toBeGreaterThan(0);
    expect(read.length, `flip at ${at}`).toBe(SAMPLES);
    expect(read.at(-1), `flip at ${at}`).toBe('9');
    expect([...TEXTS, '9'], `flip at ${at}`).toEqual(expect.arrayContaining(read));
    expect(db.replay.damages, `flip at ${at}`).toBe(0);
    expect((await put(db, UP, [[BLOCK_START + 100, 100]])).stored).toBe(1);
    await db.close();
    if (at % AGAIN_EVERY !== 0) continue;
    const again = await openTestDb(db.dir);
    expect(again.outOfOrderReplay.damages, `flip at ${at}`).toBe(0);
    expect(await values(again), `flip at ${at}`).toEqual([...read.slice(0, -1), '100', '9']);
    await again.close();
  }
});
