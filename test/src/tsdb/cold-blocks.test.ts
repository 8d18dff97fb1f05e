import { cpSync, existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Matcher } from '../../../src/labels/matcher.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { Block } from '../../../src/tsdb/block/block.ts';
import type { BlockMeta } from '../../../src/tsdb/block/meta.ts';
import { isUlid } from '../../../src/tsdb/block/ulid.ts';
import { inProcessJobs, type JobRunner } from '../../../src/tsdb/block-jobs/block-job.ts';
import { isCold } from '../../../src/tsdb/cold/any-block.ts';
import { openColdBlock } from '../../../src/tsdb/cold/cold-block.ts';
import { thawBlock } from '../../../src/tsdb/cold/freeze.ts';
import { planFreeze } from '../../../src/tsdb/cold/plan-freeze.ts';
import { compactionRanges, planCompaction } from '../../../src/tsdb/compact/plan.ts';
import type { Db } from '../../../src/tsdb/db.ts';
import type { DbOptions } from '../../../src/tsdb/db-options.ts';
import type { DiskSpace } from '../../../src/tsdb/disk-space.ts';
import {
  bitsOf,
  blocksDirectory,
  COLD_OPTIONS,
  seriesOfBlock,
} from '../../fakes/cold-directory.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../fakes/test-blocks.ts';
import { BLOCK_RANGE, BLOCK_START, HOUR, metricValue, openTestDb } from '../../fakes/test-db.ts';

const GAUGES = new Matcher('=', '__name__', 'gauge');

function openCold(dir: string, options: Partial<DbOptions> = {}): Promise<Db> {
  return openTestDb(dir, { ...COLD_OPTIONS, jobs: inProcessJobs, ...options });
}

/** A directory whose first five of eight blocks are cold. */
async function frozenDirectory(): Promise<string> {
  const dir = await blocksDirectory();
  const db = await openCold(dir);
  await db.maintain();
  await db.close();
  return dir;
}

function standardIn(dir: string): string[] {
  return readdirSync(dir).filter(isUlid).sort();
}

function coldIn(dir: string): string[] {
  const cold = join(dir, 'cold');
  return existsSync(cold) ? readdirSync(cold).sort() : [];
}

