// The arena against a model: for each series the list of its samples. Random operations, and after each the
// touched series must read the same; at the end all of them, their chunks included.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesArena } from '../../src/kernels/series-arena.ts';
import { encodeXor } from '../../src/kernels/xor.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { decodeXorTwin } from '../src/kernels/xor-twin.ts';

const RANGE = 1000;

interface Sample {
  readonly time: number;
  readonly value: number;
}

interface ModelSeries {
  readonly ref: number;
  samples: Sample[];
  last: Sample | null;
}

interface Op {
  readonly kind: 'create' | 'free' | 'append' | 'discard' | 'drop' | 'load' | 'read';
  readonly pick: number;
  readonly seed: number;
  readonly size: number;
}

const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constant('create' as const) },
    { weight: 12, arbitrary: fc.constant('append' as const) },
    {
      weight: 8,
      arbitrary: fc.constantFrom('free', 'discard', 'drop', 'load', 'read', 'read'),
    },
  ),
  pick: fc.nat(1000),
  seed: fc.nat(0xffff_ffff),
  size: fc.integer({ min: 1, max: 400 }),
});

/** Numbers below 2³² from a seed (xorshift). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed | 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

class Model {
  readonly arena = new SeriesArena({ chunkRangeMs: RANGE, samplesPerChunk: 20 });
  readonly series = new Map<number, ModelSeries>();
  #nextRef = 1;

  slotAt(pick: number): number | null {
    const slots = [...this.series.keys()];
    return slots.length === 0 ? null : slots[pick % slots.length]!;
  }

  create(): void {
    const ref = this.#nextRef++;
    const slot = this.arena.create(ref);
    expect(this.series.has(slot)).toBe(false);
    this.series.set(slot, { ref, samples: [], last: null });
  }

  /** Judges a random batch over all series and applies or discards it. */
  batch(seed: number, size: number, apply: boolean): void {
    const random = randomFrom(seed);
    const batch = this.arena.batch(size);
    const staged = new Map<number, Sample>();
    const expected: number[] = [];
    const accepted: [slot: number, sample: Sample][] = [];
    const minValidTime = random(3) === 0 ? random(5000) : -Infinity;
    for (let i = 0; i < size; i++) {
      const slot = this.slotAt(random(1000))!;
      const before = staged.get(slot) ?? this.series.get(slot)!.last;
      const sample: Sample = {
        time: (before?.time ?? random(2000)) + [1, 5, 15, 15, 15, 400, 0, -3][random(8)]!,
        value: random(4) === 0 ? Math.sin(random(1e6)) * 1e9 : random(5),
      };
      batch.slots[i] = slot;
      batch.times[i] = sample.time;
      batch.values[i] = sample.value;
      const status = verdict(sample, before, minValidTime);
      expected.push(status);
      if (status !== 0) continue;
      staged.set(slot, sample);
      accepted.push([slot, sample]);
    }
    expect(this.arena.judge(size, minValidTime)).toBe(accepted.length);
    expect([...batch.status.subarray(0, size)]).toEqual(expected);
    if (!apply) {
      this.arena.discard(size);
      return;
    }
    expect(this.arena.apply(size)).toBe(accepted.length);
    for (const [slot, sample] of accepted) {
      const series = this.series.get(slot)!;
      series.samples.push(sample);
      series.last = sample;
    }
  }

  drop(slot: number, seed: number): void {
    const series = this.series.get(slot)!;
    const last = series.last?.time ?? 0;
    const time = last - randomFrom(seed)(4000) + 500;
    // Whole chunks go: what is left begins with the first chunk that reaches the time.
    const kept = this.arena.chunks(slot, -Infinity, Infinity).filter(c => c.maxTime >= time);
    expect(this.arena.dropBefore(slot, time)).toBe(kept.length);
    const start = kept[0]?.minTime ?? Infinity;
    series.samples = series.samples.filter(sample => sample.time >= start);
  }

  load(slot: number, seed: number, size: number): void {
    const random = randomFrom(seed);
    const series = this.series.get(slot)!;
    let time = series.last?.time ?? 0;
    const samples = Array.from({ length: size }, () => {
      time += 1 + random(30);
      return { time, value: random(100) };
    });
    const times = Float64Array.from(samples, sample => sample.time);
    const values = Float64Array.from(samples, sample => sample.value);
    const data = encodeXor(times, values, 0, size);
    const chunk = { minTime: times[0]!, maxTime: times[size - 1]!, encoding: 1, data };
    expect(this.arena.loadChunk(slot, chunk)).toBe(size);
    series.samples.push(...samples);
    series.last = samples[size - 1]!;
  }

  expectReads(slot: number, minTime: number, maxTime: number): void {
    const out = new SampleColumns(1);
    this.arena.decodeInto(slot, minTime, maxTime, out);
    const expected = this.series
      .get(slot)!
      .samples.filter(({ time }) => time >= minTime && time <= maxTime);
    const actual = Array.from({ length: out.length }, (_, i) => ({
      time: out.times[i]!,
      value: out.values[i]!,
    }));
    expect(actual).toEqual(expected);
  }

  expectWhole(): void {
    let chunkCount = 0;
    for (const [slot, { ref, samples }] of this.series) {
      this.expectReads(slot, -Infinity, Infinity);
      const chunks = this.arena.chunks(slot, -Infinity, Infinity);
      chunkCount += chunks.length;
      const times = chunks.flatMap(chunk => [...decodeXorTwin(chunk.data).times]);
      expect(times).toEqual(samples.map(sample => sample.time));
      expect(this.arena.ref(slot)).toBe(ref);
      expect(this.arena.sampleCount(slot)).toBe(samples.length);
      expect(this.arena.minTime(slot)).toBe(samples[0]?.time ?? Infinity);
      expect(this.arena.maxTime(slot)).toBe(samples.at(-1)?.time ?? -Infinity);
    }
    expect(this.arena.chunkCount).toBe(chunkCount);
    expect(this.arena.seriesCount).toBe(this.series.size);
  }
}

function verdict(sample: Sample, before: Sample | null, minValidTime: number): number {
  if (sample.time < minValidTime) return 3;
  if (before === null || sample.time > before.time) return 0;
  if (sample.time < before.time) return 1;
  return Object.is(sample.value, before.value) ? 4 : 2;
}

function step(model: Model, { kind, pick, seed, size }: Op): void {
  const slot = model.slotAt(pick);
  if (kind === 'create' || slot === null) {
    model.create();
    return;
  }
  if (kind === 'append' || kind === 'discard') model.batch(seed, size, kind === 'append');
  if (kind === 'drop') model.drop(slot, seed);
  if (kind === 'load') model.load(slot, seed, size);
  if (kind === 'free') {
    model.arena.free(slot);
    model.series.delete(slot);
    return;
  }
  const random = randomFrom(seed + 1);
  const minTime = random(8000) - 1000;
  model.expectReads(slot, minTime, minTime + random(4000));
}

test('the arena reads like its model after any operations', () => {
  fc.assert(
    fc.property(fc.array(op, { minLength: 5, maxLength: 60 }), ops => {
      const model = new Model();
      for (const one of ops) step(model, one);
      model.expectWhole();
      for (const slot of model.series.keys()) model.arena.free(slot);
      expect([model.arena.seriesCount, model.arena.chunkCount]).toEqual([0, 0]);
    }),
    { numRuns: 120 },
  );
});
