// Starts over directories in which something went wrong. None is refused, none loses more than what was hit, and
// what was lost is counted.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import type { Db } from '../../src/tsdb/db.ts';
import type { DbEvent } from '../../src/tsdb/db-event.ts';
import type { DbOptions } from '../../src/tsdb/db-options.ts';
import { segmentPath } from '../../src/tsdb/wal/segments.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import {
  contents,
  HOUR,
  metricValue,
  openTestDb,
  put,
  BLOCK_START as T,
} from '../fakes/test-db.ts';

const SERIES = 20;
/** So small that each batch is a segment. */
const SEGMENTS: Partial<DbOptions> = { logSegmentBytes: 100, logCompression: false };

/** One sample of every series. */
async function batch(db: Db, time: number): Promise<void> {
  const appender = db.appender();
  for (let s = 0; s < SERIES; s++) {
    const ref = appender.series(Labels.fromObject({ __name__: 'm', s: String(s) }));
    appender.append(ref, time, time - T + s);
  }
  await appender.commit();
}

/** A directory whose log has the series and the first samples in segment 0, and others in 1 to 5. */
async function sixSegments(): Promise<{ dir: string; wal: string }> {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, SEGMENTS);
  for (let i = 0; i < 6; i++) await batch(db, T + i);
  await db.close();
  const wal = join(dir, 'wal');
  expect(readdirSync(wal).length).toBe(6);
  return { dir, wal };
}

async function timesOf(db: Db): Promise<number[]> {
  const found = await contents(db);
  expect(found.size).toBe(SERIES);
  const texts = found.get('m{s="7"}')!;
  for (const [labels, others] of found) expect(others.length, labels).toBe(texts.length);
  return texts.map(text => Number(text.split(':')[0]) - T);
}

describe('a log', () => {
  test('with a segment that the device does not give back loses that segment alone', async () => {
    const { dir, wal } = await sixSegments();
    const path = segmentPath(wal, 2);
    rmSync(path);
    symlinkSync('/proc/self/mem', path); // reading it at 0 is EIO
    const events: DbEvent[] = [];
    const db = await openTestDb(dir, { ...SEGMENTS, onEvent: event => events.push(event) });
    expect(db.replay.damages).toBe(1);
    expect(await timesOf(db)).toEqual([0, 1, 3, 4, 5]);
    expect(events.map(({ name }) => name)).toEqual(['storage.log-damaged']);
    // And heals: the checkpoint passes it over, and it goes.
    await batch(db, T + 4 * HOUR);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    expect(existsSync(path)).toBe(false);
    await db.close();
    const healed = await openTestDb(dir, SEGMENTS);
    expect(healed.replay.damages).toBe(0);
    expect(await timesOf(healed)).toEqual([0, 1, 3, 4, 5, 4 * HOUR]);
    await healed.close();
  });

  test('without one of its segments says so', async () => {
    const { dir, wal } = await sixSegments();
    rmSync(segmentPath(wal, 3));
    const registry = new Registry();
    const db = await openTestDb(dir, { ...SEGMENTS, registry });
    expect(db.replay).toMatchObject({ damages: 1, segments: 5, samplesLost: 0 });
    expect(metricValue(registry, 'prometheus_tsdb_wal_corruptions_total')).toBe(1);
    expect(await timesOf(db)).toEqual([0, 1, 2, 4, 5]);
    await db.close();
  });

  test('of more series than may be there now opens, and new series are refused', async () => {
    const { dir } = await sixSegments();
    const db = await openTestDb(dir, { ...SEGMENTS, seriesMax: 5 });
    expect(await timesOf(db)).toEqual([0, 1, 2, 3, 4, 5]);
    await batch(db, T + 6);
    expect(() => db.appender().series(Labels.fromObject({ __name__: 'new' }))).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }),
    );
    await db.close();
  });

  test('that does not fit into memory opens each time, says what is missing, and fits again later', {
    timeout: 60_000,
  }, async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const appender = db.appender();
    for (let i = 0; i < 30_000; i++) {
      appender.append(appender.series(Labels.fromObject({ __name__: `n${i}` })), T, i);
    }
    await appender.commit();
    await db.close();
    const small = { headBytesMax: 4 * 1024 * 1024 };
    for (let start = 0; start < 2; start++) {
      const events: DbEvent[] = [];
      const full = await openTestDb(dir, { ...small, onEvent: event => events.push(event) });
      expect(full.replay.samplesLost).toBeGreaterThan(0);
      expect(events.map(({ name }) => name)).toEqual(['storage.log-damaged']);
      await full.close();
    }
    const roomy = await openTestDb(dir);
    expect(roomy.replay).toMatchObject({ series: 30_000, samples: 30_000, samplesLost: 0 });
    await roomy.close();
  });

  test('that is hit while it is open still names every series after its checkpoint', async () => {
    const { dir, wal } = await sixSegments();
    const db = await openTestDb(dir, SEGMENTS);
    const path = segmentPath(wal, 0);
    const bytes = readFileSync(path);
    bytes[20]! ^= 1; // in the record of the series
    writeFileSync(path, bytes);
    for (const hour of [3, 4, 5]) await batch(db, T + hour * HOUR);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    await batch(db, T + 5 * HOUR + 1);
    await db.close();
    const again = await openTestDb(dir, SEGMENTS);
    expect(again.replay).toMatchObject({ damages: 0, samplesLost: 0 });
    expect((await timesOf(again)).length).toBe(10);
    await again.close();
  });
});

