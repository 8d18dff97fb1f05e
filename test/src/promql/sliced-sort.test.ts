import { expect, it } from 'vitest';
import { Annotations } from '../../../src/promql/annotations.ts';
import { Execution } from '../../../src/promql/execution.ts';
import { sortSliced } from '../../../src/promql/sliced-sort.ts';
import { storageOf } from './fixture.ts';

it('sorts as the plain sort does, equal items in their order, and gives way', async () => {
  let time = 0;
  const execution = new Execution({
    queryable: storageOf(1000),
    annotations: new Annotations(''),
    semantics: { delayedNameRemoval: false, startTimes: false },
    lookbackMs: 1,
    samplesMax: 1,
    // Every look at the clock finds the slice used up.
    monotonic: () => (time += 50),
    signal: new AbortController().signal,
  });
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
