// Samples out of order in a database: what a selection sees, how they go to blocks and what becomes of
// their log.

import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { isUlid } from '../../../src/tsdb/block/ulid.ts';
import type { Db } from '../../../src/tsdb/db.ts';
import { type LogFs, nodeLogFs } from '../../../src/tsdb/wal/log-fs.ts';
import { LogWriter } from '../../../src/tsdb/wal/log-writer.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../../src/tsdb/wal/samples-record.ts';
import { listSegments } from '../../../src/tsdb/wal/segments.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { BLOCK_START, contents, HOUR, metricValue, openTestDb, put } from '../../fakes/test-db.ts';

const UP = { __name__: 'up' };
const DOWN = { __name__: 'down' };
const MINUTE = 60_000;
const WIDE = { outOfOrderMs: 48 * HOUR };

type Rows = [number, number][];

/** Samples of [from, to), `step` apart, the value being the minute. */
function minutes(from: number, to: number, step = MINUTE): Rows {
  const rows: Rows = [];
  for (let t = from; t < to; t += step) rows.push([t, (t - BLOCK_START) / MINUTE]);
  return rows;
}

function texts(rows: Rows): string[] {
  return [...rows].sort(([a], [b]) => a - b).map(([time, value]) => `${time}:${value}`);
}

/** Minutes of [from, to), the odd ones appended after all even ones. */
async function putOddLate(db: Db, from: number, to: number): Promise<Rows> {
  const even = minutes(from, to, 2 * MINUTE);
  const odd = minutes(from + MINUTE, to, 2 * MINUTE);
  expect((await put(db, UP, even)).stored).toBe(even.length);
  expect((await put(db, UP, odd)).stored).toBe(odd.length);
  return [...even, ...odd];
}

function logBytes(db: Db): number {
  return listSegments(join(db.dir, 'wbl')).reduce((sum, { bytes }) => sum + bytes, 0);
}

describe('reading', () => {
  test('a selection sees no sample that came after it, before or behind its buffer filled up', async () => {
    const db = await openTestDb(temporaryDirectory());
    await put(db, UP, [[BLOCK_START + HOUR, 0]]);
    const at = (i: number): number => BLOCK_START + HOUR - 1000 * (500 - i * 7);
    const expected: string[][] = [];
    const sets = [];
    for (let i = 0; i < 70; i++) {
      await put(db, UP, [[at((i * 37) % 70), i]]);
      const querier = db.querier(-Infinity, Infinity);
      sets.push({ querier, set: await querier.select([]) });
      expected.push((await contents(db)).get('up')!);
    }
    for (const [i, { querier, set }] of sets.entries()) {
      const columns = new SampleColumns();
      const [series] = (await set.next())!;
      series!.samples(columns);
      const read = Array.from({ length: columns.length }, (_, n) => {
        return `${columns.times[n]}:${columns.values[n]}`;
      });
      expect(read, `selection ${i}`).toEqual(expected[i]);
      expect(read.length).toBe(i + 2);
      querier.close();
    }
    await db.close();
  });

  test('a series with overlaps has parts and no chunks, others keep their chunks', async () => {
    const db = await openTestDb(temporaryDirectory());
    await put(db, UP, minutes(BLOCK_START, BLOCK_START + HOUR));
    await put(db, DOWN, minutes(BLOCK_START, BLOCK_START + HOUR));
    await put(db, UP, [[BLOCK_START + HOUR - MINUTE - 500, 7]]);
    const querier = db.querier(-Infinity, Infinity);
    const set = await querier.select([], { hints: { sorted: true } });
    const [down, up] = (await set.next())!;
    expect(down!.label('__name__')).toBe('down');
    expect(down!.chunks()!.length).toBeGreaterThan(0);
    expect(down!.parts?.() ?? null).toBe(null);
    expect(up!.label('__name__')).toBe('up');
    expect(up!.chunks()).toBe(null);
    expect(up!.parts!()!.length).toBe(2);
    querier.close();
    await db.close();
  });

  test('samples out of order that lie apart from the others are chunks of the series', async () => {
    const db = await openTestDb(temporaryDirectory());
    await put(db, UP, minutes(BLOCK_START + HOUR, BLOCK_START + HOUR + 9 * MINUTE));
    await put(db, UP, [[BLOCK_START + HOUR - MINUTE, 7]]);
    const querier = db.querier(-Infinity, Infinity);
    const [up] = (await (await querier.select([])).next())!;
    const ranges = up!.chunks()!.map(({ minTime, maxTime }) => [minTime, maxTime]);
    expect(ranges).toEqual([
      [BLOCK_START + HOUR - MINUTE, BLOCK_START + HOUR - MINUTE],
      [BLOCK_START + HOUR, BLOCK_START + HOUR + 8 * MINUTE],
    ]);
    querier.close();
    await db.close();
  });

  test('a range that ends before all samples in order finds those out of order', async () => {
    const db = await openTestDb(temporaryDirectory());
    await put(db, UP, [[BLOCK_START + HOUR, 1]]);
    await put(db, UP, [[BLOCK_START + HOUR - MINUTE, 2]]);
    const range = [BLOCK_START, BLOCK_START + HOUR - 1] as const;
    const expected = [`${BLOCK_START + HOUR - MINUTE}:2`];
    expect((await contents(db, [], range)).get('up')).toEqual(expected);
    expect(db.minTime).toBe(BLOCK_START + HOUR - MINUTE);
    const querier = db.querier(...range);
    expect((await querier.labelNames([])).values).toEqual(['__name__']);
    querier.close();
    await db.close();
  });

  test('deletions hide samples out of order, in the head, after a restart and in blocks', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, WIDE);
    await putOddLate(db, BLOCK_START, BLOCK_START + 2 * HOUR);
    const all = [new Matcher('=', '__name__', 'up')];
    await db.delete(BLOCK_START + HOUR, BLOCK_START + 2 * HOUR, all);
    const expected = texts(minutes(BLOCK_START, BLOCK_START + HOUR));
    expect((await contents(db)).get('up')).toEqual(expected);
    await db.close();
    const again = await openTestDb(dir, WIDE);
    expect((await contents(again)).get('up')).toEqual(expected);
    await put(again, DOWN, minutes(BLOCK_START, BLOCK_START + 4 * HOUR));
    await again.maintain();
    expect(again.blocks.length).toBeGreaterThan(0);
    expect((await contents(again)).get('up')).toEqual(expected);
    await again.close();
    const last = await openTestDb(dir, WIDE);
    expect((await contents(last)).get('up')).toEqual(expected);
    await last.close();
  });
});

