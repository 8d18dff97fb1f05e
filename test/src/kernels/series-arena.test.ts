// The arena as the head sees it: judgement, cutting, reading, dropping, memory. Expectations are literal.

import { describe, expect, test } from 'vitest';
import {
  type ArenaChunk,
  BATCH_SAMPLES_MAX,
  SampleStatus,
  SeriesArena,
} from '../../../src/kernels/series-arena.ts';
import { encodeXor } from '../../../src/kernels/xor.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';
import { decodeXorTwin } from './xor-twin.ts';

const HOUR = 3_600_000;
const TWO_HOURS = 2 * HOUR;

type Row = readonly [slot: number, time: number, value: number];

function newArena(options: { samplesPerChunk?: number; maxBytes?: number } = {}): SeriesArena {
  return new SeriesArena({ chunkRangeMs: TWO_HOURS, ...options });
}

function fill(arena: SeriesArena, rows: readonly Row[]): void {
  const batch = arena.batch(rows.length);
  rows.forEach(([slot, time, value], i) => {
    batch.slots[i] = slot;
    batch.times[i] = time;
    batch.values[i] = value;
  });
}

/** Judges the rows and returns their statuses; the batch is left open. */
function judge(arena: SeriesArena, rows: readonly Row[], minValidTime = -Infinity): number[] {
  fill(arena, rows);
  arena.judge(rows.length, minValidTime);
  return [...arena.batch(rows.length).status.subarray(0, rows.length)];
}

function append(arena: SeriesArena, rows: readonly Row[]): number {
  judge(arena, rows);
  return arena.apply(rows.length);
}

function read(
  arena: SeriesArena,
  slot: number,
  minTime = -Infinity,
  maxTime = Infinity,
): number[][] {
  const out = new SampleColumns();
  arena.decodeInto(slot, minTime, maxTime, out);
  return Array.from({ length: out.length }, (_, i) => [out.times[i]!, out.values[i]!]);
}

/** The chunks' ranges and sample counts. */
function shape(arena: SeriesArena, slot: number): number[][] {
  return arena
    .chunks(slot, -Infinity, Infinity)
    .map(({ minTime, maxTime, data }) => [minTime, maxTime, decodeXorTwin(data).times.length]);
}

function every(slot: number, step: number, start: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => [slot, start + i * step, i]);
}

function chunkOf(times: number[], values: number[] = times): ArenaChunk {
  const data = encodeXor(Float64Array.from(times), Float64Array.from(values), 0, times.length);
  return { minTime: times[0] ?? 0, maxTime: times.at(-1) ?? 0, encoding: 1, data };
}

