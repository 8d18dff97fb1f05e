// Counts what a block holds of each class of series, from its index alone.

import type { Slicer } from '../../lifecycle/slicer.ts';
import type { BlockParts } from '../block/block-querier.ts';
import { isCovered } from '../block/deleted-samples.ts';
import type { ClassCensus } from './policy-plan.ts';

const SERIES_AT_ONCE = 1024;
const ALWAYS = { minTime: Number.NEGATIVE_INFINITY, maxTime: Number.POSITIVE_INFINITY };

/** Counts the chunks of each class that are not deleted as a whole. */
export async function takeCensus(
  parts: BlockParts,
  classes: readonly Uint32Array[],
  slicer: Slicer,
): Promise<readonly ClassCensus[]> {
  const out: ClassCensus[] = [];
  for (const ids of classes) out.push(await countClass(parts, ids, slicer));
  return out;
}

async function countClass(
  { index, tombstones }: BlockParts,
  ids: Uint32Array,
  slicer: Slicer,
): Promise<ClassCensus> {
  let chunks = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < ids.length; at += SERIES_AT_ONCE) {
    if (slicer.due) await slicer.pause();
    const entries = await index.series(ids.subarray(at, at + SERIES_AT_ONCE), ALWAYS);
    const { chunkStarts, minTimes, maxTimes } = entries;
    entries.ids.forEach((id, series) => {
      const deleted = tombstones.intervals(id);
      for (let i = chunkStarts[series]!; i < chunkStarts[series + 1]!; i++) {
        if (isCovered(minTimes[i]!, maxTimes[i]!, deleted)) continue;
        chunks++;
        oldest = Math.min(oldest, firstKept(minTimes[i]!, deleted));
        newest = Math.max(newest, maxTimes[i]!);
      }
    });
  }
  return { chunks, minTime: oldest, maxTime: newest };
}

/** The chunk's first time that no deletion covers. */
function firstKept(
  minTime: number,
  deleted: readonly { readonly minTime: number; readonly maxTime: number }[],
): number {
  const over = deleted.find(range => range.minTime <= minTime && range.maxTime >= minTime);
  return over ? over.maxTime + 1 : minTime;
}
