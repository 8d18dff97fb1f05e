// Chunks of native histograms against what Prometheus writes, and one decision at a time.

import { describe, expect, test } from 'vitest';
import type { CounterResetHint, FloatHistogram } from '../../../../src/storage/histogram.ts';
import {
  FloatHistogramChunkAppender,
  HistogramChunkAppender,
  hasIntegerCounts,
} from '../../../../src/storage/histogram-chunk/appender.ts';
import {
  decodeFloatHistogramChunk,
  decodeHistogramChunk,
  decodeHistograms,
} from '../../../../src/storage/histogram-chunk/decode.ts';
import { reduceResolution } from '../../../../src/storage/histogram-chunk/resolution.ts';
import { SampleColumns } from '../../../../src/storage/samples.ts';
import { ChunkEncoding } from '../../../../src/storage/series.ts';
import { isStaleAt } from '../../../../src/storage/stale.ts';
import {
  contentOf,
  histogram,
  histogramOf,
  writtenCases,
} from '../../../fakes/prometheus-cases.ts';

const RESETS: readonly CounterResetHint[] = ['unknown', 'not-reset', 'reset', 'gauge'];

function appenderOf(float: boolean, reset?: CounterResetHint) {
  return float ? new FloatHistogramChunkAppender(reset) : new HistogramChunkAppender(reset);
}

/** The payloads that samples are cut into, in hex. */
function encode(
  float: boolean,
  samples: readonly (readonly [time: number, histogram: FloatHistogram | null])[],
): string[] {
  const chunks: string[] = [];
  let chunk = appenderOf(float);
  for (const [time, sample] of samples) {
    const reset = chunk.append(time, sample);
    if (reset === null) continue;
    chunks.push(Buffer.from(chunk.bytes()).toString('hex'));
    chunk = appenderOf(float, reset);
    expect(chunk.append(time, sample)).toBe(null);
  }
  return [...chunks, Buffer.from(chunk.bytes()).toString('hex')];
}

function decode(encoding: number, chunks: readonly string[]): SampleColumns {
  const out = new SampleColumns(4);
  for (const hex of chunks) {
    decodeHistograms({ data: Buffer.from(hex, 'hex'), encoding }, -Infinity, Infinity, out);
  }
  return out;
}

function decodeAll(data: Uint8Array, encoding: number): void {
  decodeHistograms({ data, encoding }, -Infinity, Infinity, new SampleColumns());
}

/** Histograms by sample; a staleness marker has none, and its bits in the float. */
function samplesOf(columns: SampleColumns): (FloatHistogram | null)[] {
  return Array.from({ length: columns.length }, (_, i) => {
    const sample = columns.histograms?.[i] ?? null;
    expect(isStaleAt(columns.values, i)).toBe(sample === null);
    return sample;
  });
}

const ENCODINGS = {
  int: ChunkEncoding.histogram,
  float: ChunkEncoding.floatHistogram,
  intST: ChunkEncoding.histogramStartTime,
  floatST: ChunkEncoding.floatHistogramStartTime,
} as const;

describe('what Prometheus writes', () => {
  test.each(writtenCases('int', 'float'))('$name: the same bytes', one => {
    const float = one.kind === 'float';
    const samples = one.samples.map(s => [s.t, histogramOf(s, !float)] as const);
    expect(encode(float, samples)).toEqual(one.bytes);
  });

  test.each(writtenCases('int', 'float', 'intST', 'floatST'))('$name: is read', one => {
    const integer = one.kind.startsWith('int');
    const columns = decode(ENCODINGS[one.kind as keyof typeof ENCODINGS], one.bytes);
    expect([...columns.times.subarray(0, columns.length)]).toEqual(one.samples.map(s => s.t));
    expect(one.samples.map((_, i) => columns.startTimes?.[i])).toEqual(one.samples.map(s => s.st));
    const samples = samplesOf(columns);
    expect(samples.map(contentOf)).toEqual(one.samples.map(s => contentOf(histogramOf(s, false))));
    expect(samples.every(s => s === null || (s.integer ?? false) === integer)).toBe(true);
  });

  test.each(writtenCases('int', 'float'))('$name: is written back byte by byte', one => {
    const float = one.kind === 'float';
    for (const hex of one.bytes) {
      const columns = decode(float ? ChunkEncoding.floatHistogram : ChunkEncoding.histogram, [hex]);
      const chunk = appenderOf(float, RESETS[Number.parseInt(hex.slice(4, 6), 16) >> 6]);
      samplesOf(columns).forEach((sample, i) => {
        expect(chunk.append(columns.times[i]!, sample)).toBe(null);
      });
      expect(Buffer.from(chunk.bytes()).toString('hex')).toBe(hex);
      expect([chunk.count, chunk.size]).toEqual([columns.length, hex.length / 2]);
      expect([chunk.minTime, chunk.maxTime]).toEqual([
        columns.times[0],
        columns.times[columns.length - 1],
      ]);
    }
  });
});