describe('judge', () => {
  test('a series without samples takes any time that is not too old', () => {
    const arena = newArena();
    const slot = arena.create(1);
    expect(judge(arena, [[slot, 999, 1]], 1000)).toEqual([SampleStatus.outOfBounds]);
    expect(judge(arena, [[slot, 1000, 1]], 1000)).toEqual([SampleStatus.accepted]);
  });

  test.each([
    ['newer', 101, 5, SampleStatus.accepted],
    ['the same', 100, 5, SampleStatus.identical],
    ['another value', 100, 6, SampleStatus.duplicate],
    ['older', 99, 5, SampleStatus.outOfOrder],
    ['too old', 49, 5, SampleStatus.outOfBounds],
    ['no time at all', Number.NaN, 5, SampleStatus.outOfBounds],
    ['an infinite time', Infinity, 5, SampleStatus.outOfBounds],
    ['a time past exact integers', 2 ** 53, 5, SampleStatus.outOfBounds],
  ])('after a sample at 100: %s', (_, time, value, status) => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, [[slot, 100, 5]]);
    expect(judge(arena, [[slot, time, value]], 50)).toEqual([status]);
  });

  test('values are compared by bits: zeros differ by sign, equal NaNs are identical', () => {
    const arena = newArena();
    const a = arena.create(1);
    const b = arena.create(2);
    append(arena, [
      [a, 100, 0],
      [b, 100, Number.NaN],
    ]);
    expect(
      judge(arena, [
        [a, 100, -0],
        [b, 100, Number.NaN],
      ]),
    ).toEqual([SampleStatus.duplicate, SampleStatus.identical]);
  });

  test('samples of one series in a batch are judged against each other', () => {
    const arena = newArena();
    const a = arena.create(1);
    const b = arena.create(2);
    append(arena, [[a, 10, 1]]);
    const rows: Row[] = [
      [a, 20, 2], // accepted
      [b, 15, 7], // accepted: another series
      [a, 20, 2], // identical to the staged one
      [a, 20, 3], // duplicate of the staged one
      [a, 15, 2], // older than the staged one
      [a, 30, 3], // accepted
      [a, 20, 2], // older again
      [b, 15, 7], // identical
    ];
    expect(judge(arena, rows)).toEqual([0, 0, 4, 2, 1, 0, 1, 4]);
    expect(arena.apply(rows.length)).toBe(3);
    expect(read(arena, a)).toEqual([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
    expect(read(arena, b)).toEqual([[15, 7]]);
  });

  test('slots that were freed or never made have no series', () => {
    const arena = newArena();
    const slot = arena.create(1);
    arena.free(slot);
    expect(
      judge(arena, [
        [slot, 1, 1],
        [77, 1, 1],
        [2 ** 32 - 1, 1, 1],
      ]),
    ).toEqual([5, 5, 5]);
    expect(arena.apply(3)).toBe(0);
  });

  test('states the range of accepted times', () => {
    const arena = newArena();
    const slot = arena.create(1);
    judge(
      arena,
      [
        [slot, 5, 1],
        [slot, 3, 1],
        [slot, 9, 1],
        [99, 1000, 1],
      ],
      0,
    );
    expect([arena.acceptedMinTime, arena.acceptedMaxTime]).toEqual([5, 9]);
    judge(arena, []);
    expect([arena.acceptedMinTime, arena.acceptedMaxTime]).toEqual([Infinity, -Infinity]);
  });

  test('judging a batch again after more was filled in starts over', () => {
    const arena = newArena();
    const slot = arena.create(1);
    expect(
      judge(arena, [
        [slot, 1, 1],
        [slot, 2, 2],
      ]),
    ).toEqual([0, 0]);
    expect(
      judge(arena, [
        [slot, 1, 1],
        [slot, 2, 2],
        [slot, 3, 3],
      ]),
    ).toEqual([0, 0, 0]);
    expect(arena.apply(3)).toBe(3);
    expect(arena.sampleCount(slot)).toBe(3);
  });

  test('a judgement that is discarded leaves no trace', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, [[slot, 1, 1]]);
    judge(arena, [[slot, 9, 9]]);
    arena.discard(1);
    expect(judge(arena, [[slot, 5, 5]])).toEqual([SampleStatus.accepted]);
    arena.apply(1);
    expect(read(arena, slot)).toEqual([
      [1, 1],
      [5, 5],
    ]);
    arena.discard(0);
  });

  test('a batch keeps its columns while it grows', () => {
    const arena = newArena();
    const slot = arena.create(1);
    fill(arena, every(slot, 1000, 0, 700));
    const batch = arena.batch(5000);
    for (let i = 700; i < 5000; i++) {
      batch.slots[i] = slot;
      batch.times[i] = i * 1000;
      batch.values[i] = i;
    }
    expect(arena.judge(5000, 0)).toBe(5000);
    arena.apply(5000);
    expect(read(arena, slot)).toEqual(every(slot, 1000, 0, 5000).map(row => row.slice(1)));
  });

  test('misuse is a bug', () => {
    const arena = newArena();
    const slot = arena.create(1);
    fill(arena, [[slot, 1, 1]]);
    expect(() => arena.apply(1)).toThrow(/BUG/);
    expect(() => arena.judge(1_000_000, 0)).toThrow(/BUG/);
    arena.judge(1, 0);
    expect(() => arena.encodeSamples(2)).toThrow(/BUG/);
    expect(() => arena.free(slot)).toThrow(/BUG: free of slot 0: empty or staged/);
    expect(() => arena.batch(BATCH_SAMPLES_MAX + 1)).toThrow(/BUG/);
    arena.discard(1);
    arena.free(slot);
    expect(() => arena.free(slot)).toThrow(/BUG/);
  });
});

