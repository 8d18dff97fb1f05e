// Columns of floats and histograms, written as chunks and read again.

import { expect, test } from 'vitest';
import { decodeChunk } from '../../../src/storage/chunks.ts';
import { encodeColumns } from '../../../src/storage/encode-columns.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { type Chunk, ChunkEncoding } from '../../../src/storage/series.ts';
import { setStale } from '../../../src/storage/stale.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';

const { xor, histogram: integer, floatHistogram } = ChunkEncoding;

/** Columns of floats, histograms and markers, a second apart. */
function columnsOf(...samples: readonly (number | FloatHistogram | 'stale')[]): SampleColumns {
  const out = new SampleColumns(1);
  for (const sample of samples) {
    const at = out.length;
    out.push(at * 1000, typeof sample === 'number' ? sample : 0);
    if (sample === 'stale') setStale(out.values, at);
    else if (typeof sample === 'object') (out.histograms ??= [])[at] = sample;
  }
  return out;
}

function shapes(chunks: readonly Chunk[]): number[][] {
  return chunks.map(chunk => [chunk.encoding, chunk.minTime / 1000, chunk.maxTime / 1000]);
}

/** Each sample as text, bits of the float included. */
function read(chunks: readonly Chunk[]): string[] {
  const out = new SampleColumns();
  for (const chunk of chunks) decodeChunk(chunk, -Infinity, Infinity, out);
  return lines(out);
}

function lines(columns: SampleColumns): string[] {
  const view = new DataView(columns.values.buffer);
  return Array.from({ length: columns.length }, (_, i) => {
    const one = columns.histograms?.[i];
    const value = one ? `${one.count} of ${one.sum}` : view.getBigUint64(i * 8, true).toString(16);
    return `${columns.times[i]} ${value}`;
  });
}

const whole = (count: number) =>
  histogram({ count, zeroCount: count, zeroThreshold: 1, integer: true });
const parts = (count: number) => histogram({ count, zeroCount: count, zeroThreshold: 1 });

test('each kind of sample gets its own chunks, and a marker stays with what it ends', () => {
  const columns = columnsOf(
    1,
    'stale',
    whole(1),
    whole(2),
    'stale',
    3,
    parts(4),
    'stale',
    whole(5),
  );
  const chunks = encodeColumns(columns);
  expect(shapes(chunks)).toEqual([
    [xor, 0, 1],
    [integer, 2, 4],
    [xor, 5, 5],
    [floatHistogram, 6, 7],
    [integer, 8, 8],
  ]);
  expect(read(chunks)).toEqual(lines(columns));
});

test('a chunk has at most 120 samples, of either kind', () => {
  const floats = columnsOf(...Array.from({ length: 250 }, (_, i) => i));
  const histograms = columnsOf(...Array.from({ length: 250 }, (_, i) => whole(i)));
  for (const columns of [floats, histograms]) {
    const chunks = encodeColumns(columns);
    expect(chunks.map(({ minTime, maxTime }) => [minTime / 1000, maxTime / 1000])).toEqual([
      [0, 119],
      [120, 239],
      [240, 249],
    ]);
    expect(read(chunks)).toEqual(lines(columns));
  }
});

test('headers say whether a chunk begins with a reset', () => {
  const samples = [...Array.from({ length: 121 }, (_, i) => whole(i + 2)), whole(1)];
  const chunks = encodeColumns(columnsOf(...samples));
  expect(chunks.map(({ data }) => data[2]! >> 6)).toEqual([0b00, 0b01, 0b10]);
});

test('counts that are not whole are written as floats, whatever the sample says of itself', () => {
  const columns = columnsOf({ ...parts(1.5), integer: true });
  expect(shapes(encodeColumns(columns))).toEqual([[floatHistogram, 0, 0]]);
});

test('no samples are no chunks', () => {
  expect(encodeColumns(new SampleColumns())).toEqual([]);
});