describe('a counter reset hint', () => {
  const sample = histogram({ count: 1, zeroCount: 1, zeroThreshold: 0.5 });

  test('is known within a chunk and unknown at its start', () => {
    const chunk = new HistogramChunkAppender('not-reset');
    for (const time of [1, 2, 3]) chunk.append(time, sample);
    const out = new SampleColumns();
    decodeHistogramChunk(chunk.bytes(), out);
    expect(out.histograms!.map(h => h!.counterResetHint)).toEqual([
      'unknown',
      'not-reset',
      'not-reset',
    ]);
  });

  test('of a gauge stays', () => {
    const chunk = new FloatHistogramChunkAppender();
    chunk.append(1, { ...sample, counterResetHint: 'gauge' });
    chunk.append(2, { ...sample, counterResetHint: 'gauge', count: 0.5, zeroCount: 0.5 });
    const out = new SampleColumns();
    decodeFloatHistogramChunk(chunk.bytes(), out);
    expect(out.histograms!.map(h => h!.counterResetHint)).toEqual(['gauge', 'gauge']);
  });
});

describe('a chunk ends', () => {
  const first = histogram({
    schema: 3,
    zeroThreshold: 0.25,
    zeroCount: 2,
    count: 9,
    sum: 4,
    positiveSpans: [{ offset: 1, length: 2 }],
    positiveBuckets: Float64Array.of(3, 4),
  });
  const custom = histogram({
    schema: -53,
    count: 3,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(3),
    customValues: Float64Array.of(1, 2),
  });

  test.each<[string, FloatHistogram, Partial<FloatHistogram>, CounterResetHint]>([
    ['the count falls', first, { count: 8 }, 'reset'],
    ['the zero bucket falls', first, { zeroCount: 1 }, 'reset'],
    ['a bucket falls', first, { positiveBuckets: Float64Array.of(3, 3) }, 'reset'],
    ['a used bucket is gone', first, { positiveSpans: [{ offset: 1, length: 1 }] }, 'reset'],
    ['a reset is announced', first, { counterResetHint: 'reset' }, 'reset'],
    ['the schema changes', first, { schema: 2 }, 'unknown'],
    ['the zero threshold changes', first, { zeroThreshold: 0.5 }, 'unknown'],
    ['a gauge follows', first, { counterResetHint: 'gauge' }, 'gauge'],
    ['the bounds change', custom, { customValues: Float64Array.of(1, 3) }, 'reset'],
    ['there are fewer bounds', custom, { customValues: Float64Array.of(1) }, 'reset'],
  ])('when %s', (_, before, change, expected) => {
    for (const chunk of [new HistogramChunkAppender(), new FloatHistogramChunkAppender()]) {
      chunk.append(1000, before);
      const { size } = chunk;
      expect(chunk.append(2000, { ...before, ...change })).toBe(expected);
      expect(chunk.resetBefore({ ...before, ...change })).toBe(expected);
      expect([chunk.count, chunk.size, chunk.maxTime]).toEqual([1, size, 1000]);
    }
  });

  test('behind a staleness marker, but not before a second one', () => {
    const chunk = new HistogramChunkAppender();
    chunk.append(1, first);
    expect(chunk.append(2, null)).toBe(null);
    expect(chunk.append(3, null)).toBe(null);
    expect(chunk.append(4, first)).toBe('unknown');
  });

  test('for nothing else: then its successor has seen no reset', () => {
    const chunk = new FloatHistogramChunkAppender();
    chunk.append(1, first);
    expect(chunk.append(2, { ...first, count: 10 })).toBe(null);
    expect(chunk.resetBefore({ ...first, count: 11 })).toBe('not-reset');
    expect(chunk.resetBefore({ ...first, count: 9 })).toBe('reset');
  });
});

test('a marker ends a series of gauges in their own chunk', () => {
  const chunk = new HistogramChunkAppender();
  chunk.append(1, histogram({ counterResetHint: 'gauge', count: 1 }));
  expect(chunk.append(2, null)).toBe(null);
  expect(chunk.append(3, histogram({ counterResetHint: 'gauge', count: 1 }))).toBe('gauge');
});

test('every power of two is a short zero threshold, and anything else is exact', () => {
  const thresholds = [0, 0.001, 3, Number.MIN_VALUE, 2 ** -244, 2 ** 11, 2 ** 10 + 1];
  for (let exponent = -243; exponent <= 10; exponent++) thresholds.push(2 ** exponent);
  for (const zeroThreshold of thresholds) {
    const chunk = new HistogramChunkAppender();
    chunk.append(0, histogram({ zeroThreshold }));
    const exponent = Math.log2(zeroThreshold);
    const short = zeroThreshold === 0 || (exponent >= -243 && exponent <= 10 && exponent % 1 === 0);
    expect([zeroThreshold, chunk.size < 20]).toEqual([zeroThreshold, short]);
    const out = new SampleColumns();
    decodeHistogramChunk(chunk.bytes(), out);
    expect(out.histograms![0]!.zeroThreshold).toBe(zeroThreshold);
  }
});

