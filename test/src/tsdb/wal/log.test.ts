import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Slicer } from '../../../../src/lifecycle/slicer.ts';
import { silentLogger } from '../../../../src/telemetry/logger.ts';
import { Registry } from '../../../../src/telemetry/metrics.ts';
import {
  dropReplaced,
  removeLogLeftovers,
  writeCheckpoint,
} from '../../../../src/tsdb/wal/checkpoint.ts';
import { newLogMetrics } from '../../../../src/tsdb/wal/log-metrics.ts';
import { readSegment } from '../../../../src/tsdb/wal/log-reader.ts';
import { logSources } from '../../../../src/tsdb/wal/log-sources.ts';
import { LogWriter, type LogWriterOptions } from '../../../../src/tsdb/wal/log-writer.ts';
import { repairSegment } from '../../../../src/tsdb/wal/repair.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../../../src/tsdb/wal/samples-record.ts';
import { segmentPath } from '../../../../src/tsdb/wal/segments.ts';
import { SeriesRecordWriter } from '../../../../src/tsdb/wal/series-record.ts';
import { FaultyLogFs } from '../../../fakes/faulty-log-fs.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';

const slicer = new Slicer(() => 0);
const options = { logger: silentLogger, monotonic: () => 0 };

const record = (text: string): Uint8Array => new TextEncoder().encode(text);

function openLog(dir: string, extra: Partial<LogWriterOptions> = {}): LogWriter {
  return LogWriter.open(dir, { ...options, ...extra });
}

async function readTexts(dir: string): Promise<string[]> {
  const texts: string[] = [];
  for (const { path } of logSources(dir)) {
    await readSegment(path, bytes => texts.push(new TextDecoder().decode(bytes)), slicer);
  }
  return texts;
}

describe('log writer', () => {
  test('each opening starts a segment behind the last', async () => {
    const dir = join(temporaryDirectory(), 'wal');
    for (const text of ['a', 'b']) {
      const log = openLog(dir);
      log.log([record(text)]);
      await log.close();
    }
    expect(readdirSync(dir)).toEqual(['00000000', '00000001']);
    expect(await readTexts(dir)).toEqual(['a', 'b']);
  });

  test('openings without a write leave one segment', async () => {
    const dir = temporaryDirectory();
    for (let i = 0; i < 3; i++) await openLog(dir).close();
    expect(readdirSync(dir)).toEqual(['00000000']);
  });

  test('a batch that does not fit starts the next segment as a whole', async () => {
    const dir = temporaryDirectory();
    const log = openLog(dir, { segmentBytes: 32 * 1024 });
    log.log([record('x'.repeat(20_000))]);
    log.log([record('y'.repeat(9_000)), record('z'.repeat(9_000))]);
    expect(log.segment).toBe(1);
    await log.close();
    expect(statSync(segmentPath(dir, 0)).size).toBe(20_007);
    expect(statSync(segmentPath(dir, 1)).size).toBe(18_014);
  });

  test('a batch larger than a segment makes one long segment', async () => {
    const dir = temporaryDirectory();
    const log = openLog(dir, { segmentBytes: 32 * 1024 });
    const texts = ['x'.repeat(100_000), 'y'];
    for (const text of texts) log.log([record(text)]);
    await log.close();
    expect(readdirSync(dir)).toEqual(['00000000', '00000001']);
    expect(await readTexts(dir)).toEqual(texts);
  });

  test('finished segments are flushed, and so is the rest on close', async () => {
    const fs = new FaultyLogFs();
    const log = openLog(temporaryDirectory(), { fs });
    log.log([record('a')]);
    log.cut();
    log.log([record('b')]);
    await log.close();
    expect(fs.syncs).toBe(2);
    await log.close();
  });

  test('sync flushes only what is new', async () => {
    const fs = new FaultyLogFs();
    const log = openLog(temporaryDirectory(), { fs });
    log.log([record('a')]);
    await log.sync();
    await log.sync();
    expect(fs.syncs).toBe(1);
    await log.close();
  });
});

