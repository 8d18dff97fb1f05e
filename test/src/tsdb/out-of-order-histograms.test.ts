// Native histograms out of order in a database: how they go to blocks, come back from their log, and what
// they cost.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';
import { readChunkHeader } from '../../../src/storage/histogram-chunk/chunk-header.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import type { Db } from '../../../src/tsdb/db.ts';
import { LogWriter } from '../../../src/tsdb/wal/log-writer.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { BLOCK_START, contents, HOUR, metricValue, openTestDb, put } from '../../fakes/test-db.ts';

const MINUTE = 60_000;
const UP = { __name__: 'up' };

function counted(count: number, changes: Partial<FloatHistogram> = {}): FloatHistogram {
  return histogram({
    schema: 1,
    count,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    integer: true,
    ...changes,
  });
}

type Rows = readonly (readonly [time: number, sample: number | FloatHistogram])[];

async function add(db: Db, rows: Rows, labels = UP) {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject(labels));
  for (const [time, sample] of rows) {
    if (typeof sample === 'number') appender.append(ref, time, sample);
    else appender.appendHistogram(ref, time, sample);
  }
  return await appender.commit();
}

function texts(rows: Rows): string[] {
  return [...rows]
    .sort(([a], [b]) => a - b)
    .map(([time, one]) => `${time}:${typeof one === 'number' ? one : `h${one.count}`}`);
}

/** Minutes 0, 2, 4 … of two hours in order, the others late in batches; every fifth is a float. */
async function fill(db: Db): Promise<Rows> {
  const all: [number, number | FloatHistogram][] = Array.from({ length: 120 }, (_, i) => [
    BLOCK_START + i * MINUTE,
    i % 5 === 4 ? i : counted(100 + i, i % 7 === 3 ? { integer: false } : {}),
  ]);
  const inOrder = all.filter((_, i) => i % 2 === 0);
  const late = all.filter((_, i) => i % 2 === 1);
  expect((await add(db, inOrder)).stored).toBe(60);
  for (let from = 0; from < late.length; from += 11) {
    const batch = late.slice(from, from + 11).reverse();
    expect((await add(db, batch)).stored).toBe(batch.length);
  }
  return all;
}

const WIDE = { outOfOrderMs: 48 * HOUR };

test('floats and histograms of one series come back from the log', async () => {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, WIDE);
  const all = await fill(db);
  expect((await contents(db)).get('up')).toEqual(texts(all));
  await db.close();
  const again = await openTestDb(dir, WIDE);
  expect(again.outOfOrderReplay).toMatchObject({ samples: 59, samplesLost: 0, samplesSkipped: 0 });
  expect((await contents(again)).get('up')).toEqual(texts(all));
  // What is there is known by its time and value, whatever its chunk looks like by now.
  const repeated = await add(again, all);
  expect([repeated.stored, Object.fromEntries(repeated.refused)]).toEqual([120, {}]);
  await again.close();
});

test('they go to a block of their own, and are joined with those in order', async () => {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, WIDE);
  const all = await fill(db);
  await put(db, { __name__: 'other' }, [[BLOCK_START + 4 * HOUR, 1]]);
  await db.maintain();
  expect((await contents(db)).get('up')).toEqual(texts(all));
  const stats = db.blocks.map(({ meta }) => meta.stats);
  expect(stats.reduce((sum, { numHistogramSamples: n }) => sum + (n ?? 0), 0)).toBe(96);
  expect(stats.reduce((sum, { numSamples: n }) => sum + n, 0)).toBe(120);
  await db.maintain();
  expect((await contents(db)).get('up')).toEqual(texts(all));
  await db.close();
  const again = await openTestDb(dir, WIDE);
  expect(again.outOfOrderReplay.records).toBe(0);
  expect((await contents(again)).get('up')).toEqual(texts(all));
  await again.close();
});

test("Prometheus' marks are taken out of a log with histograms, and nothing else is", async () => {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir, WIDE);
  const all = await fill(db);
  await db.close();
  const log = LogWriter.open(join(dir, 'wbl'), {
    logger: silentLogger,
    monotonic: () => 0,
    compress: true,
  });
  const mark = new Uint8Array(17);
  mark[0] = 5;
  log.log([mark]);
  await log.close();
  const marked = await openTestDb(dir, WIDE);
  expect(marked.outOfOrderReplay).toMatchObject({ samples: 59, markers: 1 });
  await marked.close();
  const again = await openTestDb(dir, WIDE);
  expect(again.outOfOrderReplay).toMatchObject({ samples: 59, markers: 0, samplesLost: 0 });
  expect((await contents(again)).get('up')).toEqual(texts(all));
  await again.close();
});

test('they are counted by type, and their memory with the head', async () => {
  const registry = new Registry();
  const db = await openTestDb(temporaryDirectory(), { registry });
  const T = BLOCK_START + HOUR;
  await add(db, [[T, 1]]);
  const bytes = () => metricValue(registry, 'prometheus_tsdb_head_bytes_in_use')!;
  const before = bytes();
  const wide = {
    positiveSpans: [{ offset: 0, length: 100 }],
    positiveBuckets: new Float64Array(100).fill(1),
  };
  const late = Array.from({ length: 20 }, (_, i): [number, FloatHistogram] => [
    T - 1000 * (i + 1),
    counted(100, wide),
  ]);
  await add(db, late);
  expect(bytes() - before).toBeGreaterThan(20 * 800);
  expect((await add(db, [[T - 20 * MINUTE, counted(1)]])).stored).toBe(0);
  const typed = (name: string) =>
    registry
      .gather()
      .find(family => family.name === `prometheus_tsdb_${name}`)!
      .samples.map(({ labels, value }) => [labels.get('type'), value]);
  expect(typed('head_out_of_order_samples_appended_total')).toEqual([
    ['float', 0],
    ['histogram', 20],
  ]);
  expect(typed('head_samples_appended_total')).toEqual([
    ['float', 1],
    ['histogram', 20],
  ]);
  expect(typed('too_old_samples_total')).toEqual([
    ['float', 0],
    ['histogram', 1],
  ]);
  await db.close();
});

test('a chunk behind a late one does not say that no reset came before it', async () => {
  const db = await openTestDb(temporaryDirectory(), WIDE);
  const T = BLOCK_START;
  // Two chunks: a block's range ends between them.
  await add(db, [
    [T + HOUR, counted(5)],
    [T + 2 * HOUR, counted(6)],
    [T + 2 * HOUR + 1, counted(7)],
  ]);
  const headers = async () => {
    const querier = db.querier(-Infinity, Infinity);
    const set = await querier.select([new Matcher('=', '__name__', 'up')]);
    const [series] = (await set.next())!;
    const found = series!.chunks()!.map(({ data, encoding, minTime }) => {
      return [minTime - T, readChunkHeader(data, encoding).reset];
    });
    querier.close();
    return found;
  };
  expect(await headers()).toEqual([
    [HOUR, 'unknown'],
    [2 * HOUR, 'not-reset'],
  ]);
  await add(db, [[T + HOUR + 1, counted(9)]]);
  expect(await headers()).toEqual([
    [HOUR, 'unknown'],
    [HOUR + 1, 'unknown'],
    [2 * HOUR, 'unknown'],
  ]);
  await db.close();
});
