import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LoserTree } from '../../../src/storage/loser-tree.ts';

function mergeSorted(lists: readonly (readonly number[])[]): number[] {
  const at = lists.map(() => 0);
  const current = (i: number) => lists[i]![at[i]!] ?? Number.POSITIVE_INFINITY;
  const tree = new LoserTree(lists.length, (a, b) => current(a) < current(b));
  const out: number[] = [];
  while (current(tree.winner) !== Number.POSITIVE_INFINITY) {
    out.push(current(tree.winner));
    at[tree.winner]!++;
    tree.replay();
  }
  return out;
}

test('the winner of one input is that input', () => {
  expect(mergeSorted([[1, 2, 3]])).toEqual([1, 2, 3]);
});

test('empty inputs lose every match', () => {
  expect(mergeSorted([[], [2], [], [1, 3], []])).toEqual([1, 2, 3]);
});

test('the winners of any number of sorted inputs come out sorted', () => {
  const list = fc.array(fc.nat(50)).map(values => values.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.array(list, { minLength: 1, maxLength: 17 }), lists => {
      expect(mergeSorted(lists)).toEqual(lists.flat().sort((a, b) => a - b));
    }),
  );
});
