// Random histories of series that hold floats, histograms of both kinds and staleness markers, against a
// plain model: whatever is appended, in order or late, deleted, cut, compacted, restarted or killed, it holds
// what the model holds.

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
import { isStaleAt, setStale } from '../../src/storage/stale.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { contentOf, histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, openTestDb } from '../fakes/test-db.ts';

const MINUTE = 60_000;
const RANGE = 20 * MINUTE;

const sample = fc.record({
  /** Minutes from the series' newest sample on; 0 and less are refused. */
  step: fc.integer({ min: -1, max: 4 }),
  kind: fc.constantFrom(
    'integer',
    'integer',
    'integer',
    'float-histogram',
    'float',
    'stale',
    // A staleness marker that may be late, as one of another sender's.
    'marker',
  ),
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
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('late' as const),
      series: fc.integer({ min: 0, max: 2 }),
      samples: fc.array(sample, { minLength: 1, maxLength: 20 }),
      // Half minutes behind the newest sample of all.
      back: fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 20, maxLength: 20 }),
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
  if (one.kind === 'stale' || one.kind === 'marker') return 'stale';
  if (one.kind === 'float') return String(one.count);
  const { counterResetHint, integer } = histogramOf(one);
  const gauge = counterResetHint === 'gauge';
  return JSON.stringify([gauge, integer ?? false, contentOf(histogramOf(one))]);
}

/** What tells a sample from another one at its time; hints do not. */
function identityOf(text: string): string {
  return text.replace(/^\[(true|false),/, '[');
}

/** How samples out of order are taken. */
interface Window {
  readonly outOfOrderMs: number;
  /** The same time has the same sample whenever it is appended. */
  readonly repeatable: boolean;
}

type Row = readonly [time: number, sample: Sample];

/** Time and text of the samples of each series. */
class Model {
  readonly samples = [0, 1, 2].map(() => new Map<number, string>());
  readonly lastTimes = [0, 1, 2].map(() => Number.NEGATIVE_INFINITY);
  /** Times of the samples that were stored out of order. */
  readonly late = [0, 1, 2].map(() => new Set<number>());
  newest = Number.NEGATIVE_INFINITY;
  covered = Number.NEGATIVE_INFINITY;

  /**
   * Takes a batch of one series; how many samples count as stored. `unsure` more may: another sample at the
   * time of one out of order, which may be in a block and is not looked for there after a restart.
   */
  append(series: number, batch: readonly Row[], window: Window) {
    const minimum = Math.max(this.covered, this.newest - RANGE / 2);
    const known = Math.max(this.covered, this.newest);
    const samples = this.samples[series]!;
    const late: Row[] = [];
    let stored = 0;
    let unsure = 0;
    for (const row of batch) {
      const [time, sample] = row;
      if (time >= minimum && time === this.lastTimes[series]) {
        if (this.isEqual(series, row)) stored++;
      } else if (time < minimum || time < this.lastTimes[series]!) late.push(row);
      else {
        samples.set(time, textOf(sample));
        this.lastTimes[series] = time;
        stored++;
      }
    }
    this.newest = Math.max(this.newest, this.lastTimes[series]!);
    const newest = Number.isFinite(known) ? known : this.lastTimes[series]!;
    // What ends a series in this batch does not end it late, whichever marker came from whom.
    const ends = batch.some(([, { kind }]) => kind === 'stale');
    for (const row of late) {
      const [time, { kind }] = row;
      const ending = kind === 'stale' || (ends && kind === 'marker');
      if (window.outOfOrderMs === 0 || time < newest - window.outOfOrderMs || ending) continue;
      if (!samples.has(time)) {
        samples.set(time, textOf(row[1]));
        this.late[series]!.add(time);
        stored++;
      } else if (this.isEqual(series, row)) stored++;
      else if (this.late[series]!.has(time)) unsure++;
    }
    return { stored, unsure };
  }

  /** Whether a sample is the one that is there at its time. */
  isEqual(series: number, [time, sample]: Row): boolean {
    return identityOf(this.samples[series]!.get(time) ?? '') === identityOf(textOf(sample));
  }

  /** What a reader of the series finds. */
  rows(series: number): [number, string][] {
    return [...this.samples[series]!].sort(([a], [b]) => a - b);
  }
}

class Subject {
  readonly clock = new ManualClock(BLOCK_START);
  readonly model = new Model();
  dir = temporaryDirectory();
  db!: Db;
  readonly window: Window;
  #restarted = false;

  constructor(window: Window) {
    this.window = window;
  }

  async open(): Promise<void> {
    this.db = await openTestDb(this.dir, {
      clock: this.clock,
      blockRangeMs: RANGE,
      compactedRangeMaxMs: 9 * RANGE,
      retentionMs: 0,
      futureMs: 1e12,
      outOfOrderMs: this.window.outOfOrderMs,
      logSegmentBytes: 32 * 1024,
    });
  }

  async run(step: Operation): Promise<void> {
    if (step.kind === 'append') return this.append(step.series, step.samples);
    if (step.kind === 'late') return this.late(step.series, step.samples, step.back);
    if (step.kind === 'delete') return this.delete(step.series, step.from, step.length);
    if (step.kind === 'advance') return this.clock.advance(step.minutes * MINUTE);
    if (step.kind !== 'maintain') {
      this.#restarted = true;
      // Ids of blocks are in order from one millisecond to the next, whoever gives them out.
      this.clock.advance(1);
    }
    if (step.kind === 'maintain') await this.db.maintain();
    else if (step.kind === 'restart') {
      await this.db.close();
      await this.open();
    } else await this.crash();
    const ends = this.db.blocks
      .filter(({ meta }) => !meta.compaction.hints.includes('from-out-of-order'))
      .map(({ meta }) => meta.maxTime);
    this.model.covered = Math.max(Number.NEGATIVE_INFINITY, ...ends);
  }

  async append(series: number, samples: readonly Sample[]): Promise<void> {
    let time = Math.max(this.clock.now(), this.model.lastTimes[series]!);
    const rows = samples.map((one): Row => {
      time += one.step * MINUTE;
      return [time, one];
    });
    await this.commit(series, rows);
  }

  async late(series: number, samples: readonly Sample[], back: readonly number[]): Promise<void> {
    const { newest } = this.model;
    if (!Number.isFinite(newest)) return;
    await this.commit(
      series,
      samples.map((one, i): Row => [newest - (back[i]! * MINUTE) / 2, one]),
    );
  }

  async commit(series: number, wanted: readonly Row[]): Promise<void> {
    const rows = wanted.map(([time, one]): Row => {
      return [time, this.window.repeatable ? sampleAt(time) : one];
    });
    const appender = this.db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'x', n: String(series) }));
    for (const [time, one] of rows) {
      if (one.kind === 'stale') appender.appendStale(ref, time);
      else if (one.kind === 'marker') {
        const marker = new Float64Array(1);
        setStale(marker, 0);
        appender.appendColumns(Uint32Array.of(ref), Float64Array.of(time), marker, 1);
      } else if (one.kind === 'float') appender.append(ref, time, one.count);
      else appender.appendHistogram(ref, time, histogramOf(one));
    }
    const expected = this.model.append(series, rows, this.window);
    const { stored } = await appender.commit();
    expect(stored).toBeGreaterThanOrEqual(expected.stored);
    const unsure = this.#restarted ? expected.unsure : 0;
    expect(stored).toBeLessThanOrEqual(expected.stored + unsure);
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

