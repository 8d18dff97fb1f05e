// Random histories of series that hold floats, histograms of both kinds and staleness markers, against a
// plain model: whatever is appended, deleted, cut, compacted, restarted or killed, it holds what the model
// holds.

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import type { CounterResetHint, FloatHistogram } from '../../src/storage/histogram.ts';
import { CUSTOM_BUCKETS_SCHEMA } from '../../src/storage/histogram.ts';
import { spansOf } from '../../src/storage/histogram-chunk/bucket-indices.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { isStaleAt } from '../../src/storage/stale.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { contentOf, histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, openTestDb } from '../fakes/test-db.ts';

const MINUTE = 60_000;
const RANGE = 20 * MINUTE;

const sample = fc.record({
  /** Minutes from the series' newest sample on; 0 and less are refused. */
  step: fc.integer({ min: -1, max: 4 }),
  kind: fc.constantFrom('integer', 'integer', 'integer', 'float-histogram', 'float', 'stale'),
  buckets: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }),
  count: fc.integer({ min: 1, max: 1000 }),
  shape: fc.constantFrom('exponential', 'exponential', 'coarser', 'custom', 'gauge'),
});

type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;

const operation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      series: fc.integer({ min: 0, max: 2 }),
      samples: fc.array(sample, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      series: fc.integer({ min: 0, max: 2 }),
      from: fc.integer({ min: 0, max: 60 }),
      length: fc.integer({ min: 0, max: 10 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      minutes: fc.integer({ min: 0, max: 40 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('maintain' as const, 'restart', 'crash') }),
  },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function histogramOf({ kind, buckets, count, shape }: Sample): FloatHistogram {
  const indices = [...buckets].sort((a, b) => a - b);
  const factor = kind === 'float-histogram' ? 0.5 : 1;
  const counts = Float64Array.from(indices, (index, i) => (count + index * i) * factor);
  const hint: CounterResetHint = shape === 'gauge' ? 'gauge' : 'unknown';
  const custom = shape === 'custom';
  return histogram({
    counterResetHint: hint,
    schema: custom ? CUSTOM_BUCKETS_SCHEMA : shape === 'coarser' ? 1 : 2,
    count: counts.reduce((sum, one) => sum + one, 0),
    sum: count * 1.5,
    positiveSpans: spansOf(indices),
    positiveBuckets: counts,
    customValues: Float64Array.from(custom ? [1, 2, 3, 4, 5, 6] : []),
    ...(kind === 'integer' ? { integer: true } : {}),
  });
}

/** What a sample is to a reader. */
function textOf(one: Sample): string {
  if (one.kind === 'stale') return 'stale';
  if (one.kind === 'float') return String(one.count);
  const { counterResetHint, integer } = histogramOf(one);
  const gauge = counterResetHint === 'gauge';
  return JSON.stringify([gauge, integer ?? false, contentOf(histogramOf(one))]);
}

/** Time and text of the samples of each series. */
class Model {
  readonly samples = [0, 1, 2].map(() => new Map<number, string>());
  readonly lastTimes = [0, 1, 2].map(() => Number.NEGATIVE_INFINITY);
  newest = Number.NEGATIVE_INFINITY;
  covered = Number.NEGATIVE_INFINITY;
}

class Subject {
  readonly clock = new ManualClock(BLOCK_START);
  readonly model = new Model();
  dir = temporaryDirectory();
  db!: Db;

  async open(): Promise<void> {
    this.db = await openTestDb(this.dir, {
      clock: this.clock,
      blockRangeMs: RANGE,
      compactedRangeMaxMs: 9 * RANGE,
      retentionMs: 0,
      futureMs: 1e12,
      outOfOrderMs: 0,
      logSegmentBytes: 32 * 1024,
    });
  }

  async run(step: Operation): Promise<void> {
    if (step.kind === 'append') return this.append(step.series, step.samples);
    if (step.kind === 'delete') return this.delete(step.series, step.from, step.length);
    if (step.kind === 'advance') return this.clock.advance(step.minutes * MINUTE);
    if (step.kind === 'maintain') await this.db.maintain();
    else if (step.kind === 'restart') {
      await this.db.close();
      await this.open();
    } else await this.crash();
    const ends = this.db.blocks.map(block => block.meta.maxTime);
    this.model.covered = Math.max(Number.NEGATIVE_INFINITY, ...ends);
  }

  async append(series: number, samples: readonly Sample[]): Promise<void> {
    const { model } = this;
    const minimum = Math.max(model.covered, model.newest - RANGE / 2);
    const appender = this.db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'x', n: String(series) }));
    let time = Math.max(this.clock.now(), model.lastTimes[series]!);
    const expected: string[] = [];
    for (const one of samples) {
      time += one.step * MINUTE;
      if (one.kind === 'stale') appender.appendStale(ref, time);
      else if (one.kind === 'float') appender.append(ref, time, one.count);
      else appender.appendHistogram(ref, time, histogramOf(one));
      if (time < minimum || time <= model.lastTimes[series]!) continue;
      expected.push(one.kind);
      model.samples[series]!.set(time, textOf(one));
      model.lastTimes[series] = time;
    }
    model.newest = Math.max(model.newest, ...model.lastTimes);
    const { stored } = await appender.commit();
    // A sample that repeats the newest one is no loss.
    expect(stored).toBeGreaterThanOrEqual(expected.length);
  }

  async delete(series: number, from: number, length: number): Promise<void> {
    const start = BLOCK_START + from * MINUTE;
    const end = start + length * MINUTE;
    await this.db.delete(start, end, [new Matcher('=', 'n', String(series))]);
    const samples = this.model.samples[series]!;
    for (const time of samples.keys()) if (time >= start && time <= end) samples.delete(time);
  }

  async read(series: number): Promise<[number, string][]> {
    const querier = this.db.querier(-Infinity, Infinity);
    const columns = new SampleColumns();
    const set = await querier.select([new Matcher('=', 'n', String(series))]);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const one of batch) one.samples(columns);
    }
    querier.close();
    return Array.from({ length: columns.length }, (_, i) => [
      columns.times[i]!,
      readText(columns, i),
    ]);
  }

  /** Opens what a killed process would have left: the files as they are, nothing closed. */
  async crash(): Promise<void> {
    const left = this.dir;
    this.dir = temporaryDirectory();
    cpSync(left, this.dir, { recursive: true });
    rmSync(join(this.dir, 'lock'));
    await this.db.close();
    rmSync(left, { recursive: true });
    await this.open();
  }
}

function readText(columns: SampleColumns, i: number): string {
  const found = columns.histograms?.[i];
  if (!found) return isStaleAt(columns.values, i) ? 'stale' : String(columns.values[i]);
  const gauge = found.counterResetHint === 'gauge';
  return JSON.stringify([gauge, found.integer ?? false, contentOf(found)]);
}

test('any history of histograms leaves what the model holds', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60 }), async steps => {
      const subject = new Subject();
      await subject.open();
      try {
        for (const step of steps) await subject.run(step);
        for (const series of [0, 1, 2]) {
          expect(await subject.read(series)).toEqual([...subject.model.samples[series]!]);
        }
      } finally {
        await subject.db.close();
        rmSync(subject.dir, { recursive: true });
      }
    }),
    { numRuns: Number(process.env['OUTPOST_FUZZ_RUNS'] ?? 20) },
  );
});
