import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import {
  newHoldBackOrder,
  newSortingOrder,
  type SeriesOrder,
} from '../../../src/storeapi/series-order.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

function drain(order: SeriesOrder, list: readonly Labels[]): string[] {
  const out = list.flatMap(labels => order.add({ labels, frames: [] }));
  return [...out, ...order.end()].map(series => series.labels.toString());
}

const labelSet = fc
  .subarray(NAMES)
  .chain(names =>
    fc.tuple(...names.map(name => fc.tuple(fc.constant(name), fc.constantFrom('1', '2')))),
  )
  .map(pairs => Labels.fromPairs(pairs as [string, string][]));

test('holding back restores the order after any labels have been added to all series', () => {
  const sets = fc.uniqueArray(labelSet, { selector: labels => labels.key, maxLength: 30 });
  fc.assert(
    fc.property(sets, fc.subarray(NAMES, { minLength: 1 }), (list, external) => {
      const added = Labels.fromPairs(external.map(name => [name, 'x'] as const));
      const own = list
        .map(labels => labels.without(external))
        .filter((labels, i, all) => all.findIndex(other => other.equals(labels)) === i)
        .sort((a, b) => a.compareTo(b))
        .map(labels => labels.merge(added));
      const sorted = [...own].sort((a, b) => a.compareTo(b)).map(String);
      expect(drain(newHoldBackOrder(), own)).toEqual(sorted);
    }),
  );
});

test('sorting takes any order', () => {
  const list = ['b', 'a', 'c'].map(value => Labels.fromObject({ x: value }));
  expect(drain(newSortingOrder(), list)).toEqual(['{x="a"}', '{x="b"}', '{x="c"}']);
});