describe('a failing disk', () => {
  const unavailable = expect.objectContaining({ code: 'unavailable' });

  test('a batch that does not fit on the disk leaves nothing, and later ones succeed', async () => {
    const dir = temporaryDirectory();
    const fs = new FaultyLogFs();
    const log = openLog(dir, { fs });
    log.log([record('a')]);
    fs.freeBytes = 5;
    expect(() => log.log([record('b'), record('c')])).toThrow(unavailable);
    expect(statSync(segmentPath(dir, 0)).size).toBe(8);
    fs.freeBytes = 1000;
    log.log([record('d')]);
    await log.close();
    expect(await readTexts(dir)).toEqual(['a', 'd']);
  });

  test('short writes are continued', async () => {
    const dir = temporaryDirectory();
    const fs = new FaultyLogFs();
    fs.writeBytesMax = 3;
    const log = openLog(dir, { fs });
    log.log([record('hello'), record('world')]);
    await log.close();
    expect(await readTexts(dir)).toEqual(['hello', 'world']);
  });

  test('a tear that cannot be cut off stops the log until it can', async () => {
    const dir = temporaryDirectory();
    const fs = new FaultyLogFs();
    const log = openLog(dir, { fs });
    log.log([record('a')]);
    fs.freeBytes = 9;
    fs.failing.truncate = 'EIO';
    expect(() => log.log([record('b'), record('c')])).toThrow(unavailable);
    fs.freeBytes = 1000;
    expect(() => log.log([record('d')])).toThrow(unavailable);
    delete fs.failing.truncate;
    log.log([record('e')]);
    await log.close();
    expect(await readTexts(dir)).toEqual(['a', 'e']);
  });

  test('a segment that cannot be started keeps the old one in use', async () => {
    const dir = temporaryDirectory();
    const fs = new FaultyLogFs();
    const log = openLog(dir, { fs });
    log.log([record('a')]);
    fs.failing.open = 'ENOSPC';
    expect(() => log.cut()).toThrow(unavailable);
    log.log([record('b')]);
    await log.close();
    expect(await readTexts(dir)).toEqual(['a', 'b']);
  });

  test('a failing flush is counted and repeated', async () => {
    const registry = new Registry();
    const fs = new FaultyLogFs();
    const metrics = newLogMetrics(registry);
    const log = openLog(temporaryDirectory(), { fs, metrics });
    log.log([record('a')]);
    fs.failing.sync = 'EIO';
    await log.sync();
    delete fs.failing.sync;
    await log.sync();
    expect(fs.syncs).toBe(1);
    const failed = registry.gather().find(f => f.name.endsWith('fsyncs_failed_total'));
    expect(failed?.samples[0]?.value).toBe(1);
    await log.close();
  });
});

describe('repair', () => {
  async function damagedLog(damage: (bytes: Uint8Array) => Uint8Array): Promise<string> {
    const dir = temporaryDirectory();
    const log = openLog(dir);
    for (const text of ['one', 'two', 'three']) log.log([record(text)]);
    await log.close();
    const path = segmentPath(dir, 0);
    writeFileSync(path, damage(new Uint8Array(readFileSync(path))));
    return path;
  }

  test('a torn end is cut off', async () => {
    const path = await damagedLog(bytes => bytes.subarray(0, bytes.length - 2));
    const repair = await repairSegment(path, await readSegment(path, () => {}, slicer), slicer);
    expect(repair).toEqual({ removedBytes: 10, setAside: null });
    const reading = await readSegment(path, () => {}, slicer);
    expect(reading).toEqual({ records: 2, goodEnd: 20, fileBytes: 20, lostBytes: 0, damages: [] });
  });

  test('a segment with a hole is written anew and the original set aside', async () => {
    const path = await damagedLog(bytes => {
      bytes[17]! ^= 1;
      return bytes;
    });
    const repair = await repairSegment(path, await readSegment(path, () => {}, slicer), slicer);
    expect(repair).toEqual({ removedBytes: 10, setAside: `${path}.corrupt` });
    expect(await readTexts(join(path, '..'))).toEqual(['one', 'three']);
    expect(statSync(`${path}.corrupt`).size).toBe(32);
  });

  test('a repair that the disk refuses leaves the segment as it is', async () => {
    const path = await damagedLog(bytes => {
      bytes[17]! ^= 1;
      return bytes;
    });
    const fs = new FaultyLogFs();
    fs.failing.write = 'ENOSPC';
    const reading = await readSegment(path, () => {}, slicer);
    await expect(repairSegment(path, reading, slicer, fs)).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(statSync(path).size).toBe(32);
    expect(existsSync(`${path}.repair`)).toBe(false);
  });
});