describe('going to blocks', () => {
  test('they go to aligned blocks, are joined with what they overlap, and their log ends', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const rows: Rows = [];
    for (let at = BLOCK_START; at < BLOCK_START + 3 * HOUR; at += 8 * MINUTE) {
      rows.push(...(await putOddLate(db, at, at + 8 * MINUTE)));
    }
    const last = [BLOCK_START + 3 * HOUR + 10 * MINUTE, 5] as [number, number];
    await put(db, UP, [last]);
    const before = logBytes(db);
    expect(before).toBeGreaterThan(0);
    await db.maintain();
    expect(
      db.blocks.map(({ meta: { minTime, maxTime, compaction, stats } }) => [
        (minTime - BLOCK_START) / HOUR,
        (maxTime - BLOCK_START) / HOUR,
        compaction.level,
        compaction.hints,
        stats.numSamples,
      ]),
    ).toEqual([
      [0, 2, 2, [], 120],
      // What is in order here is still in the head.
      [2, 4, 1, ['from-out-of-order'], 24],
    ]);
    expect(logBytes(db)).toBe(0);
    expect(db.maxTime).toBe(last[0]);
    const expected = texts([...rows, last]);
    expect((await contents(db)).get('up')).toEqual(expected);
    await db.close();
    const again = await openTestDb(dir);
    expect(again.outOfOrderReplay.samples).toBe(0);
    expect((await contents(again)).get('up')).toEqual(expected);
    await again.close();
  });

  test('samples later than their block become a block that is joined with it', async () => {
    const db = await openTestDb(temporaryDirectory(), WIDE);
    const rows = minutes(BLOCK_START, BLOCK_START + 4 * HOUR);
    await put(db, UP, rows);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    const late: Rows = [
      [BLOCK_START + 500, 1],
      [BLOCK_START - 5 * HOUR, 2],
    ];
    expect((await put(db, UP, late)).stored).toBe(2);
    expect((await put(db, { __name__: 'new' }, [[BLOCK_START + 700, 3]])).stored).toBe(1);
    await put(db, UP, minutes(BLOCK_START + 4 * HOUR, BLOCK_START + 6 * HOUR));
    await db.maintain();
    const spans = db.blocks.map(({ meta }) => [
      (meta.minTime - BLOCK_START) / HOUR,
      (meta.maxTime - BLOCK_START) / HOUR,
    ]);
    expect(spans).toEqual([
      [-6, -4],
      [0, 2],
      [2, 4],
    ]);
    const expected = texts([...minutes(BLOCK_START, BLOCK_START + 6 * HOUR), ...late]);
    const read = await contents(db);
    expect(read.get('up')).toEqual(expected);
    expect(read.get('new')).toEqual([`${BLOCK_START + 700}:3`]);
    await db.close();
  });

  test('a querier that is open while they go to blocks sees each sample once, early and late', async () => {
    const db = await openTestDb(temporaryDirectory());
    // A block is due that ends before the querier's range.
    await put(db, DOWN, [[BLOCK_START + MINUTE, 1]]);
    const rows = await putOddLate(db, BLOCK_START + 3 * HOUR, BLOCK_START + 3 * HOUR + 8 * MINUTE);
    const early = db.querier(BLOCK_START + 3 * HOUR, BLOCK_START + 4 * HOUR);
    const set = await early.select([]);
    await db.maintain();
    expect(db.blocks.some(({ meta }) => meta.compaction.hints.length > 0)).toBe(true);
    const columns = new SampleColumns();
    for (const series of (await set.next())!) series.samples(columns);
    expect(columns.length).toBe(rows.length);
    columns.clear();
    for (const series of (await (await early.select([])).next())!) series.samples(columns);
    expect(columns.length).toBe(rows.length);
    early.close();
    expect((await contents(db)).get('up')).toEqual(texts(rows));
    await db.close();
  });

  test('repetitions of what has just gone to blocks are known; later the first value wins', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const newest = BLOCK_START + 3 * HOUR + 8 * MINUTE;
    await put(db, DOWN, [[BLOCK_START, 1]]);
    await put(db, UP, [[newest, 1]]);
    await put(db, UP, [[newest - MINUTE, 5]]);
    await db.maintain();
    expect(db.blocks.map(({ meta }) => meta.compaction.hints.length)).toEqual([0, 1]);
    const again: Rows = [
      [newest - MINUTE, 5],
      [newest - MINUTE, 6],
    ];
    const { stored, refused } = await put(db, UP, again);
    expect([stored, Object.fromEntries(refused)]).toEqual([1, { 'duplicate-sample': 1 }]);
    await db.close();
    // Ids of blocks tell which is older from one millisecond to the next.
    const later = await openTestDb(dir, { clock: new ManualClock(BLOCK_START + 25 * HOUR) });
    expect((await put(later, UP, [[newest - MINUTE, 6]])).stored).toBe(1);
    const expected = [`${newest - MINUTE}:5`, `${newest}:1`];
    expect((await contents(later)).get('up')).toEqual(expected);
    await put(later, DOWN, [[BLOCK_START + 7 * HOUR, 1]]);
    await later.maintain();
    expect((await contents(later)).get('up')).toEqual(expected);
    expect(later.blocks.every(({ meta }) => meta.compaction.hints.length === 0)).toBe(true);
    await later.close();
  });

  test('a cut that stops halfway leaves no block behind, and the next one does all', async () => {
    const controller = new AbortController();
    let cut = 0;
    const info = (message: string): void => {
      if (message !== 'block cut from out-of-order samples') return;
      cut++;
      controller.abort();
    };
    const logger = { ...silentLogger, info };
    const db = await openTestDb(temporaryDirectory(), { ...WIDE, logger });
    const rows = await putOddLate(db, BLOCK_START, BLOCK_START + 4 * HOUR);
    const log = logBytes(db);
    await db.maintain(controller.signal);
    expect(cut).toBe(1);
    expect(db.blocks).toEqual([]);
    expect(readdirSync(db.dir).filter(isUlid)).toEqual([]);
    expect(logBytes(db)).toBe(log);
    expect((await contents(db)).get('up')).toEqual(texts(rows));
    const more = await putOddLate(db, BLOCK_START + 4 * HOUR, BLOCK_START + 4 * HOUR + 8 * MINUTE);
    await db.maintain();
    expect(db.blocks.map(({ meta }) => meta.stats.numSamples)).toEqual([120, 59, 3]);
    expect(logBytes(db)).toBe(0);
    expect((await contents(db)).get('up')).toEqual(texts([...rows, ...more]));
    await db.close();
  });

  test('a crash between blocks and the end of the log doubles nothing', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const rows = await putOddLate(db, BLOCK_START, BLOCK_START + 8 * MINUTE);
    const saved = temporaryDirectory();
    cpSync(join(dir, 'wbl'), saved, { recursive: true });
    const more = minutes(BLOCK_START + HOUR, BLOCK_START + 4 * HOUR);
    await put(db, UP, more);
    await db.maintain();
    expect(db.blocks.map(({ meta }) => meta.stats.numSamples)).toEqual([8 + 60]);
    await db.close();
    rmSync(join(dir, 'wbl'), { recursive: true });
    cpSync(saved, join(dir, 'wbl'), { recursive: true });
    const expected = texts([...rows, ...more]);
    const again = await openTestDb(dir);
    expect(again.outOfOrderReplay.samples).toBe(3);
    expect((await contents(again)).get('up')).toEqual(expected);
    const newer = minutes(BLOCK_START + 4 * HOUR, BLOCK_START + 6 * HOUR);
    await put(again, UP, newer);
    await again.maintain();
    expect((await contents(again)).get('up')).toEqual(texts([...rows, ...more, ...newer]));
    expect(again.blocks[0]!.meta.stats.numSamples).toBe(8 + 60);
    await again.close();
  });

  test('at equal times the sample in order wins, in queries and in joined blocks', async () => {
    const db = await openTestDb(temporaryDirectory(), WIDE);
    await put(db, UP, minutes(BLOCK_START, BLOCK_START + 4 * HOUR));
    await db.maintain();
    // Its block is not searched, so that this one counts as stored.
    expect((await put(db, UP, [[BLOCK_START + MINUTE, 99]])).stored).toBe(1);
    const first = (await contents(db)).get('up');
    expect(first![1]).toBe(`${BLOCK_START + MINUTE}:1`);
    await put(db, UP, minutes(BLOCK_START + 4 * HOUR, BLOCK_START + 6 * HOUR));
    await db.maintain();
    expect(db.blocks[0]!.meta.compaction.level).toBe(2);
    expect((await contents(db)).get('up')!.slice(0, first!.length)).toEqual(first);
    await db.close();
  });

  test('a clock that stepped back moves them to blocks with everything else', async () => {
    const clock = new ManualClock(BLOCK_START + 48 * HOUR);
    const db = await openTestDb(temporaryDirectory(), { clock });
    const rows = await putOddLate(
      db,
      BLOCK_START + 47 * HOUR,
      BLOCK_START + 47 * HOUR + 8 * MINUTE,
    );
    clock.stepWall(BLOCK_START + 10 * HOUR);
    await db.maintain();
    const now = clock.now();
    expect((await put(db, UP, [[now, 1]])).stored).toBe(1);
    expect((await contents(db)).get('up')).toEqual([`${now}:1`, ...texts(rows)]);
    expect(db.seriesCount).toBe(1);
    await db.close();
  });

  test('a snapshot holds them', async () => {
    const db = await openTestDb(temporaryDirectory(), WIDE);
    const rows = await putOddLate(db, BLOCK_START, BLOCK_START + HOUR);
    await put(db, UP, [[BLOCK_START - HOUR, 3]]);
    const copy = await openTestDb(await db.snapshot('copy'));
    const expected = texts([...rows, [BLOCK_START - HOUR, 3]]);
    expect((await contents(copy)).get('up')).toEqual(expected);
    await copy.close();
    await db.close();
  });
});

