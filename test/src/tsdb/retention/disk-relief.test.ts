// A disk that is nearly full: the oldest blocks give way, and nothing is written that does not fit.

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../src/lifecycle/clock.ts';
import { Registry } from '../../../../src/telemetry/metrics.ts';
import { DELETION_SUFFIX } from '../../../../src/tsdb/block/block-writer.ts';
import type { BlockMeta } from '../../../../src/tsdb/block/meta.ts';
import type { Db } from '../../../../src/tsdb/db.ts';
import type { DbEvent } from '../../../../src/tsdb/db-event.ts';
import type { DbOptions } from '../../../../src/tsdb/db-options.ts';
import { reserveBytes } from '../../../../src/tsdb/disk-space.ts';
import { planDiskRelief } from '../../../../src/tsdb/retention/disk-relief-plan.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../../fakes/test-blocks.ts';
import {
  BLOCK_START,
  contents,
  HOUR,
  metricValue,
  openTestDb,
  put,
} from '../../../fakes/test-db.ts';
import { until } from '../../../fakes/until.ts';

const MIB = 1024 * 1024;
const UP = { __name__: 'up' };

function sized(ulid: string, maxTime: number, sizeBytes: number, hints: readonly string[] = []) {
  const meta = { ulid, minTime: maxTime - 10, maxTime, compaction: { hints } } as BlockMeta;
  return { meta, sizeBytes };
}

describe('the plan', () => {
  const blocks = [sized('c', 30, 100), sized('a', 10, 100), sized('b', 20, 100)];
  const chosen = (missing: number, of = blocks): string[] =>
    planDiskRelief(of, missing).map(({ meta }) => meta.ulid);

  test('takes the oldest blocks until there is enough', () => {
    expect([chosen(1), chosen(100), chosen(101)]).toEqual([['a'], ['a'], ['a', 'b']]);
  });

  test('never takes the newest block of samples in order', () => {
    expect(chosen(1e9)).toEqual(['a', 'b']);
    expect(chosen(1e9, [sized('a', 10, 1), sized('late', 20, 1, ['from-out-of-order'])])).toEqual([
      'late',
    ]);
    expect(chosen(1e9, [])).toEqual([]);
  });
});

describe('the reserve', () => {
  test('is what was asked for, or 128 MiB and no more than a twentieth of the disk', () => {
    expect(reserveBytes(5, { freeBytes: 0, totalBytes: 10 })).toBe(5);
    expect(reserveBytes(null, { freeBytes: 0, totalBytes: 1e12 })).toBe(128 * MIB);
    expect(reserveBytes(null, { freeBytes: 0, totalBytes: 20 * MIB })).toBe(MIB);
  });
});

/** A disk of which only blocks take room. */
class Disk {
  db: Db | null = null;
  total = 100_000;
  failing = false;

  read = async () => {
    if (this.failing) throw Object.assign(new Error('injected'), { code: 'EIO' });
    const used = this.db?.blocks.reduce((sum, block) => sum + block.sizeBytes, 0) ?? 0;
    return { freeBytes: this.total - used, totalBytes: this.total };
  };
}

async function fiveBlocks(
  options: Partial<DbOptions> = {},
): Promise<{ db: Db; disk: Disk; events: DbEvent[]; registry: Registry; bytes: number }> {
  const dir = temporaryDirectory();
  for (let i = 0; i < 5; i++) {
    const minTime = BLOCK_START + i * 2 * HOUR;
    const series = { labels: UP, times: [minTime], values: Float64Array.of(i) };
    await writeTestBlock(dir, [series], { minTime, maxTime: minTime + 2 * HOUR });
  }
  const disk = new Disk();
  const events: DbEvent[] = [];
  const registry = new Registry();
  const db = await openTestDb(dir, {
    registry,
    retentionMs: 0,
    compactedRangeMaxMs: 2 * HOUR,
    readDiskSpace: disk.read,
    onEvent: event => events.push(event),
    ...options,
  });
  disk.db = db;
  return { db, disk, events, registry, bytes: db.blocks[0]!.sizeBytes };
}

