// Which blocks give way when the disk is nearly full: a pure choice, oldest first.

import { isOutOfOrder } from '../block/meta.ts';
import type { SizedBlock } from '../compact/retention.ts';

/**
 * The blocks to delete early so that `missingBytes` become free, or as many as there are. The newest block
 * of samples in order stays whatever happens: it says how far the blocks go.
 */
export function planDiskRelief<Candidate extends SizedBlock>(
  blocks: readonly Candidate[],
  missingBytes: number,
): readonly Candidate[] {
  const oldestFirst = [...blocks].sort(
    (a, b) => a.meta.maxTime - b.meta.maxTime || a.meta.minTime - b.meta.minTime,
  );
  const last = oldestFirst.findLast(({ meta }) => !isOutOfOrder(meta)) ?? oldestFirst.at(-1);
  const chosen: Candidate[] = [];
  let freed = 0;
  for (const block of oldestFirst) {
    if (freed >= missingBytes) break;
    if (block === last) continue;
    chosen.push(block);
    freed += block.sizeBytes;
  }
  return chosen;
}
