// Retention by policies in a database: which samples are there after maintenance, and what is told of it.

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { Registry } from '../../../../src/telemetry/metrics.ts';
import type { Db } from '../../../../src/tsdb/db.ts';
import type { RetentionPolicy } from '../../../../src/tsdb/retention/retention-policy.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../../fakes/test-blocks.ts';
import { BLOCK_START, contents, HOUR, openTestDb } from '../../../fakes/test-db.ts';

const RANGE = 2 * HOUR;

function policy(pattern: string, retentionMs: number): RetentionPolicy {
  return { matchers: [new Matcher('=~', '__name__', pattern)], retentionMs };
}

/** Blocks of two hours, one after another; each series has a sample every ten minutes. */
async function writeBlocks(dir: string, names: readonly string[], blocks: number): Promise<void> {
  for (let b = 0; b < blocks; b++) {
    const minTime = BLOCK_START + b * RANGE;
    const times = Array.from({ length: 12 }, (_, i) => minTime + i * 600_000);
    const series = names.map(name => ({
      labels: { __name__: name },
      times,
      values: Float64Array.from(times, time => time / 1000),
    }));
    await writeTestBlock(dir, series, { minTime, maxTime: minTime + RANGE });
  }
}

/** Hours after BLOCK_START of each series' oldest sample. */
async function oldest(db: Db): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [name, texts] of await contents(db)) {
    found[name] = (Number(texts[0]!.split(':')[0]) - BLOCK_START) / HOUR;
  }
  return found;
}

async function rounds(db: Db, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await db.maintain();
}

function removed(registry: Registry): Record<string, number> {
  const family = registry
    .gather()
    .find(({ name }) => name === 'prometheus_tsdb_removed_samples_total');
  return Object.fromEntries(
    family!.samples.filter(({ value }) => value > 0).map(s => [s.labels.get('reason'), s.value]),
  );
}

const APART = { compactedRangeMaxMs: RANGE };