describe('encodeSamples', () => {
  test('writes accepted samples as a record of the write-ahead log', () => {
    const arena = newArena();
    const a = arena.create(300);
    const b = arena.create(7);
    judge(arena, [
      [a, 1000, 1],
      [a, 1000, 2],
      [b, 999, -2],
      [a, 1064, 0.5],
    ]);
    expect(Buffer.from(arena.encodeSamples(4)).toString('hex')).toBe(
      '02' + // samples
        '000000000000012c' + // base reference 300
        '00000000000003e8' + // base time 1000
        '00' +
        '00' +
        '3ff0000000000000' +
        'c904' +
        '01' +
        'c000000000000000' + // 7 − 300 = −293, −1 ms
        '00' +
        '8001' +
        '3fe0000000000000', // +64 ms
    );
    expect(arena.apply(4)).toBe(3);
  });

  test('is empty where nothing was accepted', () => {
    const arena = newArena();
    judge(arena, [[0, 1, 1]]);
    expect(arena.encodeSamples(1)).toHaveLength(0);
  });

  test('keeps references past 32 bits, times before 1970 and staleness markers', () => {
    const arena = newArena();
    const slot = arena.create(2 ** 40 + 3);
    fill(arena, [[slot, -5, 0]]);
    setStale(arena.batch(1).values, 0);
    arena.judge(1, -Infinity);
    expect(Buffer.from(arena.encodeSamples(1)).toString('hex')).toBe(
      '02' + '0000010000000003' + 'fffffffffffffffb' + '0000' + '7ff0000000000002',
    );
    expect(arena.ref(slot)).toBe(2 ** 40 + 3);
  });
});

describe('chunk cutting', () => {
  test('a scrape every 15 s gives four chunks of 120 samples in two hours', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, every(slot, 15_000, 0, 481));
    expect(shape(arena, slot)).toEqual([
      [0, 1_785_000, 120],
      [1_800_000, 3_585_000, 120],
      [3_600_000, 5_385_000, 120],
      [5_400_000, 7_185_000, 120],
      [7_200_000, 7_200_000, 1],
    ]);
  });

  test('the end is estimated anew after a quarter of the samples', () => {
    const arena = newArena();
    const slot = arena.create(1);
    // After 30 samples at 10 s the range holds 6 such quarters and a bit: 7200/(290.001·4) = 6.2.
    append(arena, every(slot, 10_000, 0, 300));
    expect(shape(arena, slot).map(([minTime]) => minTime)).toEqual([0, 1_200_000, 2_400_000]);
  });

  test('a chunk ends with its aligned range, also before 1970', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, every(slot, HOUR, -3 * HOUR, 6));
    expect(shape(arena, slot)).toEqual([
      [-3 * HOUR, -3 * HOUR, 1],
      [-2 * HOUR, -HOUR, 2],
      [0, HOUR, 2],
      [2 * HOUR, 2 * HOUR, 1],
    ]);
  });

  test('a chunk never has more than twice the wanted samples', () => {
    const arena = newArena({ samplesPerChunk: 8 });
    const slot = arena.create(1);
    // Two far samples delay the estimated end; then samples come fast.
    append(arena, [
      [slot, 0, 0],
      [slot, 1_000_000, 0],
    ]);
    append(arena, every(slot, 1, 1_000_001, 40));
    expect(shape(arena, slot)[0]).toEqual([0, 1_000_014, 16]);
  });

  test('a chunk is cut by bytes below 1 KiB', () => {
    const arena = newArena();
    const slot = arena.create(1);
    const rows = every(slot, 15_000, 0, 240).map(
      ([, time], i): Row => [slot, time + ((i * 7919) % 9000), Math.sin(i) * 10 ** (i % 300)],
    );
    append(arena, rows);
    const chunks = arena.chunks(slot, -Infinity, Infinity);
    const sizes = chunks.map(chunk => chunk.data.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024);
    // All but the open one were cut because another sample might not have fitted.
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(1024 - 19);
    expect(read(arena, slot)).toEqual(rows.map(row => row.slice(1)));
  });

  test('chunks are the bytes that encoding their samples gives', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, every(slot, 15_000, 0, 300));
    for (const chunk of arena.chunks(slot, -Infinity, Infinity)) {
      const { times, values } = decodeXorTwin(chunk.data);
      expect(chunk.data).toEqual(encodeXor(times, values, 0, times.length));
    }
  });
});

