// A merge sort that gives way to the event loop: millions of strings take seconds to compare.

import type { Slicer } from '../../lifecycle/slicer.ts';

const RUN = 256;
const CHECK_MASK = 1023;

/** The indices 0…count−1 in the order `compare` gives them; stable. */
export async function sortedOrder(
  count: number,
  compare: (a: number, b: number) => number,
  slicer: Slicer,
): Promise<Uint32Array> {
  let source = new Uint32Array(count);
  for (let i = 0; i < count; i++) source[i] = i;
  for (let from = 0; from < count; from += RUN) {
    source.subarray(from, from + RUN).sort(compare);
    if (slicer.due) await slicer.pause();
  }
  let target = new Uint32Array(count);
  for (let width = RUN; width < count; width *= 2) {
    let left = 0;
    let right = 0;
    let leftEnd = 0;
    let rightEnd = 0;
    for (let at = 0; at < count; at++) {
      if (left === leftEnd && right === rightEnd) {
        left = at;
        leftEnd = right = Math.min(at + width, count);
        rightEnd = Math.min(at + 2 * width, count);
      }
      const takeLeft =
        right === rightEnd || (left < leftEnd && compare(source[left]!, source[right]!) <= 0);
      target[at] = source[takeLeft ? left++ : right++]!;
      if ((at & CHECK_MASK) === 0 && slicer.due) await slicer.pause();
    }
    [source, target] = [target, source];
  }
  return source;
}
