// Random histories of a database against a plain model: whatever is appended, rolled back, refused, deleted,
// cleaned, cut, compacted, restarted or killed, it holds what the model holds.

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, openTestDb } from '../fakes/test-db.ts';

const MINUTE = 60_000;
const RANGE = 20 * MINUTE;

type Operation =
  | { readonly kind: 'append'; readonly series: number; readonly steps: readonly number[] }
  | { readonly kind: 'late'; readonly series: number; readonly back: readonly number[] }
  | { readonly kind: 'rollback'; readonly series: number }
  | { readonly kind: 'advance'; readonly minutes: number }
  | {
      readonly kind: 'delete';
      readonly series: readonly number[];
      readonly back: number;
      readonly minutes: number;
    }
  | { readonly kind: 'maintain' | 'restart' | 'crash' | 'clean' };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      series: fc.integer({ min: 0, max: 5 }),
      // Minutes from the series' newest sample on; 0 and less are duplicates and out of order.
      steps: fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('late' as const),
      series: fc.integer({ min: 0, max: 5 }),
      // Half minutes behind the newest sample of all.
      back: fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rollback' as const),
      series: fc.integer({ min: 0, max: 5 }),
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
    arbitrary: fc.record({
      kind: fc.constantFrom('maintain' as const, 'maintain', 'restart', 'crash', 'clean'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      series: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 }),
      // From so many minutes before the newest sample of all on.
      back: fc.integer({ min: -2, max: 120 }),
      minutes: fc.integer({ min: 0, max: 60 }),
    }),
  },
);

/** How samples out of order are taken. */
interface Window {
  readonly outOfOrderMs: number;
  /** The same time has the same value whenever it is appended. */
  readonly repeatable: boolean;
}

/** What the database should hold, by the rules of the roles and nothing else. */
class Model {
  readonly samples = new Map<number, Map<number, number>>();
  /** Newest sample in order, by series. */
  readonly lasts = new Map<number, number>();
  /** Series and times of the samples that were stored out of order. */
  readonly late = new Set<string>();
  /** Deleted ranges by series, both ends inclusive. */
  readonly deleted = new Map<number, [number, number][]>();
  /** Series and times that came late into a deleted range: nobody says whether they are hidden too. */
  readonly doubtful = new Set<string>();
  newest = Number.NEGATIVE_INFINITY;
  /** End of the newest block. */
  covered = Number.NEGATIVE_INFINITY;