describe('checkpoint', () => {
  function samplesRecord(rows: readonly [ref: number, time: number][]): Uint8Array {
    const columns = new LoggedSamples();
    rows.forEach(([ref, time], i) => {
      columns.refs[i] = ref;
      columns.times[i] = time;
    });
    columns.length = rows.length;
    return new SamplesRecordWriter().encode(columns, () => true)!.slice();
  }

  async function twoSegments(): Promise<string> {
    const dir = temporaryDirectory();
    const log = openLog(dir);
    const series = new SeriesRecordWriter();
    series.add(1, ['__name__', 'a']);
    series.add(2, ['__name__', 'b']);
    log.log([
      series.bytes(),
      samplesRecord([
        [1, 10],
        [2, 10],
      ]),
    ]);
    log.log([samplesRecord([[1, 20]])]);
    log.cut();
    log.log([samplesRecord([[1, 30]])]);
    await log.close();
    return dir;
  }

  test('keeps needed series and samples and replaces the segments', async () => {
    const dir = await twoSegments();
    const needed = { minTime: 20, series: (ref: number) => ref === 1 };
    const stats = await writeCheckpoint(dir, 0, needed, { ...options, slicer });
    expect(stats).toEqual({
      seriesKept: 1,
      seriesDropped: 1,
      samplesKept: 1,
      samplesDropped: 2,
      damages: 0,
    });
    dropReplaced(dir, 0);
    expect(readdirSync(dir)).toEqual(['00000001', 'checkpoint.00000000']);
    expect(logSources(dir).map(({ segment, inCheckpoint }) => [segment, inCheckpoint])).toEqual([
      [0, true],
      [1, false],
    ]);
  });

  test('a full disk leaves the log as it was', async () => {
    const dir = await twoSegments();
    const fs = new FaultyLogFs();
    fs.freeBytes = 4;
    const needed = { minTime: 0, series: () => true };
    await expect(writeCheckpoint(dir, 0, needed, { ...options, fs, slicer })).rejects.toMatchObject(
      { code: 'unavailable' },
    );
    expect(readdirSync(dir)).toEqual(['00000000', '00000001']);
  });

  test('what a crash left of a checkpoint or a repair is removed', async () => {
    const dir = await twoSegments();
    mkdirSync(join(dir, 'checkpoint.00000000.tmp'));
    writeFileSync(join(dir, '00000000.repair'), '');
    removeLogLeftovers(dir);
    expect(readdirSync(dir)).toEqual(['00000000', '00000001']);
  });

  test('damage in an old segment is passed over and counted', async () => {
    const dir = await twoSegments();
    const path = segmentPath(dir, 0);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const needed = { minTime: 0, series: () => true };
    const stats = await writeCheckpoint(dir, 0, needed, { ...options, slicer });
    expect(stats).toMatchObject({ damages: 1, seriesKept: 2, samplesKept: 2 });
  });

  test('an opening behind a checkpoint without segments goes on after it', async () => {
    const dir = await twoSegments();
    await writeCheckpoint(dir, 1, { minTime: 0, series: () => true }, { ...options, slicer });
    dropReplaced(dir, 1);
    const log = openLog(dir);
    expect(log.segment).toBe(2);
    await log.close();
  });
});