describe('a snapshot of the head', () => {
  const SNAPSHOT = { snapshotOnClose: true };
  const FILE = 'head.snapshot';

  test('that cannot be written does not keep the database from closing', async () => {
    const dir = temporaryDirectory();
    mkdirSync(join(dir, `${FILE}.tmp`));
    const registry = new Registry();
    const db = await openTestDb(dir, { ...SNAPSHOT, registry });
    await batch(db, T);
    await db.close();
    expect(metricValue(registry, 'prometheus_tsdb_head_snapshots_failed_total')).toBe(1);
    expect(existsSync(join(dir, FILE))).toBe(false);
    const again = await openTestDb(dir, SNAPSHOT);
    expect(await timesOf(again)).toEqual([0]);
    await again.close();
  });

  test('damaged or cut short anywhere loses nothing', { timeout: 60_000 }, async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, SNAPSHOT);
    for (let i = 0; i < 50; i++) await batch(db, T + i);
    await put(db, { __name__: 'late' }, [[T + 40, 1]]);
    await db.close();
    const path = join(dir, FILE);
    const whole = readFileSync(path);
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.from(whole);
      const at = random(bytes.length);
      bytes[at]! ^= 1 << random(8);
      writeFileSync(path, bytes);
      if (round % 3 === 0) truncateSync(path, random(bytes.length));
      const again = await openTestDb(dir);
      const what = `round ${round}, byte ${at}: ${again.headSnapshot.kind}`;
      expect(again.replay.samplesLost, what).toBe(0);
      const found = await contents(again);
      expect(found.size, what).toBe(SERIES + 1);
      expect(found.get('m{s="7"}')?.length, what).toBe(50);
      expect(again.headSnapshot.kind).toBe('discarded');
      await again.close();
    }
  });

  test('holds nothing that was in a block, so that a deleted block stays deleted', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, SNAPSHOT);
    for (const minutes of [0, 50, 100, 190, 300]) await batch(db, T + minutes * 60_000);
    await db.maintain();
    expect(db.blocks.length).toBe(1);
    const block = db.blocks[0]!.dir;
    await db.close();
    rmSync(block, { recursive: true });
    const again = await openTestDb(dir, SNAPSHOT);
    expect(again.headSnapshot.kind).toBe('loaded');
    expect(await timesOf(again)).toEqual([190 * 60_000, 300 * 60_000]);
    await again.close();
  });

  test('that outlived its process neither hides nor brings back anything', {
    timeout: 60_000,
  }, async () => {
    const dir = temporaryDirectory();
    const first = await openTestDb(dir, SNAPSHOT);
    for (const minutes of [0, 50, 100]) await batch(first, T + minutes * 60_000);
    await first.close();
    const former = readFileSync(join(dir, FILE));
    const db = await openTestDb(dir, SNAPSHOT);
    const m = (s: number) => [new Matcher('=', '__name__', 'm'), new Matcher('=', 's', String(s))];
    const steps: readonly [string, () => Promise<unknown>, 'loaded' | 'discarded'][] = [
      ['samples', () => batch(db, T + 2 * HOUR), 'loaded'],
      ['a deletion', () => db.delete(T, T + HOUR, m(7)), 'loaded'],
      [
        'samples out of order',
        () => put(db, { __name__: 'm', s: '3' }, [[T + 2 * HOUR - 1, 5]]),
        'loaded',
      ],
      ['a new series', () => put(db, { __name__: 'n' }, [[T + 3 * HOUR, 5]]), 'loaded'],
      ['more samples', () => batch(db, T + 5 * HOUR), 'loaded'],
      ['blocks and a checkpoint', () => db.maintain(), 'discarded'],
      ['a deletion in a block', () => db.delete(T, T + 9 * HOUR, m(8)), 'discarded'],
      ['samples behind them', () => batch(db, T + 9 * HOUR), 'discarded'],
      ['more blocks', () => db.maintain(), 'discarded'],
    ];
    for (const [what, step, kind] of steps) {
      await step();
      const image = temporaryDirectory();
      cpSync(dir, image, { recursive: true, filter: path => !path.endsWith('/lock') });
      writeFileSync(join(image, FILE), former);
      const again = await openTestDb(image);
      expect(again.headSnapshot.kind, what).toBe(kind);
      expect(again.replay, what).toMatchObject({ damages: 0, samplesLost: 0 });
      expect(await contents(again), what).toEqual(await contents(db));
      await again.close();
    }
    await db.close();
  });
});