describe('reading', () => {
  const arena = newArena();
  const slot = arena.create(1);
  append(arena, every(slot, 15_000, 0, 250));

  test.each([
    ['everything', -Infinity, Infinity, 250, [0, 3_735_000]],
    ['both ends, inclusive', 15_000, 45_000, 3, [15_000, 45_000]],
    ['across chunks', 1_784_999, 1_815_000, 3, [1_785_000, 1_815_000]],
    ['inside the open chunk', 3_700_000, 3_710_000, 1, [3_705_000, 3_705_000]],
    ['a fractional end', 0, 15_000.5, 2, [0, 15_000]],
  ])('%s', (_, minTime, maxTime, count, ends) => {
    const samples = read(arena, slot, minTime, maxTime);
    expect(samples).toHaveLength(count);
    expect([samples[0]![0], samples.at(-1)![0]]).toEqual(ends);
  });

  test.each([
    ['between samples', 1, 14_999, true],
    ['between chunks', 1_785_001, 1_799_999, false],
    ['before', -10, -1, false],
    ['behind', 3_735_001, Infinity, false],
  ])('nothing is found %s', (_, minTime, maxTime, chunkOverlaps) => {
    expect(read(arena, slot, minTime, maxTime)).toEqual([]);
    expect(arena.hasSamplesIn(slot, minTime, maxTime)).toBe(chunkOverlaps);
    expect(arena.chunks(slot, minTime, maxTime)).toHaveLength(chunkOverlaps ? 1 : 0);
  });

  test('many slots are asked for their newest sample at once', () => {
    const many = newArena();
    const slots = Uint32Array.from({ length: 1500 }, (_, i) => many.create(i));
    for (const s of slots) append(many, every(s, 15_000, s * 1000, 130));
    const times = new Float64Array(slots.length);
    const range = { minTime: 2_000_000, maxTime: 2_400_000 };
    many.newestIn(slots, slots.length, range, times);
    many.readAhead(slots.subarray(0, 64), range.minTime, range.maxTime);
    for (const s of slots) {
      const isIn = many.hasSamplesIn(s, range.minTime, range.maxTime);
      expect(times[s]).toBe(isIn ? many.maxTime(s) : -Infinity);
    }
    expect([times[0], times[64], times[65], times[500]]).toEqual([
      -Infinity,
      -Infinity,
      2_000_000,
      2_435_000,
    ]);
    many.free(3);
    many.newestIn(slots, 5, range, times);
    expect(times[3]).toBe(-Infinity);
    many.readAhead(slots.subarray(0, 5), range.minTime, range.maxTime);
  });

  test('appends behind what the sink holds', () => {
    const out = new SampleColumns();
    out.push(-1, -1);
    arena.decodeInto(slot, 0, 15_000, out);
    expect([...out.times.subarray(0, out.length)]).toEqual([-1, 0, 15_000]);
  });

  test('ends and counts of a series', () => {
    expect([arena.minTime(slot), arena.maxTime(slot), arena.sampleCount(slot)]).toEqual([
      0, 3_735_000, 250,
    ]);
    expect([arena.seriesCount, arena.chunkCount]).toEqual([1, 3]);
  });

  test('the newest sample is copied bit by bit', () => {
    const stale = newArena();
    const gone = stale.create(1);
    const times = new Float64Array(1);
    const values = new Float64Array(1);
    expect(stale.last(gone, times, values)).toBe(false);
    fill(stale, [[gone, 5, 0]]);
    setStale(stale.batch(1).values, 0);
    stale.judge(1, 0);
    stale.apply(1);
    expect(stale.last(gone, times, values)).toBe(true);
    expect([times[0], isStaleAt(values, 0)]).toEqual([5, true]);
  });

  test('chunks that were handed out do not change with the arena', () => {
    const own = newArena();
    const one = own.create(1);
    append(own, [[one, 1, 1]]);
    const before = own.chunks(one, 0, 10)[0]!;
    append(own, [[one, 2, 2]]);
    own.free(one);
    append(own, every(own.create(2), 1000, 0, 500));
    expect(decodeXorTwin(before.data).times).toEqual(Float64Array.of(1));
  });

  test('a series of more samples than the columns hold is read in several pieces', () => {
    const long = newArena();
    const one = long.create(1);
    append(long, every(one, 15_000, 0, 200_000));
    const samples = read(long, one, 30_000, 15_000 * 199_997);
    expect(samples).toHaveLength(199_996);
    expect(samples.every(([time], i) => time === 30_000 + i * 15_000)).toBe(true);
  });
});