describe('a disk that fills', () => {
  test('loses its oldest blocks, which is told and counted', async () => {
    const { db, disk, events, registry, bytes } = await fiveBlocks({ minFreeBytes: 1000 });
    await db.maintain();
    expect([db.blocks.length, events]).toEqual([5, []]);
    // Room for three blocks and the reserve.
    disk.total = 3 * bytes + 1000;
    const gone = db.blocks.slice(0, 2).map(({ meta }) => meta.ulid);
    await db.maintain();
    expect(db.minTime).toBe(BLOCK_START + 4 * HOUR);
    expect(events.map(({ name, severity, attributes }) => [name, severity, attributes])).toEqual([
      [
        'storage.blocks-deleted-early',
        'warn',
        {
          reason: 'disk',
          dir: db.dir,
          blocks: gone.join(' '),
          endOfDeleted: new Date(BLOCK_START + 4 * HOUR).toISOString(),
          missingBytes: String(2 * bytes),
        },
      ],
    ]);
    const removed = registry.gather().find(({ name }) => name.endsWith('_removed_blocks_total'));
    const byDisk = removed?.samples.find(({ labels }) => labels.get('reason') === 'disk');
    expect(byDisk?.value).toBe(2);
    await db.maintain();
    expect([db.blocks.length, events.length]).toEqual([3, 1]);
    await db.close();
  });

  test('keeps its newest block, and says once that nothing more can be done', async () => {
    const { db, disk, events } = await fiveBlocks({ minFreeBytes: 1000 });
    await put(db, UP, [[BLOCK_START + 11 * HOUR, 7]]);
    disk.total = 10;
    await db.maintain();
    await until('deleted blocks are gone', () =>
      readdirSync(db.dir).every(name => !name.endsWith(DELETION_SUFFIX)),
    );
    for (let i = 0; i < 2; i++) await db.maintain();
    expect(events.map(({ name }) => name)).toEqual([
      'storage.blocks-deleted-early',
      'storage.disk-nearly-full',
    ]);
    expect(await contents(db)).toEqual(
      new Map([['up', [`${BLOCK_START + 8 * HOUR}:4`, `${BLOCK_START + 11 * HOUR}:7`]]]),
    );
    await db.close();
  });

  test('does not wait for the next maintenance', async () => {
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const { db, disk, bytes } = await fiveBlocks({ minFreeBytes: 1000, clock });
    const stop = new AbortController();
    const running = db.run(stop.signal);
    disk.total = 2 * bytes + 1000;
    await until('old blocks are deleted', () => {
      clock.advance(5000);
      return db.blocks.length === 2;
    });
    stop.abort();
    await running;
    await db.close();
  });

  test('counts blocks that readers still hold as on their way', async () => {
    const { db, disk, bytes } = await fiveBlocks({ minFreeBytes: 1000 });
    const querier = db.querier(-Infinity, Infinity);
    // What is deleted takes room until the reader is done.
    const held = db.blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
    const total = 4 * bytes + 1000;
    disk.read = async () => ({ freeBytes: total - held, totalBytes: total });
    Object.assign(disk, { total });
    await db.maintain();
    const left = db.blocks.length;
    await db.maintain();
    expect(db.blocks.length).toBe(left);
    querier.close();
    await db.close();
  });

  test('is left alone where the reserve is 0 or nothing is known of the disk', async () => {
    const off = await fiveBlocks({ minFreeBytes: 0 });
    off.disk.total = 10;
    await off.db.maintain();
    expect(off.db.blocks.length).toBe(5);
    await off.db.close();
    const unknown = await fiveBlocks({ minFreeBytes: 1000 });
    unknown.disk.failing = true;
    await unknown.db.maintain();
    expect(unknown.db.blocks.length).toBe(5);
    await unknown.db.close();
  });

  test('is not filled further by compaction', async () => {
    const { db, disk, bytes, registry } = await fiveBlocks({
      minFreeBytes: 1000,
      compactedRangeMaxMs: 6 * HOUR,
    });
    disk.total = 5 * bytes + 1000 + 2 * bytes;
    await db.maintain();
    expect(db.blocks.length).toBe(5);
    disk.total = 1e6;
    await db.maintain();
    expect(db.blocks.length).toBe(3);
    expect(metricValue(registry, 'prometheus_tsdb_maintenance_failed_total')).toBe(0);
    await db.close();
  });
});