test('a range takes its samples only', () => {
  const chunk = new HistogramChunkAppender();
  for (let i = 1; i <= 5; i++) chunk.append(i * 10, histogram({ count: i, zeroCount: i }));
  const out = new SampleColumns();
  out.push(1, 1);
  decodeHistograms({ data: chunk.bytes(), encoding: chunk.encoding }, 20, 39, out);
  expect([...out.times.subarray(0, out.length)]).toEqual([1, 20, 30]);
  expect(out.histograms!.map(h => h?.count)).toEqual([undefined, 2, 3]);
});

test('finer schemas than readers know are made coarser', () => {
  const fine = histogram({
    schema: 9,
    count: 10,
    positiveSpans: [
      { offset: -3, length: 3 },
      { offset: 1, length: 3 },
    ],
    positiveBuckets: Float64Array.of(1, 2, 3, 1, 2, 1),
  });
  const chunk = new FloatHistogramChunkAppender();
  chunk.append(5, fine);
  const out = new SampleColumns();
  decodeFloatHistogramChunk(chunk.bytes(), out);
  // Indices −3 −2 −1 1 2 3 become −1 −1 0 1 1 2.
  const coarse = {
    ...fine,
    schema: 8,
    positiveSpans: [{ offset: -1, length: 4 }],
    positiveBuckets: Float64Array.of(3, 3, 3, 1),
  };
  expect(out.histograms![0]).toEqual(coarse);
  expect(contentOf(reduceResolution(fine, 7))).toMatchObject({
    schema: 7,
    positive: { 0: 6, 1: 4 },
  });
});

test('whole counts to 2^50 fit into an integer chunk', () => {
  expect(hasIntegerCounts(histogram({ count: 2 ** 50 }))).toBe(true);
  expect(hasIntegerCounts(histogram({ count: 2 ** 50 + 1 }))).toBe(false);
  expect(hasIntegerCounts(histogram({ zeroCount: 0.5 }))).toBe(false);
  expect(hasIntegerCounts(histogram({ positiveBuckets: Float64Array.of(-1) }))).toBe(false);
  expect(hasIntegerCounts(histogram({ negativeBuckets: Float64Array.of(Number.NaN) }))).toBe(false);
  const huge = (last: number) =>
    histogram({
      count: 2 ** 50,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: Float64Array.of(2 ** 50 - last, last),
      counterResetHint: 'gauge',
    });
  const chunk = new HistogramChunkAppender();
  const lasts = [0, 2 ** 50, 0, 2 ** 50 - 1, 1];
  lasts.forEach((last, i) => void chunk.append(i, huge(last)));
  const out = new SampleColumns();
  decodeHistogramChunk(chunk.bytes(), out);
  expect(out.histograms!.map(h => h!.positiveBuckets[1])).toEqual(lasts);
});

describe('a damaged chunk is corrupt', () => {
  test.each([
    ['no header', '0001', 'it has 2 bytes'],
    ['more samples than bits', 'ffff00740000', 'it has 6 bytes for '],
    ['nothing behind its header', '000100', 'it has 3 bytes for 1 samples'],
    ['schema 53', '00010000e1a8000000', 'it has the unknown schema 53'],
    ['33,554,431 spans', '000100007effffff80', 'it has 33554431 spans'],
    ['a span of 511 buckets', '0001000047bfe00000', 'it has a span of 511 buckets'],
    ['spans out of order', '000100004a28dc000000', 'it has a span at offset -1'],
  ])('%s', (_, hex, message) => {
    const data = Buffer.from(hex, 'hex');
    for (const encoding of [ChunkEncoding.histogram, ChunkEncoding.floatHistogram]) {
      expect(() => decodeAll(data, encoding)).toThrow(
        expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(message) }),
      );
    }
  });

  test.each(writtenCases('int', 'float', 'intST', 'floatST'))('$name, cut anywhere', one => {
    const encoding = ENCODINGS[one.kind as keyof typeof ENCODINGS];
    const whole = Buffer.from(one.bytes[0]!, 'hex');
    for (let size = 0; size < whole.length; size++) {
      expect(() => decodeAll(whole.subarray(0, size), encoding)).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      );
    }
  });

  test('a chunk without samples has none', () => {
    const out = new SampleColumns();
    decodeHistogramChunk(Uint8Array.of(0, 0, 0), out);
    expect(out.length).toBe(0);
  });
});