describe('dropBefore', () => {
  test.each([
    ['nothing ends before the first chunk', 1_785_000, 3, 0],
    ['the first chunk ends before the time', 1_785_001, 2, 1_800_000],
    ['two chunks end before the time', 3_600_000, 1, 3_600_000],
    ['the open chunk goes when it ended', 3_735_001, 0, Infinity],
  ])('%s', (_, time, left, minTime) => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, every(slot, 15_000, 0, 250));
    expect(arena.dropBefore(slot, time)).toBe(left);
    expect([arena.minTime(slot), arena.chunkCount]).toEqual([minTime, left]);
    expect(read(arena, slot)[0]?.[0] ?? Infinity).toBe(minTime);
  });

  test('an emptied series still refuses what is not newer', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, [[slot, 100, 1]]);
    arena.dropBefore(slot, 1000);
    expect(
      judge(arena, [
        [slot, 100, 1],
        [slot, 50, 1],
        [slot, 101, 1],
      ]),
    ).toEqual([4, 1, 0]);
    arena.apply(3);
    expect(read(arena, slot)).toEqual([[101, 1]]);
  });

  test('a staged sample is applied although its chunk is dropped meanwhile', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, [[slot, 100, 1]]);
    judge(arena, [[slot, 200, 2]]);
    expect(arena.dropBefore(slot, 150)).toBe(0);
    arena.apply(1);
    expect(read(arena, slot)).toEqual([[200, 2]]);
  });
});

describe('slots and memory', () => {
  test('slots are dense, and a freed one serves the next series afresh', () => {
    const arena = newArena();
    expect([arena.create(10), arena.create(20), arena.create(30)]).toEqual([0, 1, 2]);
    append(arena, every(1, 15_000, 0, 300));
    arena.free(1);
    expect([arena.ref(1), arena.seriesCount, arena.chunkCount]).toEqual([-1, 2, 0]);
    expect(arena.create(40)).toBe(1);
    expect([arena.ref(1), arena.minTime(1), arena.maxTime(1)]).toEqual([40, Infinity, -Infinity]);
    append(arena, [[1, 5, 5]]);
    expect(read(arena, 1)).toEqual([[5, 5]]);
    expect(arena.create(50)).toBe(3);
  });

  test('memory that was freed is used again, whatever the sizes', () => {
    const arena = newArena();
    const bytes: number[] = [];
    for (let round = 0; round < 6; round++) {
      const slots = Array.from({ length: 300 }, (_, i) => arena.create(i));
      // Rounds differ in bytes a sample, and so in size classes.
      for (let k = 0; k < 200; k++)
        append(
          arena,
          slots.map((slot): Row => [slot, k * 15_000, round % 2 ? Math.sin(slot * k) : 1]),
        );
      for (const slot of slots) arena.free(slot);
      bytes.push(arena.bytesInUse);
    }
    expect(new Set(bytes).size).toBe(1);
    expect(arena.chunkCount).toBe(0);
    expect(arena.bytesAllocated).toBeLessThan(8_000_000);
  });

  test('gaps that freed series leave among others are filled', () => {
    const arena = newArena();
    const create = (count: number): void => {
      append(
        arena,
        Array.from({ length: count }, (_, i): Row => [arena.create(i), 1, 1]),
      );
    };
    create(40_000);
    const before = arena.bytesAllocated;
    for (let round = 0; round < 3; round++) {
      for (let slot = 1; slot < 40_000; slot += 2) arena.free(slot);
      create(20_000);
    }
    // Chunks for twenty thousand series would not fit into what the last grow left over.
    expect(arena.bytesAllocated).toBe(before);
  });

  test('a full memory refuses batches and series, keeps what it has and recovers', () => {
    const arena = newArena({ maxBytes: 6_000_000 });
    const slots: number[] = [];
    let refused: unknown;
    for (let k = 0; refused === undefined && k < 100; k++) {
      try {
        for (let i = 0; i < 50; i++) slots.push(arena.create(slots.length));
        append(
          arena,
          slots.flatMap((slot): Row[] => [[slot, k * 9_000_000, Math.sin(slot)]]),
        );
        for (let j = 1; j < 200; j++)
          append(
            arena,
            slots.map((slot): Row => [slot, k * 9_000_000 + j * 999, Math.sin(slot * j)]),
          );
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: 'limit-exceeded' });
    expect(arena.bytesAllocated).toBeLessThanOrEqual(6_000_000);
    expect(read(arena, 0).length).toBeGreaterThan(200);
    for (const slot of slots) arena.dropBefore(slot, Infinity);
    expect(append(arena, [[0, 1e12, 1]])).toBe(1);
  });

  test('several arenas do not share state', () => {
    const a = newArena();
    const b = newArena();
    append(a, [[a.create(1), 1, 1]]);
    expect([b.seriesCount, b.create(9), b.sampleCount(0)]).toEqual([0, 0, 0]);
  });

  test('an open series of constant value takes a slot and 96 bytes', () => {
    const arena = newArena();
    const slots = Array.from({ length: 1024 }, (_, i) => arena.create(i));
    const empty = arena.batch(1024) && arena.bytesInUse;
    for (let k = 0; k < 100; k++)
      append(
        arena,
        slots.map((slot): Row => [slot, k * 15_000, 7]),
      );
    expect(arena.bytesInUse - empty).toBe(1024 * 96);
  });
});

