// Native histograms in blocks and logs: those of a Prometheus (main at d15adb9ad7, with the samples of
// `prometheus-cases` sent to it), and our own.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../../src/labels/labels.ts';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { systemClock } from '../../../../src/lifecycle/clock.ts';
import { Slicer } from '../../../../src/lifecycle/slicer.ts';
import { encodeColumns } from '../../../../src/storage/encode-columns.ts';
import type { CounterResetHint } from '../../../../src/storage/histogram.ts';
import {
  FloatHistogramChunkAppender,
  HistogramChunkAppender,
} from '../../../../src/storage/histogram-chunk/appender.ts';
import { decodeHistograms } from '../../../../src/storage/histogram-chunk/decode.ts';
import { SampleColumns } from '../../../../src/storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series } from '../../../../src/storage/series.ts';
import { isStaleAt, setStale } from '../../../../src/storage/stale.ts';
import { Block } from '../../../../src/tsdb/block/block.ts';
import { writeBlock } from '../../../../src/tsdb/block/block-writer.ts';
import { dropIntervals } from '../../../../src/tsdb/block/deleted-samples.ts';
import { compactBlocks } from '../../../../src/tsdb/compact/compactor.ts';
import {
  decodeHistogramRecord,
  type HistogramRecordType,
  HistogramRecordWriter,
  LoggedHistograms,
} from '../../../../src/tsdb/wal/histogram-record.ts';
import { readSegment } from '../../../../src/tsdb/wal/log-reader.ts';
import { recordTypeName } from '../../../../src/tsdb/wal/record-type.ts';
import {
  contentOf,
  histogram,
  histogramOf,
  writtenCases,
} from '../../../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { ulids } from '../../../fakes/test-blocks.ts';

const fixtures = fileURLToPath(new URL('../fixtures/prometheus-histograms/', import.meta.url));
const RESETS: readonly CounterResetHint[] = ['unknown', 'not-reset', 'reset', 'gauge'];

/** What the visitor makes of each series of a block. */
async function visit(block: Block, visitor: (series: Series) => void): Promise<void> {
  const querier = block.querier(-1e15, 1e15);
  const set = await querier.select([]);
  for (let batch = await set.next(); batch; batch = await set.next()) batch.forEach(visitor);
  querier.close();
}

function contents(columns: SampleColumns): unknown[] {
  return Array.from({ length: columns.length }, (_, i) => [
    columns.times[i],
    isStaleAt(columns.values, i) ? 'stale' : contentOf(columns.histograms?.[i]),
  ]);
}

/** The chunk's samples in a chunk of ours. */
function writtenAnew(chunk: Chunk): Uint8Array {
  const samples = new SampleColumns();
  decodeHistograms(chunk, -Infinity, Infinity, samples);
  const float = chunk.encoding === ChunkEncoding.floatHistogram;
  const Appender = float ? FloatHistogramChunkAppender : HistogramChunkAppender;
  const out = new Appender(RESETS[chunk.data[2]! >> 6]);
  for (let i = 0; i < samples.length; i++) {
    expect(out.append(samples.times[i]!, samples.histograms?.[i] ?? null)).toBe(null);
  }
  return out.bytes();
}

describe("Prometheus' block", () => {
  test('is read sample by sample, and its chunks are written anew byte by byte', async () => {
    const cases = new Map(writtenCases('int', 'float').map(one => [one.name, one]));
    const block = await Block.open(join(fixtures, 'block'));
    const seen: string[] = [];
    let chunks = 0;
    let samples = 0;
    await visit(block, series => {
      const name = series.label('case');
      const out = new SampleColumns();
      series.samples(out);
      const sent = cases.get(name)!.samples;
      expect(contents(out)).toEqual(sent.map(s => [s.t, contentOf(histogramOf(s, false))]));
      for (const chunk of series.chunks()!) {
        expect(Buffer.compare(writtenAnew(chunk), chunk.data)).toBe(0);
        chunks++;
      }
      samples += out.length;
      seen.push(name);
    });
    await block.close();
    expect(seen).toEqual([
      'float counter',
      'float custom buckets',
      'float gauge',
      'integer counter',
      'integer custom buckets',
      'integer gauge',
    ]);
    expect([chunks, samples]).toEqual([26, 42]);
    expect(block.meta.stats).toMatchObject({ numChunks: 26, numHistogramSamples: 42 });
  });
});

test("the records of Prometheus' log are read, and written anew byte by byte", async () => {
  const names: string[] = [];
  const logged = new LoggedHistograms();
  const writer = new HistogramRecordWriter();
  let samples = 0;
  const reading = await readSegment(
    join(fixtures, '00000000'),
    record => {
      const type = record[0]!;
      names.push(recordTypeName(type));
      if (type === 1) return;
      decodeHistogramRecord(record, logged);
      const again = writer.encode(type as HistogramRecordType, logged, () => true);
      expect(Buffer.compare(again!, record)).toBe(0);
      samples += logged.length;
    },
    new Slicer(systemClock.monotonic),
  );
  expect(reading.damages).toEqual([]);
  expect(names.filter(name => name !== 'series')).toEqual([
    'histograms',
    'float-histograms',
    'histograms',
    'float-histograms',
    'custom-bucket-histograms',
    'custom-bucket-float-histograms',
  ]);
  expect(samples).toBe(42);
});