  last(series: number): number {
    return this.lasts.get(series) ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Takes a batch of one series; how many samples count as stored. `unsure` more may: another value at the
   * time of a sample out of order, which may be in a block and is not looked for there after a restart; and
   * `doubted` more: those in a deleted range.
   */
  append(
    series: number,
    batch: readonly [time: number, value: number][],
    window: Window,
  ): { stored: number; unsure: number; doubted: number } {
    const minimum = Math.max(this.covered, this.newest - RANGE / 2);
    const known = Math.max(this.covered, this.newest);
    const samples = this.samples.get(series) ?? new Map<number, number>();
    this.samples.set(series, samples);
    const late: [number, number][] = [];
    let stored = 0;
    let unsure = 0;
    let doubted = 0;
    for (const [time, value] of batch) {
      if (time >= minimum && time > this.last(series)) {
        samples.set(time, value);
        this.lasts.set(series, time);
        this.newest = Math.max(this.newest, time);
        stored++;
      } else late.push([time, value]);
    }
    const newest = Number.isFinite(known) ? known : this.last(series);
    for (const [time, value] of late) {
      if (this.isDeleted(series, time)) {
        this.doubtful.add(`${series} ${time}`);
        samples.delete(time);
        doubted++;
        continue;
      }
      const equal = samples.get(time) === value;
      const isNewest = time === this.last(series) && time >= minimum;
      const taken = window.outOfOrderMs > 0 && time >= newest - window.outOfOrderMs;
      if (!taken && !(isNewest && equal)) continue;
      if (samples.has(time) && !equal) {
        if (this.late.has(`${series} ${time}`)) unsure++;
        continue;
      }
      if (!samples.has(time)) this.late.add(`${series} ${time}`);
      samples.set(time, value);
      stored++;
    }
    return { stored, unsure, doubted };
  }

  /** Deletes what there is; later samples are not concerned, but for those in doubt. */
  delete(series: number, from: number, to: number): void {
    const samples = this.samples.get(series);
    for (const time of samples?.keys() ?? []) if (time >= from && time <= to) samples?.delete(time);
    const ranges = this.deleted.get(series) ?? [];
    ranges.push([from, to]);
    this.deleted.set(series, ranges);
  }

  isDeleted(series: number, time: number): boolean {
    const ranges = this.deleted.get(series) ?? [];
    return ranges.some(([from, to]) => time >= from && time <= to);
  }

  /** What is read, without the samples in doubt. */
  withoutDoubtful(read: ReadonlyMap<string, string[]>): [string, string[]][] {
    return [...read]
      .map(([labels, texts]): [string, string[]] => {
        const series = /"(\d)"/.exec(labels)![1];
        const sure = texts.filter(text => !this.doubtful.has(`${series} ${text.split(':')[0]}`));
        return [labels, sure];
      })
      .filter(([, texts]) => texts.length > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  texts(): [string, string[]][] {
    return [...this.samples]
      .filter(([, samples]) => samples.size > 0)
      .map(([series, samples]): [string, string[]] => [
        `x{n="${series}"}`,
        [...samples].sort(([a], [b]) => a - b).map(([time, value]) => `${time}:${value}`),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

class Subject {
  readonly clock = new ManualClock(BLOCK_START);
  readonly model = new Model();
  dir = temporaryDirectory();
  db!: Db;
  readonly window: Window;
  #value = 0;
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
      jobs: inProcessJobs,
    });
  }

  async run(step: Operation): Promise<void> {
    if (step.kind === 'append') return this.append(step.series, step.steps);
    if (step.kind === 'late') return this.late(step.series, step.back);
    if (step.kind === 'rollback') return this.rollback(step.series);
    if (step.kind === 'advance') return this.clock.advance(step.minutes * MINUTE);
    if (step.kind === 'delete') return this.delete(step);
    if (step.kind !== 'maintain' && step.kind !== 'clean') {
      this.#restarted = true;
      // Ids of blocks are in order from one millisecond to the next, whoever gives them out.
      this.clock.advance(1);
    }
    if (step.kind === 'maintain') await this.db.maintain();
    else if (step.kind === 'clean') await this.db.cleanTombstones();
    else if (step.kind === 'restart') {
      await this.db.close();
      await this.open();
    } else await this.crash();
    const ends = this.db.blocks
      .filter(({ meta }) => !meta.compaction.hints.includes('from-out-of-order'))
      .map(({ meta }) => meta.maxTime);
    this.model.covered = Math.max(Number.NEGATIVE_INFINITY, ...ends);
  }

  async append(series: number, steps: readonly number[]): Promise<void> {
    let time = Math.max(this.clock.now(), this.model.last(series));
    await this.commit(
      series,
      steps.map(step => (time += step * MINUTE)),
    );
  }

  async late(series: number, back: readonly number[]): Promise<void> {
    const { newest } = this.model;
    if (!Number.isFinite(newest)) return;
    await this.commit(
      series,
      back.map(halves => newest - (halves * MINUTE) / 2),
    );
  }

  async commit(series: number, times: readonly number[]): Promise<void> {
    const appender = this.db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'x', n: String(series) }));
    const batch = times.map((time): [number, number] => [
      time,
      this.window.repeatable ? (time / 1000) % 10_007 : this.#value++,
    ]);
    for (const [time, value] of batch) appender.append(ref, time, value);
    const expected = this.model.append(series, batch, this.window);
    const { stored } = await appender.commit();
    expect(stored).toBeGreaterThanOrEqual(expected.stored);
    const unsure = this.#restarted ? expected.unsure : 0;
    expect(stored).toBeLessThanOrEqual(expected.stored + unsure + expected.doubted);
  }

  async delete(step: Operation & { kind: 'delete' }): Promise<void> {
    const { newest } = this.model;
    if (!Number.isFinite(newest)) return;
    const from = newest - step.back * MINUTE;
    const to = from + step.minutes * MINUTE;
    await this.db.delete(from, to, [new Matcher('=~', 'n', step.series.join('|'))]);
    for (const series of step.series) this.model.delete(series, from, to);
  }

  rollback(series: number): void {
    const appender = this.db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'x', n: String(series) }));
    appender.append(ref, this.clock.now() + 1e9, -1);
    appender.rollback();
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

const WINDOWS: readonly (readonly [string, Window])[] = [
  ['in order alone', { outOfOrderMs: 0, repeatable: false }],
  // Shorter than half a block's range: whatever is taken out of order can still be compared.
  ['out of order in the head', { outOfOrderMs: 9 * MINUTE, repeatable: false }],
  ['out of order into blocks', { outOfOrderMs: 90 * MINUTE, repeatable: true }],
];

test.each(WINDOWS)(
  'any history leaves what the model holds, %s',
  {
    timeout: 300_000,
  },
  async (_, window) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 80 }), async steps => {
        const subject = new Subject(window);
        await subject.open();
        try {
          for (const step of steps) await subject.run(step);
          const read = subject.model.withoutDoubtful(await contents(subject.db));
          expect(read).toEqual(subject.model.texts());
        } finally {
          await subject.db.close();
          rmSync(subject.dir, { recursive: true });
        }
      }),
      { numRuns: Number(process.env['OUTPOST_FUZZ_RUNS'] ?? 60) },
    );
  },
);