describe('loadChunk', () => {
  test('history comes back before new samples', () => {
    const arena = newArena();
    const slot = arena.create(1);
    expect(arena.loadChunk(slot, chunkOf([1, 2, 3]))).toBe(3);
    expect(arena.loadChunk(slot, chunkOf([5, 8]))).toBe(2);
    expect(
      judge(arena, [
        [slot, 8, 8],
        [slot, 7, 7],
        [slot, 9, 9],
      ]),
    ).toEqual([4, 1, 0]);
    arena.apply(3);
    expect(shape(arena, slot)).toEqual([
      [1, 3, 3],
      [5, 8, 2],
      [9, 9, 1],
    ]);
    expect(read(arena, slot, 2, 8)).toEqual([
      [2, 2],
      [3, 3],
      [5, 5],
      [8, 8],
    ]);
  });

  test('an open chunk is closed before it', () => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, [[slot, 1, 1]]);
    arena.loadChunk(slot, chunkOf([2, 3]));
    append(arena, [[slot, 4, 4]]);
    expect(shape(arena, slot)).toEqual([
      [1, 1, 1],
      [2, 3, 2],
      [4, 4, 1],
    ]);
  });

  test('a chunk of 65,000 samples is held', () => {
    const arena = newArena();
    const slot = arena.create(1);
    const times = Array.from({ length: 65_000 }, (_, i) => i * 10);
    const constant = chunkOf(
      times,
      times.map(() => 4),
    );
    expect(arena.loadChunk(slot, constant)).toBe(65_000);
    expect(arena.loadChunk(slot, chunkOf([650_000, 650_001]))).toBe(2);
    expect(read(arena, slot, 649_985, 650_000)).toEqual([
      [649_990, 4],
      [650_000, 650_000],
    ]);
  });

  const good = chunkOf([10, 20, 30]);
  test.each([
    ['truncated', { ...good, data: good.data.subarray(0, 15) }, 'corrupt'],
    ['without samples', { ...good, data: new Uint8Array(2) }, 'corrupt'],
    ['whose times do not ascend', chunkOf([10, 30, 30]), 'corrupt'],
    ['of another range', { ...good, maxTime: 31 }, 'corrupt'],
    ['past exact times', { ...chunkOf([10, 2 ** 53]) }, 'corrupt'],
    ['not newer than the series', chunkOf([5, 20]), 'out-of-order'],
    ['of another encoding', { ...good, encoding: 2 }, 'execution'],
    ['over 16 KiB', { ...good, data: new Uint8Array(20_000) }, 'limit-exceeded'],
    ['over 49 days', chunkOf([10, 5e9]), 'limit-exceeded'],
  ])('a chunk %s is refused and changes nothing', (_, chunk, code) => {
    const arena = newArena();
    const slot = arena.create(1);
    append(arena, [[slot, 5, 5]]);
    expect(() => arena.loadChunk(slot, chunk)).toThrow(expect.objectContaining({ code }));
    expect(shape(arena, slot)).toEqual([[5, 5, 1]]);
    expect(append(arena, [[slot, 6, 6]])).toBe(1);
    expect(shape(arena, slot)).toEqual([[5, 6, 2]]);
  });

  test('a slot without series takes none', () => {
    expect(() => newArena().loadChunk(3, good)).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
