// From chunks to columns: trimming, refusals, and series backed by chunks.

import { describe, expect, test } from 'vitest';
import { encodeXor } from '../../../src/kernels/xor.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { ChunkSeries, decodeChunk } from '../../../src/storage/chunks.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { type Chunk, ChunkEncoding } from '../../../src/storage/series.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';

/** A chunk with a sample at each time whose value is a tenth of it. */
function chunkAt(...times: number[]): Chunk {
  const values = times.map(time => time / 10);
  return {
    minTime: times[0]!,
    maxTime: times[times.length - 1]!,
    encoding: ChunkEncoding.xor,
    data: encodeXor(Float64Array.from(times), Float64Array.from(values), 0, times.length),
  };
}

function timesOf(chunk: Chunk, minTime: number, maxTime: number): number[] {
  const out = new SampleColumns();
  decodeChunk(chunk, minTime, maxTime, out);
  return [...out.times.subarray(0, out.length)];
}

describe('decodeChunk', () => {
  const chunk = chunkAt(10, 20, 30);

  test.each([
    ['the whole chunk', -Infinity, Infinity, [10, 20, 30]],
    ['both ends, inclusive', 10, 30, [10, 20, 30]],
    ['from the middle', 11, 99, [20, 30]],
    ['to the middle', 0, 29, [10, 20]],
    ['one sample', 20, 20, [20]],
    ['a range between samples', 21, 29, []],
    ['a fractional end', 20, 29.5, [20]],
    ['a range before', 0, 9, []],
    ['a range behind', 31, 40, []],
    ['an empty range', 30, 10, []],
  ])('%s', (_, minTime, maxTime, expected) => {
    expect(timesOf(chunk, minTime, maxTime)).toEqual(expected);
  });

  test('appends behind what is there', () => {
    const out = new SampleColumns(1);
    out.push(1, 1);
    decodeChunk(chunk, 20, 30, out);
    expect([...out.values.subarray(0, out.length)]).toEqual([1, 2, 3]);
  });

  test('a chunk of no samples adds none', () => {
    const empty = { ...chunk, data: Uint8Array.of(0, 0) };
    expect(timesOf(empty, -Infinity, Infinity)).toEqual([]);
  });

  test('staleness markers survive', () => {
    const values = Float64Array.of(1, 0);
    setStale(values, 1);
    const data = encodeXor(Float64Array.of(1, 2), values, 0, 2);
    const out = new SampleColumns();
    decodeChunk({ ...chunk, data }, 0, 10, out);
    expect([isStaleAt(out.values, 0), isStaleAt(out.values, 1)]).toEqual([false, true]);
  });

  test('another encoding is an execution error that names it', () => {
    const aggregate = { ...chunk, encoding: ChunkEncoding.aggregate };
    expect(() => timesOf(aggregate, 0, 1)).toThrow(
      expect.objectContaining({
        code: 'execution',
        message: expect.stringContaining('aggregate (encoding 255)'),
      }),
    );
    expect(() => timesOf({ ...chunk, encoding: 77 }, 0, 1)).toThrow(/this is encoding 77/);
  });

  test('damaged data is corrupt', () => {
    const cut = { ...chunk, data: chunk.data.subarray(0, 12) };
    expect(() => timesOf(cut, 0, 1)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});

describe('ChunkSeries', () => {
  const labels = Labels.fromObject({ __name__: 'up', job: 'node' });

  test('reads the chunks of its range and trims them', () => {
    const chunks = [chunkAt(10, 20), chunkAt(30, 40), chunkAt(50, 60)];
    const series = new ChunkSeries(labels, chunks, 20, 30);
    const out = new SampleColumns();
    series.samples(out);
    expect([...out.times.subarray(0, out.length)]).toEqual([20, 30]);
    expect(series.chunks()).toBe(chunks);
    expect(series.label('job')).toBe('node');
  });

  test('does not decode chunks outside its range', () => {
    const damaged = { ...chunkAt(50, 60), data: new Uint8Array(0) };
    const out = new SampleColumns();
    new ChunkSeries(labels, [chunkAt(10, 20), damaged], 0, 49).samples(out);
    expect(out.length).toBe(2);
  });
});
