// What retention by policies does to a block, by a table and against a model of time that goes on.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClassCensus,
  type CountedBlock,
  cutoffs,
  mayExpire,
  type PolicyAction,
  planPolicies,
} from '../../../../src/tsdb/retention/policy-plan.ts';

const NONE: ClassCensus = {
  chunks: 0,
  minTime: Number.POSITIVE_INFINITY,
  maxTime: Number.NEGATIVE_INFINITY,
};
const NEVER = Number.NEGATIVE_INFINITY;

/** A class with samples all over the block of 0 … 99. */
function spread(chunks: number): ClassCensus {
  return { chunks, minTime: 0, maxTime: 99 };
}

const TABLE: readonly [string, readonly ClassCensus[], readonly number[], PolicyAction | null][] = [
  ['nothing is old enough', [spread(50), spread(50)], [0, -50], null],
  ['every class is past', [spread(50), spread(50)], [100, 100], 'drop'],
  ['the only class that has samples is past', [NONE, spread(50)], [NEVER, 100], 'drop'],
  ['nothing is left that is not deleted', [NONE, NONE], [NEVER, 10], 'drop'],
  ['a class is past that has a good part', [spread(5), spread(95)], [100, 0], 'rewrite'],
  ['a class is past that has next to nothing', [spread(4), spread(96)], [100, 0], 'hide'],
  ['a class is not quite past', [spread(4), spread(96)], [99, 0], null],
  ['a third of the samples is too old', [spread(100), NONE], [34, NEVER], 'rewrite'],
  ['a quarter of the samples is too old', [spread(100), NONE], [25, NEVER], null],
  ['half of half of the samples is too old', [spread(50), spread(50)], [50, NEVER], null],
  ['two classes together have a third', [spread(50), spread(50)], [35, 35], 'rewrite'],
  [
    'what was too old has gone before',
    [{ chunks: 100, minTime: 34, maxTime: 99 }, NONE],
    [34, NEVER],
    null,
  ],
  [
    'one moment is too old',
    [{ chunks: 50, minTime: 7, maxTime: 7 }, spread(50)],
    [8, 0],
    'rewrite',
  ],
  ['one moment is just young enough', [{ chunks: 50, minTime: 7, maxTime: 7 }, NONE], [7, 0], null],
];

describe('the plan for a block', () => {
  it.each(TABLE)('where %s', (_, classes, cuts, action) => {
    expect(planPolicies({ minTime: 0, maxTime: 100, classes }, cuts)).toBe(action);
  });

  it('keeps samples for ever where the time is 0', () => {
    expect(cutoffs(1000, [10, 0, 300])).toEqual([990, NEVER, 700]);
  });

  it('needs no counting before any class’s time reaches the block', () => {
    expect(mayExpire({ minTime: 700 }, [700, NEVER])).toBe(false);
    expect(mayExpire({ minTime: 699 }, [NEVER, 700])).toBe(true);
  });
});

/** One sample a chunk, so that what remains is known exactly. */
interface Simulated {
  readonly minTime: number;
  readonly maxTime: number;
  samples: { readonly time: number; readonly kind: number }[];
  hidden: number;
}

function count({ minTime, maxTime, samples }: Simulated, kinds: number): CountedBlock {
  const classes = Array.from({ length: kinds }, (_, kind): ClassCensus => {
    const times = samples.filter(sample => sample.kind === kind).map(({ time }) => time);
    return { chunks: times.length, minTime: Math.min(...times), maxTime: Math.max(...times) };
  });
  return { minTime, maxTime, classes };
}

const history = fc.record({
  retentions: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 4 }),
  range: fc.integer({ min: 20, max: 200 }),
  samples: fc.array(fc.tuple(fc.nat(999), fc.nat(3)), { minLength: 1, maxLength: 300 }),
  step: fc.integer({ min: 1, max: 90 }),
});

describe('as time goes on', () => {
  it('nothing goes before its time, everything after it, and no block is written often', () => {
    fc.assert(
      fc.property(history, ({ retentions, range, samples, step }) => {
        const kinds = retentions.length;
        const blocks = new Map<number, Simulated>();
        for (const [time, kind] of samples) {
          const minTime = Math.floor(time / range) * range;
          const block = blocks.get(minTime) ?? {
            minTime,
            maxTime: minTime + range,
            samples: [],
            hidden: 0,
          };
          block.samples.push({ time, kind: kind % kinds });
          blocks.set(minTime, block);
        }
        for (let newest = 1000; newest < 2000; newest += step) {
          const cuts = cutoffs(newest, retentions);
          for (const block of blocks.values()) {
            let rounds = 0;
            for (;;) {
              const action = mayExpire(block, cuts)
                ? planPolicies(count(block, kinds), cuts)
                : null;
              if (action === null) break;
              const kept = block.samples.filter(({ time, kind }) => time >= cuts[kind]!);
              if (action === 'drop')
                expect(kept.filter(({ time }) => time >= block.maxTime)).toEqual([]);
              // Only samples whose class's time is over are gone.
              if (action === 'drop') expect(kept).toEqual([]);
              block.samples = kept;
              if (action === 'drop') blocks.delete(block.minTime);
              if (action === 'drop') break;
              // Each time something goes; the same plan does not come back.
              expect(++rounds).toBe(1);
            }
            for (const { kind } of block.samples) {
              expect(cuts[kind]! >= block.maxTime && blocks.has(block.minTime)).toBe(false);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
