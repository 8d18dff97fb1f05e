import { expect, test } from 'vitest';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { mergeQueryables } from '../../../src/storage/merge-queryables.ts';
import type { Querier, Queryable } from '../../../src/storage/queryable.ts';
import { emptySeriesSet } from '../../../src/storage/series-list.ts';

function store(values: readonly string[], warnings: readonly string[] = []): Queryable {
  const answer = { values, warnings };
  const querier: Querier = {
    select: async () => emptySeriesSet(warnings),
    labelNames: async () => answer,
    labelValues: async () => answer,
    close() {},
  };
  return { querier: () => querier };
}

test('label names and values are the sorted union with all warnings', async () => {
  const merged = mergeQueryables(() => [
    store(['a', 'c'], ['one is late']),
    store(['b', 'c', '\u{1f600}', '\uffee']),
  ]).querier(0, 1);
  const union = { values: ['a', 'b', 'c', '\uffee', '\u{1f600}'], warnings: ['one is late'] };
  expect(await merged.labelNames([])).toEqual(union);
  expect(await merged.labelValues('x', [])).toEqual(union);
});

test('a limit holds for the union', async () => {
  const merged = mergeQueryables(() => [store(['b', 'd']), store(['a', 'c'])]).querier(0, 1);
  const answer = await merged.labelNames([], { hints: { limit: 3 } });
  expect(answer.values).toEqual(['a', 'b', 'c']);
});

test('no store at all is an empty answer', async () => {
  const merged = mergeQueryables(() => []).querier(0, 1);
  expect((await merged.labelNames([])).values).toEqual([]);
  expect(await (await merged.select([])).next()).toBeNull();
});

test('a refused selection closes the others', async () => {
  let closed = 0;
  const refusing: Queryable = {
    querier: () => ({
      ...store([]).querier(0, 1),
      select: () => Promise.reject(new OutpostError('unavailable', 'open block: gone')),
    }),
  };
  const counting: Queryable = {
    querier: () => ({
      ...store([]).querier(0, 1),
      select: async () => ({ ...emptySeriesSet(), close: () => closed++ }),
    }),
  };
  const merged = mergeQueryables(() => [counting, refusing, counting]).querier(0, 1);
  await expect(merged.select([])).rejects.toThrow('open block: gone');
  expect(closed).toBe(2);
});