describe('freezing', () => {
  test('blocks beyond the age become cold, and every answer stays the same bit by bit', async () => {
    const dir = await blocksDirectory();
    const registry = new Registry();
    const db = await openCold(dir, { registry });
    const ulids = db.blocks.map(({ meta }) => meta.ulid);
    const ranges = [
      [-Infinity, Infinity],
      [BLOCK_START + HOUR, BLOCK_START + 3 * HOUR],
      [BLOCK_START + 9 * HOUR, BLOCK_START + 11 * HOUR],
    ] as const;
    const before = await Promise.all(ranges.map(range => bitsOf(db, range)));
    const bytes = metricValue(registry, 'prometheus_tsdb_storage_blocks_bytes')!;
    await db.maintain();
    expect(db.blocks.map(({ meta }) => meta.ulid)).toEqual(ulids);
    expect(db.blocks.map(isCold)).toEqual([true, true, true, true, true, false, false, false]);
    expect(await Promise.all(ranges.map(range => bitsOf(db, range)))).toEqual(before);
    expect(before[0]!.get('gauge{host="b"}')![3]).toMatch(/:7ff0000000000002$/);
    expect(coldIn(dir)).toEqual(ulids.slice(0, 5));
    expect(standardIn(dir)).toEqual(ulids.slice(5));
    expect(metricValue(registry, 'prometheus_tsdb_cold_blocks')).toBe(5);
    expect(metricValue(registry, 'prometheus_tsdb_freezes_total')).toBe(5);
    expect(metricValue(registry, 'prometheus_tsdb_freezes_failed_total')).toBe(0);
    expect(metricValue(registry, 'prometheus_tsdb_cold_blocks_bytes')).toBeGreaterThan(0);
    expect(metricValue(registry, 'prometheus_tsdb_storage_blocks_bytes')).toBeLessThan(bytes);
    await db.close();
    const again = await openCold(dir, { coldAfterMs: 0 });
    expect(await bitsOf(again)).toEqual(before[0]);
    expect(again.minTime).toBe(BLOCK_START);
    await again.close();
  });

  test('nothing is frozen unless it is asked for', async () => {
    const dir = await blocksDirectory();
    const db = await openTestDb(dir, { retentionMs: 0, compactedRangeMaxMs: BLOCK_RANGE });
    await db.maintain();
    expect(coldIn(dir)).toEqual([]);
    await db.close();
  });

  test('readers that began before go on', async () => {
    const db = await openCold(await blocksDirectory());
    const querier = db.querier(BLOCK_START, BLOCK_START + HOUR);
    const set = await querier.select([]);
    await db.maintain();
    let series = 0;
    for (let batch = await set.next(); batch; batch = await set.next()) series += batch.length;
    expect(series).toBe(3);
    querier.close();
    await db.close();
  });

  test('a block that cannot be frozen stays as it is, is counted, and is not tried again', async () => {
    const dir = await blocksDirectory();
    const registry = new Registry();
    let tries = 0;
    const jobs: JobRunner = {
      run: async () => {
        tries++;
        throw new OutpostError('limit-exceeded', 'write cold block: injected');
      },
    };
    const db = await openCold(dir, { registry, jobs });
    const before = await bitsOf(db);
    for (let i = 0; i < 7; i++) await db.maintain();
    expect(tries).toBe(5);
    expect(metricValue(registry, 'prometheus_tsdb_freezes_failed_total')).toBe(5);
    expect(metricValue(registry, 'prometheus_tsdb_maintenance_failed_total')).toBe(5);
    expect(await bitsOf(db)).toEqual(before);
    expect(standardIn(dir)).toHaveLength(8);
    await db.close();
  });

  test('waits for room on the disk', async () => {
    const dir = await blocksDirectory();
    let freeBytes = 1000;
    const readDiskSpace = async (): Promise<DiskSpace> => ({ freeBytes, totalBytes: 1e9 });
    const db = await openCold(dir, { readDiskSpace, minFreeBytes: 0 });
    await db.maintain();
    expect(coldIn(dir)).toEqual([]);
    freeBytes = 1e9;
    await db.maintain();
    expect(coldIn(dir)).toHaveLength(5);
    await db.close();
  });

  test('weather is tried again', async () => {
    const dir = await blocksDirectory();
    let fails = true;
    const jobs: JobRunner = {
      run: async (job, context) => {
        if (fails) throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' });
        return inProcessJobs.run(job, context);
      },
    };
    const db = await openCold(dir, { jobs });
    await db.maintain();
    expect(coldIn(dir)).toEqual([]);
    fails = false;
    await db.maintain();
    expect(coldIn(dir)).toHaveLength(5);
    await db.close();
  });
});

