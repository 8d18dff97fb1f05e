import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { ChainedSeries, MergeScratch, mergeTail } from '../../../src/storage/chained-series.ts';
import { withoutReset } from '../../../src/storage/histogram-chunk/chunk-header.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series } from '../../../src/storage/series.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';

const times = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });
const STALE = 0x7ff0000000000002n;

function ascending(run: readonly number[]): number[] {
  return [...run].sort((a, b) => a - b);
}

/** Bits that tell the run and the time; every seventh is a staleness marker. */
function bitsOf(run: number, time: number): bigint {
  return time % 7 === 0 ? STALE : BigInt(run * 1000 + time);
}

function append(out: SampleColumns, run: number, at: readonly number[]): void {
  const values = new Float64Array(BigUint64Array.from(at, time => bitsOf(run, time)).buffer);
  out.append(Float64Array.from(at), values, 0, at.length);
}

describe('mergeTail', () => {
  test('joins runs in place, the first of equal times stays, bits are kept', () => {
    fc.assert(
      fc.property(times, fc.array(times, { maxLength: 5 }), times, (before, runs, first) => {
        const out = new SampleColumns(0);
        const scratch = new MergeScratch();
        append(out, 99, before);
        const start = out.length;
        const model = new Map<number, bigint>();
        for (const [run, at] of [first, ...runs].entries()) {
          const middle = out.length;
          append(out, run, ascending(at));
          mergeTail(out, start, middle, scratch);
          for (const time of at) if (!model.has(time)) model.set(time, bitsOf(run, time));
        }
        const bits = new BigUint64Array(out.values.buffer);
        const read = Array.from({ length: out.length }, (_, i) => [out.times[i], bits[i]]);
        expect(read.slice(0, start)).toEqual(before.map(time => [time, bitsOf(99, time)]));
        expect(read.slice(start)).toEqual([...model].sort(([a], [b]) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  test('doubts the resets of histograms that get other neighbours', () => {
    const out = new SampleColumns(0);
    const add = (time: number): void => {
      out.push(time, 0);
      (out.histograms ??= [])[out.length - 1] = histogram({ counterResetHint: 'not-reset' });
    };
    for (const time of [1, 3, 4, 6]) add(time);
    add(5);
    mergeTail(out, 0, 4, new MergeScratch());
    const read = Array.from({ length: out.length }, (_, i) => {
      return [out.times[i], out.histograms![i]!.counterResetHint];
    });
    expect(read).toEqual([
      [1, 'unknown'],
      [3, 'not-reset'],
      [4, 'not-reset'],
      [5, 'unknown'],
      [6, 'unknown'],
    ]);
  });
});

function chunk(time: number, flag: number, encoding: number = ChunkEncoding.histogram): Chunk {
  return { minTime: time, maxTime: time, encoding, data: Uint8Array.of(0, 1, flag, 9) };
}

function seriesOf(chunks: readonly Chunk[]): Series {
  return { labels: Labels.empty, label: () => '', chunks: () => chunks, samples() {} };
}

const [UNKNOWN, NOT_RESET, RESET, GAUGE] = [0x00, 0x40, 0x80, 0xc0];

describe('chunks of several parts', () => {
  const flags = (parts: readonly (readonly Chunk[])[]): number[] =>
    new ChainedSeries(parts.map(seriesOf), new MergeScratch())
      .chunks()!
      .map(({ data }) => data[2]!);

  test('keep what they say of resets where the parts follow one another', () => {
    const parts = [[chunk(1, NOT_RESET), chunk(2, RESET)], [chunk(3, NOT_RESET)]];
    expect(flags(parts)).toEqual([NOT_RESET, RESET, NOT_RESET]);
  });

  test('say no more of resets where they come to stand behind one of another part', () => {
    const parts = [
      [chunk(1, NOT_RESET), chunk(2, RESET), chunk(4, NOT_RESET), chunk(6, GAUGE)],
      [chunk(3, RESET), chunk(5, NOT_RESET)],
    ];
    expect(flags(parts)).toEqual([NOT_RESET, RESET, UNKNOWN, UNKNOWN, UNKNOWN, GAUGE]);
    expect(parts[0]![2]!.data[2]).toBe(NOT_RESET);
  });

  test('are left alone where they hold no counters', () => {
    const floats = chunk(1, RESET, ChunkEncoding.xor);
    expect(withoutReset(floats)).toBe(floats);
    expect(withoutReset(chunk(1, GAUGE)).data[2]).toBe(GAUGE);
  });
});