describe('a block of ours', () => {
  const columns = new SampleColumns(1);
  const add = (sample: number | 'stale' | 'float'): void => {
    const at = columns.length;
    columns.push(at * 1000, 7);
    if (sample === 'stale') setStale(columns.values, at);
    if (typeof sample !== 'number') return;
    const one = histogram({ count: sample, zeroCount: sample, zeroThreshold: 1, integer: true });
    (columns.histograms ??= [])[at] = one;
  };
  for (const sample of [1, 2, 3, 'stale', 'float', 4, 5, 'stale', 'float', 'float'] as const) {
    add(sample);
  }

  async function write(): Promise<Block> {
    const dir = temporaryDirectory();
    const series = [{ labels: Labels.fromObject({ a: 'b' }), chunks: encodeColumns(columns) }];
    const options = { ulid: ulids.next(), minTime: 0, maxTime: 10_000, level: 1 };
    const meta = await writeBlock(dir, series, options);
    expect(meta!.stats).toMatchObject({ numHistogramSamples: 7, numFloatSamples: 3, numChunks: 4 });
    return Block.open(join(dir, meta!.ulid));
  }

  /** Counts of histograms, values of floats. */
  async function read(block: Block): Promise<string> {
    const out: string[] = [];
    await visit(block, series => {
      const samples = new SampleColumns();
      series.samples(samples);
      for (let i = 0; i < samples.length; i++) {
        const value = samples.histograms?.[i]?.count ?? `f${samples.values[i]}`;
        out.push(`${samples.times[i]! / 1000}:${isStaleAt(samples.values, i) ? 'stale' : value}`);
      }
    });
    return out.join(' ');
  }

  test('mixes histograms, floats and markers', async () => {
    const block = await write();
    expect(await read(block)).toBe('0:1 1:2 2:3 3:stale 4:f7 5:4 6:5 7:stale 8:f7 9:f7');
    await block.close();
  });

  test('loses what is deleted and nothing else', async () => {
    const block = await write();
    const all = [new Matcher('=', 'a', 'b')];
    await block.delete(0, 1000, all);
    expect(await read(block)).toBe('2:3 3:stale 4:f7 5:4 6:5 7:stale 8:f7 9:f7');
    await block.delete(5000, 5000, all);
    expect(await read(block)).toBe('2:3 3:stale 4:f7 6:5 7:stale 8:f7 9:f7');
    await block.close();
  });
});

describe('histograms that exist only decoded', () => {
  const labels = Labels.fromObject({ a: 'b' });

  function counts(from: number, ...values: readonly number[]): SampleColumns {
    const out = new SampleColumns(values.length);
    for (const [i, count] of values.entries()) {
      out.push(from + i * 1000, 0);
      const one = histogram({ count, zeroCount: count, zeroThreshold: 1, integer: true });
      (out.histograms ??= [])[i] = one;
    }
    return out;
  }

  async function blockOf(dir: string, columns: SampleColumns): Promise<string> {
    const series = [{ labels, chunks: encodeColumns(columns) }];
    const options = { ulid: ulids.next(), minTime: 0, maxTime: 1e6, level: 1 };
    return join(dir, (await writeBlock(dir, series, options))!.ulid);
  }

  /** Time, count and hint of each sample. */
  async function read(dir: string): Promise<string[]> {
    const block = await Block.open(dir);
    const out: string[] = [];
    await visit(block, series => {
      const samples = new SampleColumns();
      series.samples(samples);
      for (let i = 0; i < samples.length; i++) {
        const { count, counterResetHint } = samples.histograms![i]!;
        out.push(`${samples.times[i]! / 1000}:${count} ${counterResetHint}`);
      }
    });
    await block.close();
    return out;
  }

  test('are compacted where blocks overlap, and no hint outlives its neighbour', async () => {
    const dir = temporaryDirectory();
    const a = await blockOf(dir, counts(0, 10, 20, 30));
    const b = await blockOf(dir, counts(500, 11, 5, 6));
    const meta = await compactBlocks([a, b], dir, { ulid: ulids.next() });
    expect(meta!.stats).toMatchObject({ numHistogramSamples: 6, numFloatSamples: 0 });
    const merged = join(dir, meta!.ulid);
    expect(await read(merged)).toEqual([
      '0:10 unknown',
      '0.5:11 not-reset',
      '1:20 not-reset',
      '1.5:5 unknown',
      '2:30 not-reset',
      '2.5:6 unknown',
    ]);
  });

  test('are compacted without what is deleted', async () => {
    const dir = temporaryDirectory();
    const path = await blockOf(dir, counts(0, 10, 5, 6, 7));
    const block = await Block.open(path);
    await block.delete(1000, 1000, []);
    await block.close();
    expect(await read(path)).toEqual(['0:10 unknown', '2:6 unknown', '3:7 not-reset']);
    const meta = await compactBlocks([path], dir, { ulid: ulids.next() });
    expect(await read(join(dir, meta!.ulid))).toEqual([
      '0:10 unknown',
      '2:6 unknown',
      '3:7 not-reset',
    ]);
  });
});

test('start times move with the samples that deletions leave', () => {
  const columns = new SampleColumns();
  for (let i = 0; i < 5; i++) {
    columns.push(i, i);
    (columns.startTimes ??= [])[i] = i * 10;
  }
  dropIntervals(columns, 0, [{ minTime: 1, maxTime: 2 }]);
  expect(columns.startTimes).toEqual([0, 30, 40]);
});