describe('a database with cold blocks', () => {
  test('deletes from them, and rewrites one of which much is deleted', async () => {
    const dir = await frozenDirectory();
    const db = await openCold(dir);
    const first = db.blocks[0]!;
    const deleted = await db.delete(BLOCK_START, BLOCK_START + HOUR, [GAUGES]);
    expect(deleted).toBe(2);
    const kept = await bitsOf(db, [BLOCK_START, BLOCK_START + HOUR]);
    expect([...kept.keys()]).toEqual(['counter{host="a"}']);
    const all = await bitsOf(db);
    await db.close();
    // Every series of the block has a deletion when this is through, so compaction rewrites the block.
    const again = await openCold(dir);
    expect(await bitsOf(again)).toEqual(all);
    await again.delete(BLOCK_START, BLOCK_START + HOUR, []);
    const rest = await bitsOf(again);
    await again.maintain();
    expect(again.blocks.some(({ meta }) => meta.ulid === first.meta.ulid)).toBe(false);
    expect(again.blocks[0]!.meta.compaction.parents[0]!.ulid).toBe(first.meta.ulid);
    expect(again.blocks.map(isCold).filter(Boolean)).toHaveLength(5);
    expect(await bitsOf(again)).toEqual(rest);
    await again.close();
  });

  test('puts standard blocks into a snapshot, which anybody opens', async () => {
    const dir = await frozenDirectory();
    const db = await openCold(dir);
    await db.delete(BLOCK_START, BLOCK_START + HOUR, [GAUGES]);
    const path = await db.snapshot('s');
    expect(readdirSync(path).filter(isUlid)).toHaveLength(8);
    expect(existsSync(join(path, 'cold'))).toBe(false);
    const before = await bitsOf(db);
    const copy = await openCold(path, { coldAfterMs: 0 });
    expect(await bitsOf(copy)).toEqual(before);
    expect(copy.blocks.some(isCold)).toBe(false);
    await copy.close();
    await db.close();
  });

  test('counts them in its retention by size and by time', async () => {
    const dir = await frozenDirectory();
    const sized = await openCold(dir);
    const bytes = sized.blocks.map(block => block.sizeBytes);
    await sized.close();
    const retentionBytes = bytes.slice(1).reduce((a, b) => a + b, 0) + 1000;
    const smaller = await openCold(dir, { retentionBytes });
    await smaller.maintain();
    expect(smaller.blocks[0]!.meta.minTime).toBe(BLOCK_START + BLOCK_RANGE);
    await smaller.close();
    const shorter = await openCold(dir, { retentionMs: 11 * HOUR });
    await shorter.maintain();
    expect(shorter.blocks.map(isCold)).toEqual([true, true, true, false, false, false]);
    await shorter.close();
    expect(coldIn(dir)).toHaveLength(3);
  });

  test('joins a cold block with one that comes over its time, and freezes what becomes of them', async () => {
    const dir = await frozenDirectory();
    await writeTestBlock(dir, [
      { labels: { __name__: 'late' }, times: [BLOCK_START + 7], values: Float64Array.of(1) },
      { ...seriesOfBlock(0)[0]!, values: new Float64Array(480) },
    ]);
    const db = await openCold(dir);
    const before = await bitsOf(db);
    await db.maintain();
    expect(await bitsOf(db)).toEqual(before);
    expect(before.get('late')).toHaveLength(1);
    expect(db.blocks.map(isCold)).toEqual([true, true, true, true, true, false, false, false]);
    await db.close();
  });

  test('sets a damaged cold block aside', async () => {
    const dir = await frozenDirectory();
    const [ulid] = coldIn(dir);
    writeFileSync(join(dir, 'cold', ulid!, 'index.pages'), 'rubbish');
    const registry = new Registry();
    const db = await openCold(dir, { registry });
    expect(db.blocks).toHaveLength(7);
    expect(coldIn(dir)).toContain(`${ulid}.corrupt`);
    expect(metricValue(registry, 'prometheus_tsdb_blocks_set_aside_total')).toBe(1);
    await db.close();
  });

  test('notices cold blocks that others take away', async () => {
    const dir = await frozenDirectory();
    const db = await openCold(dir, { coldAfterMs: 0 });
    renameSync(join(dir, 'cold', coldIn(dir)[0]!), join(temporaryDirectory(), 'away'));
    await db.close();
    const again = await openCold(dir, { coldAfterMs: 0 });
    expect(again.blocks).toHaveLength(7);
    await again.close();
  });
});

