// Functions that keep something from window to window against the same found anew: same bits for any samples.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Window } from '../../src/promql/functions/range-function.ts';
import { RANGE_FUNCTIONS } from '../../src/promql/functions/range-functions.ts';
import { quantileOf, sortForQuantile } from '../../src/promql/quantile.ts';

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 2, arbitrary: fc.double() },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Number.NaN, -0, 0, Number.POSITIVE_INFINITY, -1e308, 1e308),
  },
);
const seriesList = fc.array(fc.array(value, { minLength: 1, maxLength: 120 }), { maxLength: 3 });
/** How far a window's ends move from step to step, and whether the window is answered. */
const moves = fc.array(fc.tuple(fc.nat(6), fc.nat(9), fc.boolean()), { maxLength: 60 });

function deviation(values: Float64Array): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const median = quantileOf(0.5, sortForQuantile(values));
  return quantileOf(0.5, sortForQuantile(values.map(v => Math.abs(v - median))));
}

function extreme(values: Float64Array, sign: 1 | -1): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if (sign * values[i]! >= sign * values[best]! || Number.isNaN(values[best])) best = i;
  }
  return best;
}

const ORACLES: Readonly<Record<string, (values: Float64Array, from: number) => number>> = {
  quantile_over_time: values => quantileOf(0.3, sortForQuantile(values)),
  mad_over_time: deviation,
  ts_of_max_over_time: (values, from) => from + extreme(values, 1),
  ts_of_min_over_time: (values, from) => from + extreme(values, -1),
};

function bits(number: number): bigint {
  return new BigUint64Array(Float64Array.of(Number.isNaN(number) ? Number.NaN : number).buffer)[0]!;
}

test.each(Object.entries(ORACLES))('%s slides', (name, oracle) => {
  fc.assert(
    fc.property(seriesList, moves, (series, list) => {
      const q = Float64Array.from(list, () => 0.3);
      const context = { scalars: [q], argSpans: [], annotate: () => {}, annotateAt: () => {} };
      const answer = RANGE_FUNCTIONS.get(name)!(context);
      // As with the engine's columns, one series takes the place of another in the same memory.
      const values = new Float64Array(120);
      const times = Float64Array.from({ length: 120 }, (_, i) => i * 1000);
      const window = new Window();
      for (const samples of series) {
        values.set(samples);
        Object.assign(window, { times, values, length: samples.length, from: 0, to: 0 });
        answer.begin?.(window);
        for (const [step, [drop, take, isAsked]] of list.entries()) {
          window.to = Math.min(window.to + take, samples.length);
          window.from = Math.min(window.from + drop, window.to);
          window.step = step;
          if (window.from === window.to || !isAsked) continue;
          const expected = oracle(values.slice(window.from, window.to), window.from);
          expect(bits(answer.floats(window))).toBe(bits(expected));
        }
      }
    }),
    { numRuns: 400 },
  );
});
