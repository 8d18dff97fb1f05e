// Deletes samples of the head: they stay in their chunks, hidden behind tombstones, until these are
// written to a block. Samples that come later, out of order, into the deleted range are hidden too.

import type { Matcher } from '../../labels/matcher.ts';
import { postingsForMatchers } from '../index/postings-for-matchers.ts';
import { encodeTombstonesRecord, type LoggedTombstone } from '../wal/tombstones-record.ts';
import type { Head } from './head.ts';

/**
 * Hides samples with minTime ≤ t ≤ maxTime of the matching series; later ones in the range are not
 * concerned. Returns the number of series. Throws `unavailable` where the deletion cannot be logged.
 */
export async function deleteFromHead(
  head: Head,
  minTime: number,
  maxTime: number,
  matchers: readonly Matcher[],
): Promise<number> {
  const { index, outOfOrder } = head;
  const refs = await postingsForMatchers(index, matchers);
  const deleted: LoggedTombstone[] = [];
  for (const ref of refs) {
    const slot = index.table.slotOf(ref);
    if (slot < 0) continue;
    const late = outOfOrder.rangeOf(ref);
    const inOrder = head.hasSamplesIn(slot, minTime, maxTime);
    if (!inOrder && !outOfOrder.overlaps(ref, minTime, maxTime)) continue;
    deleted.push({
      ref,
      minTime: Math.max(minTime, Math.min(head.minTimeOf(slot), late.minTime)),
      maxTime: Math.min(maxTime, Math.max(head.maxTimeOf(slot), late.maxTime)),
    });
  }
  if (deleted.length === 0) return 0;
  head.writeLog([encodeTombstonesRecord(deleted)]);
  for (const { ref, ...range } of deleted) {
    head.tombstones.add(ref, range);
    head.deletedFrom.add(ref);
  }
  return deleted.length;
}
