import { expect, it } from 'vitest';
import { sortForQuantile } from '../../../src/promql/quantile.ts';
import { sortForQuantileSliced, sortSliced } from '../../../src/promql/sliced-sort.ts';
import { testExecution } from './fixture.ts';

it('sorts as the plain sort does, equal items in their order, and gives way', async () => {
  let time = 0;
  // Every look at the clock finds the slice used up.
  const execution = testExecution(() => (time += 50));
  const items = Array.from({ length: 5000 }, (_, i) => ({ key: (i * 7919) % 500, i }));
  const byKey = (a: { key: number }, b: { key: number }): number => a.key - b.key;
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  const sorted = await sortSliced(execution, items, byKey);
  expect(turned).toBe(true);
  expect(sorted).toEqual([...items].sort(byKey));
  expect(await sortSliced(execution, [], byKey)).toEqual([]);
});

it('sorts many numbers as the plain sort does, NaN first', async () => {
  const values = Float64Array.from({ length: 100_003 }, (_, i) =>
    i % 1000 === 0 ? Number.NaN : ((i * 7919) % 50_021) - 25_000,
  );
  const expected = sortForQuantile(values.slice());
  expect(await sortForQuantileSliced(testExecution(), values)).toEqual(expected);
});