describe('policies', () => {
  test('keep series shorter and longer than the general time; the first that matches decides', async () => {
    const dir = temporaryDirectory();
    const registry = new Registry();
    await writeBlocks(dir, ['long_a', 'long_b', 'other', 'short_a'], 10);
    const db = await openTestDb(dir, {
      ...APART,
      registry,
      retentionMs: 10 * HOUR,
      retentionPolicies: [
        policy('long_a', 16 * HOUR),
        policy('short_.*', 4 * HOUR),
        policy('long_.*|short_a', 0),
      ],
    });
    expect(db.maxTime).toBe(BLOCK_START + 20 * HOUR - 1);
    await rounds(db, 20);
    expect(await oldest(db)).toEqual({ long_a: 4, long_b: 0, other: 10, short_a: 16 });
    // Five blocks have lost `other`, eight `short_a`, two `long_a`.
    expect(removed(registry)).toEqual({ policy: (5 + 8 + 2) * 12 });
    const before = readdirSync(dir).sort();
    await rounds(db, 2);
    expect(readdirSync(dir).sort()).toEqual(before);
    await db.close();
    const again = await openTestDb(dir, { ...APART, retentionMs: 0 });
    expect(await oldest(again)).toEqual({ long_a: 4, long_b: 0, other: 10, short_a: 16 });
    await again.close();
  });

  test('touch one block a round at most, the oldest first', async () => {
    const dir = temporaryDirectory();
    await writeBlocks(dir, ['kept', 'short'], 6);
    const db = await openTestDb(dir, {
      ...APART,
      retentionMs: 0,
      retentionPolicies: [policy('short', 4 * HOUR)],
    });
    const starts: (number | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      await db.maintain();
      starts.push((await oldest(db))['short']);
    }
    expect(starts).toEqual([2, 4, 6, 8, 8]);
    await db.close();
  });

  test('delete a block as a whole where no class of series is left in it', async () => {
    const dir = temporaryDirectory();
    const registry = new Registry();
    await writeBlocks(dir, ['a', 'b'], 6);
    const db = await openTestDb(dir, {
      ...APART,
      registry,
      retentionMs: 0,
      retentionPolicies: [policy('a', 6 * HOUR), policy('b', 2 * HOUR)],
    });
    await rounds(db, 12);
    expect(await oldest(db)).toEqual({ a: 6, b: 10 });
    expect(db.blocks.length).toBe(3);
    await db.close();
  });

  test('delete blocks of the longest time by age, without writing them anew', async () => {
    const dir = temporaryDirectory();
    const registry = new Registry();
    await writeBlocks(dir, ['a', 'b'], 6);
    const db = await openTestDb(dir, {
      ...APART,
      registry,
      retentionMs: 2 * HOUR,
      retentionPolicies: [policy('a', 4 * HOUR)],
    });
    await db.maintain();
    expect(removed(registry)).toEqual({ time: 4 * 24, policy: 12 });
    expect(await oldest(db)).toEqual({ a: 8, b: 10 });
    await db.close();
  });

  test('hide few samples at once and leave their bytes until the block is written anew', async () => {
    const dir = temporaryDirectory();
    const many = Array.from({ length: 40 }, (_, i) => `kept_${i}`);
    await writeBlocks(dir, [...many, 'short'], 3);
    const db = await openTestDb(dir, {
      ...APART,
      retentionMs: 0,
      retentionPolicies: [policy('short', 2 * HOUR)],
    });
    const before = readdirSync(dir).sort();
    await rounds(db, 4);
    expect((await oldest(db))['short']).toBe(4);
    expect(readdirSync(dir).sort()).toEqual(before);
    expect(db.blocks.map(({ meta }) => meta.stats.numTombstones)).toEqual([1, 1, 0]);
    await db.cleanTombstones();
    expect(db.blocks.map(({ meta }) => meta.stats.numTombstones)).toEqual([0, 0, 0]);
    expect((await oldest(db))['short']).toBe(4);
    await db.close();
  });

  test('hide what is to go where the disk has no room for another block', async () => {
    const dir = temporaryDirectory();
    await writeBlocks(dir, ['kept', 'short'], 3);
    let freeBytes = 100;
    const db = await openTestDb(dir, {
      ...APART,
      retentionMs: 0,
      minFreeBytes: 0,
      readDiskSpace: async () => ({ freeBytes, totalBytes: 1e9 }),
      retentionPolicies: [policy('short', 2 * HOUR)],
    });
    await rounds(db, 3);
    expect(await oldest(db)).toEqual({ kept: 0, short: 4 });
    expect(db.blocks.map(({ meta }) => meta.stats.numTombstones)).toEqual([1, 1, 0]);
    await expect(db.cleanTombstones()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the disk has no room'),
    });
    freeBytes = 1e9;
    await db.cleanTombstones();
    expect(db.blocks.map(({ meta }) => meta.stats.numTombstones)).toEqual([0, 0, 0]);
    await db.close();
  });

  test('take the older part of a large block where it is a good part', async () => {
    const dir = temporaryDirectory();
    const times = Array.from({ length: 600 }, (_, i) => BLOCK_START + i * 120_000);
    const values = Float64Array.from(times, (_, i) => i);
    const end = BLOCK_START + 20 * HOUR;
    const labels = { __name__: 'short' };
    await writeTestBlock(dir, [{ labels, times, values }], { minTime: BLOCK_START, maxTime: end });
    await writeTestBlock(dir, [{ labels, times: [end], values: Float64Array.of(1) }], {
      minTime: end,
      maxTime: end + RANGE,
    });
    const options = { ...APART, retentionMs: 0, futureMs: 1e12 };
    const nearly = await openTestDb(dir, {
      ...options,
      retentionPolicies: [policy('short', 17 * HOUR)],
    });
    await rounds(nearly, 2);
    expect(await oldest(nearly)).toEqual({ short: 0 });
    await nearly.close();
    const db = await openTestDb(dir, {
      ...options,
      retentionPolicies: [policy('short', 15 * HOUR)],
    });
    await rounds(db, 3);
    expect(await oldest(db)).toEqual({ short: 7 });
    expect(db.blocks.length).toBe(2);
    await db.close();
  });

  test('leave bytes to the limit of size, which takes the oldest blocks whatever they hold', async () => {
    const dir = temporaryDirectory();
    await writeBlocks(dir, ['for_ever'], 6);
    const db = await openTestDb(dir, {
      ...APART,
      retentionBytes: 2000,
      retentionPolicies: [policy('for_ever', 0)],
    });
    await db.maintain();
    expect(db.blocks.length).toBeGreaterThan(0);
    expect(db.blocks.length).toBeLessThan(6);
    await db.close();
  });

  test('go on with other blocks where one is damaged', async () => {
    const dir = temporaryDirectory();
    await writeBlocks(dir, ['kept', 'short'], 4);
    const db = await openTestDb(dir, {
      ...APART,
      retentionMs: 0,
      retentionPolicies: [policy('short', 2 * HOUR)],
      jobs: {
        run: () => Promise.reject(new Error('this never works')),
      },
    });
    await rounds(db, 6);
    // What cannot be written anew is hidden all the same.
    expect(await oldest(db)).toEqual({ kept: 0, short: 6 });
    await db.close();
  });
});
