// Random histories of a database against a plain model: whatever is appended, rolled back, refused, cut,
// compacted, restarted or killed, it holds what the model holds.

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, openTestDb } from '../fakes/test-db.ts';

const MINUTE = 60_000;
const RANGE = 20 * MINUTE;

type Operation =
  | { readonly kind: 'append'; readonly series: number; readonly steps: readonly number[] }
  | { readonly kind: 'rollback'; readonly series: number }
  | { readonly kind: 'advance'; readonly minutes: number }
  | { readonly kind: 'maintain' | 'restart' | 'crash' };

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
    arbitrary: fc.record({ kind: fc.constantFrom('maintain' as const, 'restart', 'crash') }),
  },
);

/** What the database should hold, by the rules of the roles and nothing else. */
class Model {
  readonly samples = new Map<number, Map<number, number>>();
  newest = Number.NEGATIVE_INFINITY;
  /** End of the newest block. */
  covered = Number.NEGATIVE_INFINITY;

  last(series: number): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...(this.samples.get(series)?.keys() ?? []));
  }

  texts(): [string, string[]][] {
    return [...this.samples]
      .filter(([, samples]) => samples.size > 0)
      .map(([series, samples]): [string, string[]] => [
        `x{n="${series}"}`,
        [...samples].map(([time, value]) => `${time}:${value}`),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

class Subject {
  readonly clock = new ManualClock(BLOCK_START);
  readonly model = new Model();
  dir = temporaryDirectory();
  db!: Db;
  #value = 0;

  async open(): Promise<void> {
    this.db = await openTestDb(this.dir, {
      clock: this.clock,
      blockRangeMs: RANGE,
      compactedRangeMaxMs: 9 * RANGE,
      retentionMs: 0,
      futureMs: 1e12,
      logSegmentBytes: 32 * 1024,
    });
  }

  async run(step: Operation): Promise<void> {
    if (step.kind === 'append') return this.append(step.series, step.steps);
    if (step.kind === 'rollback') return this.rollback(step.series);
    if (step.kind === 'advance') return this.clock.advance(step.minutes * MINUTE);
    if (step.kind === 'maintain') await this.db.maintain();
    else if (step.kind === 'restart') {
      await this.db.close();
      await this.open();
    } else await this.crash();
    this.model.covered = Math.max(
      Number.NEGATIVE_INFINITY,
      ...this.db.blocks.map(block => block.meta.maxTime),
    );
  }

  async append(series: number, steps: readonly number[]): Promise<void> {
    const { model } = this;
    const minimum = Math.max(model.covered, model.newest - RANGE / 2);
    const appender = this.db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'x', n: String(series) }));
    const samples = model.samples.get(series) ?? new Map<number, number>();
    model.samples.set(series, samples);
    let time = Math.max(this.clock.now(), model.last(series));
    let expected = 0;
    for (const step of steps) {
      time += step * MINUTE;
      const value = this.#value++;
      appender.append(ref, time, value);
      if (time < minimum || time <= model.last(series)) continue;
      samples.set(time, value);
      model.newest = Math.max(model.newest, time);
      expected++;
    }
    expect((await appender.commit()).stored).toBe(expected);
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

test('any history leaves what the model holds', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 80 }), async steps => {
      const subject = new Subject();
      await subject.open();
      try {
        for (const step of steps) await subject.run(step);
        const read = [...(await contents(subject.db))].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(read).toEqual(subject.model.texts());
      } finally {
        await subject.db.close();
        rmSync(subject.dir, { recursive: true });
      }
    }),
    { numRuns: Number(process.env['OUTPOST_FUZZ_RUNS'] ?? 60) },
  );
});