describe('both forms of one block, as a crash leaves them', () => {
  async function withBoth(): Promise<{ dir: string; ulid: string; before: Map<string, string[]> }> {
    const dir = await frozenDirectory();
    const ulid = coldIn(dir)[0]!;
    const cold = await openColdBlock(join(dir, 'cold', ulid));
    await thawBlock(cold, dir);
    await cold.close();
    const db = await openCold(await copyOf(dir), { coldAfterMs: 0 });
    const before = await bitsOf(db);
    await db.close();
    return { dir, ulid, before };
  }

  async function copyOf(dir: string): Promise<string> {
    const copy = temporaryDirectory();
    cpSync(dir, copy, { recursive: true });
    return copy;
  }

  test('the standard one is kept', async () => {
    const { dir, ulid, before } = await withBoth();
    const db = await openCold(dir, { coldAfterMs: 0 });
    expect(db.blocks).toHaveLength(8);
    expect(isCold(db.blocks[0]!)).toBe(false);
    expect(coldIn(dir)).not.toContain(ulid);
    expect(await bitsOf(db)).toEqual(before);
    await db.close();
  });

  test('the cold one is kept where the standard one is damaged', async () => {
    const { dir, ulid, before } = await withBoth();
    writeFileSync(join(dir, ulid, 'index'), 'rubbish');
    const db = await openCold(dir, { coldAfterMs: 0 });
    expect(db.blocks.map(({ meta }) => meta.ulid)).toContain(ulid);
    expect(isCold(db.blocks[0]!)).toBe(true);
    expect(await bitsOf(db)).toEqual(before);
    expect(readdirSync(dir)).toContain(`${ulid}.corrupt`);
    await db.close();
  });
});

describe('the plan', () => {
  const meta = (minTime: number, maxTime: number, failed = false): BlockMeta =>
    ({
      ulid: `${minTime}`,
      minTime,
      maxTime,
      compaction: { level: 1, sources: [], parents: [], hints: [], deletable: false, failed },
      stats: { numSeries: 1, numTombstones: 0 },
    }) as unknown as BlockMeta;
  const plan = (
    metas: readonly BlockMeta[],
    ranges: readonly number[],
    cold: readonly number[] = [],
  ) =>
    planFreeze(metas, { coldAfterMs: 40, ranges, isCold: one => cold.includes(one.minTime) }).map(
      one => one.minTime,
    );
  const blocks = [0, 20, 40, 60, 80, 100].map(start => meta(start, start + 20));

  test.each([
    ['nothing of nothing', [], [20], [], []],
    ['what is old enough', blocks, [20], [], [0, 20, 40, 60]],
    ['nothing twice', blocks, [20], [0, 40], [20, 60]],
    ['nothing that may still be joined', blocks, [20, 60], [], [0, 20, 40]],
    ['no block that has failed', [meta(0, 20, true), ...blocks.slice(1)], [20], [], [20, 40, 60]],
  ] as const)('freezes %s', (_, metas, ranges, cold, expected) => {
    expect(plan(metas, ranges, cold)).toEqual(expected);
  });

  test('compaction leaves cold blocks alone but for overlaps', () => {
    const ranges = compactionRanges(20, 60);
    const cold = (one: BlockMeta): boolean => one.minTime === 20;
    expect(planCompaction(blocks, ranges)).toHaveLength(3);
    expect(planCompaction(blocks, ranges, cold)).toEqual([]);
    const late = meta(30, 31);
    expect(planCompaction([...blocks, late], ranges, cold)).toEqual([blocks[1], late]);
  });
});

test('a block that is frozen and thawed has the same bytes', async () => {
  const dir = await blocksDirectory(1);
  const [ulid] = standardIn(dir);
  const copy = temporaryDirectory();
  cpSync(join(dir, ulid!), join(copy, ulid!), { recursive: true });
  const target = temporaryDirectory();
  const job = { dirs: [join(dir, ulid!)], ulid: ulid!, series: 3 } as const;
  const context = { monotonic: () => 0 };
  await inProcessJobs.run({ ...job, kind: 'freeze', parentDir: join(target, 'cold') }, context);
  await inProcessJobs.run(
    { ...job, kind: 'thaw', dirs: [join(target, 'cold', ulid!)], parentDir: target },
    context,
  );
  const blocks = [await Block.open(join(copy, ulid!)), await Block.open(join(target, ulid!))];
  expect(basename(blocks[1]!.dir)).toBe(ulid);
  expect(await bitsOf(blocks[1]!)).toEqual(await bitsOf(blocks[0]!));
  for (const block of blocks) await block.close();
});
