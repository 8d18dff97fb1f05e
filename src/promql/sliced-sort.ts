// Sorting that gives way: long answers are ordered without holding the event loop.

import type { Execution } from './execution.ts';

/** Items sorted in one go. */
const RUN = 1024;

/** The items in order, equal ones in the order they came in. */
export async function sortSliced<Item>(
  execution: Execution,
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Promise<Item[]> {
  let runs: Item[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare));
    if (execution.due) await execution.breathe();
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const right = runs[i + 1];
      merged.push(right ? await merge(execution, runs[i]!, right, compare) : runs[i]!);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<Item>(
  execution: Execution,
  left: readonly Item[],
  right: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Promise<Item[]> {
  const out: Item[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    out.push(compare(left[i]!, right[j]!) <= 0 ? left[i++]! : right[j++]!);
    if (out.length % RUN === 0 && execution.due) await execution.breathe();
  }
  while (i < left.length) out.push(left[i++]!);
  while (j < right.length) out.push(right[j++]!);
  return out;
}