const KINDS = ['integer', 'float', 'float-histogram', 'integer', 'marker', 'integer'] as const;
const SHAPES = ['exponential', 'exponential', 'coarser', 'custom', 'exponential', 'gauge'] as const;

/** The sample that every sender has for a time. */
function sampleAt(time: number): Sample {
  const at = Math.round(time / 30_000);
  const runs = Math.floor(at / 3);
  return {
    step: 0,
    kind: KINDS[runs % KINDS.length]!,
    shape: SHAPES[Math.floor(at / 5) % SHAPES.length]!,
    buckets: [0, 1 + (at % 3), 4 + (at % 2)],
    count: 1 + (at % 997),
  };
}

const WINDOWS: readonly (readonly [string, Window, RegExp])[] = [
  ['in order alone', { outOfOrderMs: 0, repeatable: false }, /^/],
  // Shorter than half a block's range: whatever is taken out of order can still be compared. A deletion also
  // hides what comes into its range later, so that these histories have none.
  ['out of order in the head', { outOfOrderMs: 9 * MINUTE, repeatable: false }, /^(?!delete)/],
  ['out of order into blocks', { outOfOrderMs: 90 * MINUTE, repeatable: true }, /^(?!delete)/],
];

test.each(WINDOWS)(
  'any history of histograms leaves what the model holds, %s',
  { timeout: 600_000 },
  async (_, window, kinds) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60 }), async steps => {
        const subject = new Subject(window);
        await subject.open();
        try {
          for (const step of steps) if (kinds.test(step.kind)) await subject.run(step);
          for (const series of [0, 1, 2]) {
            expect(await subject.read(series)).toEqual(subject.model.rows(series));
          }
        } finally {
          await subject.db.close();
          rmSync(subject.dir, { recursive: true });
        }
      }),
      { numRuns: Number(process.env['OUTPOST_FUZZ_RUNS'] ?? 12) },
    );
  },
);