describe('their log', () => {
  test('brings them back after a restart, with the window closed too', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const rows = await putOddLate(db, BLOCK_START, BLOCK_START + 8 * MINUTE);
    await db.close();
    const again = await openTestDb(dir, { outOfOrderMs: 0 });
    expect(again.outOfOrderReplay).toMatchObject({ samples: 3, samplesLost: 0, damages: 0 });
    expect((await contents(again)).get('up')).toEqual(texts(rows));
    const late = await put(again, UP, [[BLOCK_START + 30_000, 1]]);
    expect(Object.fromEntries(late.refused)).toEqual({ 'out-of-order': 1 });
    await put(again, UP, minutes(BLOCK_START + HOUR, BLOCK_START + 4 * HOUR));
    await again.maintain();
    expect(listSegments(join(dir, 'wbl')).length).toBe(0);
    expect((await contents(again)).get('up')!.slice(0, 8)).toEqual(texts(rows));
    await again.close();
  });

  test('is not there where none are taken', async () => {
    const db = await openTestDb(temporaryDirectory(), { outOfOrderMs: 0 });
    expect(existsSync(join(db.dir, 'wbl'))).toBe(false);
    await db.close();
  });

  test('that cannot be written refuses the commit, and what is in order stays stored', async () => {
    const paths = new Map<number, string>();
    let full = false;
    const logFs: LogFs = {
      ...nodeLogFs,
      open(path) {
        const fd = nodeLogFs.open(path);
        paths.set(fd, path);
        return fd;
      },
      write(fd, bytes, position) {
        if (full && paths.get(fd)!.includes('wbl')) throw new Error('no space left');
        return nodeLogFs.write(fd, bytes, position);
      },
    };
    const registry = new Registry();
    const db = await openTestDb(temporaryDirectory(), { logFs, registry });
    await put(db, UP, [[BLOCK_START + 60_000, 1]]);
    full = true;
    const both: Rows = [
      [BLOCK_START + 30_000, 2],
      [BLOCK_START + 90_000, 3],
    ];
    await expect(put(db, UP, both)).rejects.toMatchObject({ code: 'unavailable' });
    expect(metricValue(registry, 'prometheus_tsdb_ingest_paused')).toBe(1);
    const inOrder = [`${BLOCK_START + 60_000}:1`, `${BLOCK_START + 90_000}:3`];
    expect((await contents(db)).get('up')).toEqual(inOrder);
    full = false;
    expect((await put(db, UP, both)).stored).toBe(2);
    expect(metricValue(registry, 'prometheus_tsdb_ingest_paused')).toBe(0);
    const all = [`${BLOCK_START + 30_000}:2`, ...inOrder];
    expect((await contents(db)).get('up')).toEqual(all);
    await db.close();
    const again = await openTestDb(db.dir);
    expect((await contents(again)).get('up')).toEqual(all);
    await again.close();
  });

  test('names series whose samples are in blocks for as long as they are needed', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    await put(db, UP, minutes(BLOCK_START, BLOCK_START + HOUR));
    await put(db, DOWN, minutes(BLOCK_START, BLOCK_START + 4 * HOUR));
    await db.maintain();
    // The series has nothing in the head any more but this.
    expect((await put(db, UP, [[BLOCK_START + 4 * HOUR - 5 * MINUTE, 5]])).stored).toBe(1);
    expect((await put(db, UP, [[BLOCK_START + 4 * HOUR - 7 * MINUTE, 7]])).stored).toBe(1);
    await db.maintain();
    await db.close();
    const again = await openTestDb(dir);
    expect(again.outOfOrderReplay).toMatchObject({ samples: 1, samplesLost: 0 });
    expect((await contents(again)).get('up')!.slice(-2)).toEqual([
      `${BLOCK_START + 4 * HOUR - 7 * MINUTE}:7`,
      `${BLOCK_START + 4 * HOUR - 5 * MINUTE}:5`,
    ]);
    await again.close();
  });

  test('may name series by references they no longer have, and references are never used again', async () => {
    const dir = temporaryDirectory();
    const first = await openTestDb(dir);
    await put(first, UP, [[BLOCK_START + HOUR, 1]]);
    await first.close();
    const log = LogWriter.open(join(dir, 'wbl'), { logger: silentLogger, monotonic: () => 0 });
    const samples = new LoggedSamples();
    samples.refs.set([1, 700]);
    samples.times.set([BLOCK_START, BLOCK_START]);
    samples.values.set([5, 6]);
    samples.length = 2;
    // Marks of chunks that Prometheus has mapped.
    log.log([
      new SamplesRecordWriter().encode(samples, () => true)!,
      new Uint8Array(17).fill(5, 0, 1),
    ]);
    await log.close();
    mkdirSync(join(dir, 'chunks_head'));
    const db = await openTestDb(dir);
    expect(db.outOfOrderReplay).toMatchObject({ samples: 1, samplesLost: 1, markers: 1 });
    expect((await contents(db)).get('up')).toEqual([`${BLOCK_START}:5`, `${BLOCK_START + HOUR}:1`]);
    expect(readdirSync(dir)).not.toContain('chunks_head');
    const appender = db.appender();
    expect(appender.series(Labels.fromObject({ __name__: 'new' }))).toBe(701);
    appender.rollback();
    await db.close();
    const again = await openTestDb(dir);
    expect(again.outOfOrderReplay).toMatchObject({ samples: 1, samplesLost: 0, markers: 0 });
    await again.close();
  });

  test('is counted: bytes, samples and what is refused', async () => {
    const registry = new Registry();
    const db = await openTestDb(temporaryDirectory(), { registry });
    await put(db, UP, [[BLOCK_START + HOUR, 1]]);
    await put(db, UP, [
      [BLOCK_START + HOUR - MINUTE, 2],
      [BLOCK_START, 3],
    ]);
    const value = (name: string) => metricValue(registry, `prometheus_tsdb_${name}`);
    expect(value('head_out_of_order_samples_appended_total')).toBe(1);
    expect(value('head_samples_appended_total')).toBe(2);
    expect(value('too_old_samples_total')).toBe(1);
    const [segment] = readdirSync(join(db.dir, 'wbl'));
    const bytes = statSync(join(db.dir, 'wbl', segment!)).size;
    expect(value('out_of_order_wbl_storage_size_bytes')).toBe(bytes);
    expect(bytes).toBeGreaterThan(20);
    await db.close();
  });
});
