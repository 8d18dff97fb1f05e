// What of the head becomes a block, and when.

import { writeBlock } from './block/block-writer.ts';
import type { BlockMeta } from './block/meta.ts';
import { seriesChunks } from './compact/compactor.ts';
import { ClosedRange } from './head/closed-range.ts';
import type { Head } from './head/head.ts';

/** Unix ms; `maxTime` is exclusive. */
export interface TimeRange {
  readonly minTime: number;
  readonly maxTime: number;
}

/**
 * The oldest range that is ready to be cut: aligned at its end, and so far behind the newest sample that
 * nothing can be appended to it any more. Null where the head is too short.
 */
export function planHeadCut(
  head: { readonly minTime: number; readonly maxTime: number },
  rangeMs: number,
): TimeRange | null {
  const { minTime, maxTime } = head;
  if (!Number.isFinite(minTime) || maxTime - minTime <= rangeMs * 1.5) return null;
  return { minTime, maxTime: (Math.floor(minTime / rangeMs) + 1) * rangeMs };
}

export interface HeadBlockOptions {
  readonly ulid: string;
  readonly monotonic: () => number;
  readonly signal?: AbortSignal;
}

/** Writes the head's samples of a range as a block; null where there are none. */
export async function writeHeadBlock(
  head: Head,
  parentDir: string,
  { minTime, maxTime }: TimeRange,
  options: HeadBlockOptions,
): Promise<BlockMeta | null> {
  const querier = head.querier(minTime, maxTime - 1);
  // What may still be appended to must be fixed at one moment, lest a batch be there in part.
  const isClosed = maxTime <= head.appendableFrom;
  const set = isClosed
    ? new ClosedRange(head, { minTime, maxTime: maxTime - 1 }, options.signal)
    : null;
  try {
    const source = set ?? (await querier.select([], { hints: { sorted: true } }));
    return await writeBlock(parentDir, seriesChunks(source, { minTime, maxTime }), {
      ...options,
      minTime,
      maxTime,
      level: 1,
    });
  } finally {
    set?.close();
    querier.close();
  }
}
