// Random data, policies and rounds of maintenance: nothing goes before its time, and what is past its time
// is gone once there is nothing left to do, whatever the blocks and however often it starts anew.

import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Matcher } from '../../src/labels/matcher.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { writeTestBlock } from '../fakes/test-blocks.ts';
import { BLOCK_START, contents, openTestDb } from '../fakes/test-db.ts';

const MINUTE = 60_000;
const SERIES = ['aa', 'ab', 'ba', 'bb'];
const PATTERNS = ['a.*', 'b.*', '.a', '.b', 'ab', 'bb|aa'];

const history = fc.record({
  // Lengths of the blocks in minutes, and for each series how dense its samples are; 0 is none.
  blocks: fc.array(
    fc.record({
      minutes: fc.integer({ min: 5, max: 120 }),
      steps: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 4, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  general: fc.integer({ min: 0, max: 400 }),
  policies: fc.array(
    fc.record({ pattern: fc.constantFrom(...PATTERNS), minutes: fc.integer({ min: 0, max: 400 }) }),
    { minLength: 1, maxLength: 3 },
  ),
  restartAfter: fc.integer({ min: 0, max: 10 }),
  cleans: fc.boolean(),
});

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** Writes the blocks; what was written, by series, and the newest block. */
async function write(
  dir: string,
  { blocks }: History,
): Promise<{ all: Map<string, number[]>; newestStart: number; newestEnd: number }> {
  const all = new Map<string, number[]>();
  let minTime = BLOCK_START;
  let newestStart = minTime;
  for (const { minutes, steps } of blocks) {
    const maxTime = minTime + minutes * MINUTE;
    const series = SERIES.flatMap((name, i) => {
      const step = steps[i]!;
      if (step === 0) return [];
      const times: number[] = [];
      for (let time = minTime; time < maxTime; time += step * MINUTE) times.push(time);
      all.set(name, [...(all.get(name) ?? []), ...times]);
      return [{ labels: { __name__: name }, times, values: new Float64Array(times.length) }];
    });
    if (series.length > 0) {
      await writeTestBlock(dir, series, { minTime, maxTime });
      newestStart = minTime;
    }
    minTime = maxTime;
  }
  return { all, newestStart, newestEnd: minTime };
}

async function times(db: Db): Promise<Map<string, number[]>> {
  const rows = [...(await contents(db))].map(([name, texts]): [string, number[]] => [
    name,
    texts.map(text => Number(text.split(':')[0])),
  ]);
  return new Map(rows);
}

/** The time of a series in ms by the rule of the documents: the first that matches. */
function retentionOf(name: string, { policies, general }: History): number {
  const policy = policies.find(({ pattern }) => new RegExp(`^(?:${pattern})$`).test(name));
  return (policy?.minutes ?? general) * MINUTE;
}

test('policies remove what is past its time and nothing else', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(history, async one => {
      const dir = temporaryDirectory();
      const { all, newestStart } = await write(dir, one);
      const open = (): Promise<Db> =>
        openTestDb(dir, {
          jobs: inProcessJobs,
          retentionMs: one.general * MINUTE,
          retentionPolicies: one.policies.map(({ pattern, minutes }) => ({
            matchers: [new Matcher('=~', '__name__', pattern)],
            retentionMs: minutes * MINUTE,
          })),
          blockRangeMs: 5 * MINUTE,
          compactedRangeMaxMs: 5 * MINUTE,
          futureMs: 1e12,
        });
      let db = await open();
      const ends = db.blocks.map(({ meta }) => [meta.minTime, meta.maxTime] as const);
      const newest = Math.max(...ends.map(([, end]) => end));
      for (let round = 0; round < 12; round++) {
        await db.maintain();
        if (round === one.restartAfter) {
          await db.close();
          db = await open();
        }
      }
      const settled = db.blocks.map(({ meta }) => meta.ulid);
      await db.maintain();
      expect(db.blocks.map(({ meta }) => meta.ulid)).toEqual(settled);
      if (one.cleans) await db.cleanTombstones();
      const left = await times(db);
      for (const [name, written] of all) {
        const retention = retentionOf(name, one);
        const cut = retention === 0 ? Number.NEGATIVE_INFINITY : newest - retention;
        const found = new Set(left.get(name) ?? []);
        for (const time of written) {
          if (time >= cut && !found.has(time)) expect.fail(`${name} lost ${time} before its time`);
          const end = ends.find(([min, max]) => time >= min && time < max)![1];
          const past = end <= cut && time < newestStart;
          if (past && found.has(time)) expect.fail(`${name} still has ${time}`);
        }
      }
      await db.close();
      rmSync(dir, { recursive: true });
    }),
    { numRuns: Number(process.env['OUTPOST_FUZZ_RUNS'] ?? 25) },
  );
});
