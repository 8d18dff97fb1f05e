// Deletes samples of the head: they stay in their chunks, hidden behind tombstones, until these are
// written to a block. Samples that come later, out of order, into the deleted range are hidden too.

import type { Matcher } from '../../labels/matcher.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { TimeInterval } from '../block/tombstones.ts';
import { postingsForMatchers } from '../index/postings-for-matchers.ts';
import { encodeTombstonesRecord, type LoggedTombstone } from '../wal/tombstones-record.ts';
import type { Head } from './head.ts';

// Some 20 bytes each in the log, and a few milliseconds of work together.
const SERIES_AT_ONCE = 1024;

/**
 * Hides samples with minTime ≤ t ≤ maxTime of the matching series; later ones in the range are not
 * concerned. Returns the number of series. Works in parts, each of which is logged before it shows. Throws
 * `unavailable` where a part cannot be logged; those before it stay deleted, and asking again goes on.
 */
export async function deleteFromHead(
  head: Head,
  minTime: number,
  maxTime: number,
  matchers: readonly Matcher[],
): Promise<number> {
  const refs = await postingsForMatchers(head.index, matchers);
  const slicer = new Slicer(() => head.options.clock.monotonic());
  let count = 0;
  for (let at = 0; at < refs.length; at += SERIES_AT_ONCE) {
    if (slicer.due) await slicer.pause();
    const some = refs.subarray(at, at + SERIES_AT_ONCE);
    const deleted = deletionsOf(head, some, { minTime, maxTime });
    if (deleted.length === 0) continue;
    head.writeLog([encodeTombstonesRecord(deleted)]);
    for (const { ref, ...range } of deleted) {
      head.tombstones.add(ref, range);
      head.deletedFrom.add(ref);
    }
    count += deleted.length;
  }
  return count;
}

/** The ranges to hide, no wider than the samples that are there. */
function deletionsOf(
  head: Head,
  refs: Uint32Array,
  { minTime, maxTime }: TimeInterval,
): LoggedTombstone[] {
  const { index, outOfOrder } = head;
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
  return deleted;
}
