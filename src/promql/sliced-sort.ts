// Sorting that gives way: long answers are ordered without holding the event loop.

import type { Execution } from './execution.ts';
import { sortForQuantile } from './quantile.ts';

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

/** Numbers sorted in one go: three milliseconds' worth. */
const FLOATS_RUN = 32_768;

/** As `sortForQuantile`, for any number of values; the array given may be used up. */
export async function sortForQuantileSliced(
  execution: Execution,
  values: Float64Array,
): Promise<Float64Array> {
  if (values.length <= FLOATS_RUN) return sortForQuantile(values);
  for (let at = 0; at < values.length; at += FLOATS_RUN) {
    sortForQuantile(values.subarray(at, at + FLOATS_RUN));
    if (execution.due) await execution.breathe();
  }
  let from: Float64Array = values;
  let to: Float64Array = new Float64Array(values.length);
  execution.holdBytes(to.byteLength);
  for (let width = FLOATS_RUN; width < values.length; width *= 2) {
    for (let at = 0; at < values.length; at += 2 * width) {
      await mergeFloats(execution, from, to, { at, width });
    }
    [from, to] = [to, from];
  }
  return from;
}

async function mergeFloats(
  execution: Execution,
  from: Float64Array,
  to: Float64Array,
  { at, width }: { readonly at: number; readonly width: number },
): Promise<void> {
  const middle = Math.min(at + width, from.length);
  const end = Math.min(at + 2 * width, from.length);
  let left = at;
  let right = middle;
  for (let out = at; out < end; out++) {
    // NaN comes first, so that anything but a smaller right one takes from the left.
    const takesRight =
      left >= middle ||
      (right < end &&
        !Number.isNaN(from[left]!) &&
        (Number.isNaN(from[right]!) || from[right]! < from[left]!));
    to[out] = takesRight ? from[right++]! : from[left++]!;
    if (out % FLOATS_RUN === 0 && execution.due) await execution.breathe();
  }
}
