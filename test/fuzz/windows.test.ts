// The window kernels against the functions that answer where a kernel cannot: same bits for any samples.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type WindowFrame, windowKernels } from '../../src/kernels/windows.ts';
import { StepBlock } from '../../src/promql/block.ts';
import { Window } from '../../src/promql/functions/range-function.ts';
import { RANGE_FUNCTIONS } from '../../src/promql/functions/range-functions.ts';
import { LookupKernel, removeStale } from '../../src/promql/operators/lookup.ts';
import { WindowColumns } from '../../src/promql/operators/window-columns.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { setStale } from '../../src/storage/stale.ts';

const STALE = 'stale';
const START = 1_700_000_000_000;

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 1000 }) },
  { weight: 3, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constant(STALE) },
);
const samples = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), value), { maxLength: 60 });
const frames = fc.record({
  startMs: fc.integer({ min: START - 100_000, max: START + 1_000_000 }),
  stepMs: fc.integer({ min: 0, max: 120_000 }),
  count: fc.integer({ min: 1, max: 40 }),
  reachMs: fc.integer({ min: 1, max: 600_000 }),
});

type Samples = readonly (readonly [number, number | typeof STALE])[];

function fill(columns: SampleColumns, list: Samples): void {
  columns.clear();
  let time = START;
  for (const [gap, sample] of list) {
    time += gap;
    columns.push(time, sample === STALE ? 0 : sample);
    if (sample === STALE) setStale(columns.values, columns.length - 1);
  }
}

/** The answers of the function by name as 64-bit words, null where there is none. */
function expected(name: string, frame: WindowFrame, list: Samples): (bigint | null)[] {
  const columns = new SampleColumns();
  fill(columns, list);
  removeStale(columns);
  const context = { scalars: [], argSpans: [], annotate: () => {}, annotateAt: () => {} };
  const answer = RANGE_FUNCTIONS.get(name)!(context);
  const window = new Window();
  Object.assign(window, { times: columns.times, values: columns.values, length: columns.length });
  window.rangeMs = frame.reachMs;
  answer.begin?.(window);
  return Array.from({ length: frame.count }, (_, step) => {
    const end = frame.startMs + step * frame.stepMs;
    const inside = [...columns.times.subarray(0, columns.length)].map(
      time => time > end - frame.reachMs && time <= end,
    );
    if (!inside.includes(true)) return null;
    window.from = inside.indexOf(true);
    window.to = inside.lastIndexOf(true) + 1;
    window.endMs = end;
    window.absent = false;
    const result = answer.floats(window);
    return window.absent ? null : bitsOf(result);
  });
}

// One NaN is like another but for the stale marker, which no function makes.
function bitsOf(number: number): bigint {
  return new BigUint64Array(Float64Array.of(Number.isNaN(number) ? Number.NaN : number).buffer)[0]!;
}

function row(frame: WindowFrame): (bigint | null)[] {
  const values = new Float64Array(frame.count);
  const present = new Uint8Array(frame.count);
  windowKernels().copyRow(values, present, 0);
  return Array.from(values, (number, step) => (present[step] === 1 ? bitsOf(number) : null));
}

const NAMES = [
  'rate',
  'increase',
  'delta',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
];

test.each(NAMES)('%s gives the same bits from the kernel as step by step', name => {
  const context = { scalars: [], argSpans: [], annotate: () => {}, annotateAt: () => {} };
  const { question } = RANGE_FUNCTIONS.get(name)!(context);
  let givenUp = 0;
  fc.assert(
    // Several series in one frame, some with the times of the one before: what is kept must be let go.
    fc.property(frames, fc.array(samples, { minLength: 1, maxLength: 4 }), (frame, lists) => {
      const columns = new WindowColumns();
      const twice = lists.flatMap(list => [
        list,
        list.map(([gap]) => [gap, gap % 7] as const),
        // On time, so that neighbouring windows have as many samples.
        list.map(([, sample]) => [15_000, sample] as const),
      ]);
      for (const list of twice) {
        fill(columns, list);
        const count = windowKernels().dropStale(columns.length);
        const filled = windowKernels().ask(question!, frame, count);
        if (filled < 0) givenUp++;
        else expect(row(frame)).toEqual(expected(name, frame, list));
      }
    }),
    { numRuns: 300 },
  );
  expect(givenUp).toBeLessThan(150);
});

test('the newest sample of a window is the one an instant selector finds', () => {
  fc.assert(
    fc.property(frames, fc.array(samples, { minLength: 1, maxLength: 3 }), (frame, lists) => {
      const columns = new WindowColumns();
      const plain = new SampleColumns();
      const kernel = new LookupKernel(frame, frame.reachMs, 'sample');
      for (const list of lists) {
        const rows = [columns, plain].map(each => {
          fill(each, list);
          const block = new StepBlock(frame.count);
          const labels = { labels: null as never, label: () => '' };
          const at = block.addRow(labels);
          // Columns of their own are walked sample by sample.
          kernel.run(each as WindowColumns, labels, block, at);
          return Array.from(block.present.subarray(0, frame.count), (there, step) =>
            there === 1 ? bitsOf(block.values[step]!) : null,
          );
        });
        expect(rows[0]).toEqual(rows[1]);
      }
    }),
    { numRuns: 300 },
  );
});
