// Out-of-order samples on their way to blocks of their own. These overlap the blocks of the samples in
// order, until compaction joins them.

import { Slicer } from '../lifecycle/slicer.ts';
import { encodeColumns } from '../storage/encode-columns.ts';
import { SampleColumns } from '../storage/samples.ts';
import type { Block } from './block/block.ts';
import { type SeriesChunks, writeBlock } from './block/block-writer.ts';
import { dropIntervals } from './block/deleted-samples.ts';
import { OUT_OF_ORDER_HINT } from './block/meta.ts';
import type { DbParts } from './db-parts.ts';
import type { Head } from './head/head.ts';
import type { Generation } from './head/out-of-order/generation.ts';
import { OutOfOrderSnapshot } from './head/out-of-order/snapshot.ts';
import { planHeadCut, type TimeRange } from './head-blocks.ts';
import { dropReplaced } from './wal/checkpoint.ts';
import { listSegments } from './wal/segments.ts';

/** Beyond this much memory out-of-order samples do not wait for the next block of the head. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const BATCH_SERIES = 256;

/** Cuts out-of-order samples when a block of the head is due, or when they have become many. */
export async function cutOutOfOrderIfDue(parts: DbParts, signal?: AbortSignal): Promise<void> {
  const { head, settings } = parts;
  head.outOfOrder.forgetBefore(head.outOfOrderFrom(Number.NEGATIVE_INFINITY));
  const due = planHeadCut(head, settings.blockRangeMs) !== null;
  if (due || head.outOfOrder.bytes > WAITING_BYTES_MAX) await cutOutOfOrder(parts, signal);
}

/**
 * Moves all out-of-order samples that are there now to blocks, one for each aligned range, and shortens
 * their log. Stopped at any point it loses nothing: what is in a block and in the log is one sample.
 */
export async function cutOutOfOrder(parts: DbParts, signal?: AbortSignal): Promise<void> {
  const { head, store, outOfOrderDir } = parts;
  const log = head.outOfOrderLog;
  if (head.outOfOrder.samples === 0) {
    dropReplaced(outOfOrderDir, log ? log.segment - 1 : lastSegment(outOfOrderDir));
    return;
  }
  // In one go: what is logged up to the cut is in the sealed generations, and nothing else is.
  log?.cut();
  const to = log ? log.segment - 1 : lastSegment(outOfOrderDir);
  const sealed = head.outOfOrder.seal();
  const blocks: Block[] = [];
  try {
    await writeBlocks(parts, sealed, blocks, signal);
  } catch (error) {
    // The samples stay in the head until all of them are in blocks; on a full disk each attempt would leave
    // more of them there.
    store.delete(blocks);
    if (signal?.aborted) return;
    throw error;
  }
  store.swap(blocks, []);
  head.outOfOrder.drop(sealed);
  dropReplaced(outOfOrderDir, to);
}

function lastSegment(dir: string): number {
  return listSegments(dir).at(-1)?.index ?? -1;
}

async function writeBlocks(
  { dir, head, store, metrics, ulids, settings }: DbParts,
  sealed: readonly Generation[],
  blocks: Block[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const monotonic = (): number => settings.clock.monotonic();
  const refs = new Set(sealed.flatMap(generation => [...generation.refs()]));
  const slicer = new Slicer(monotonic, signal);
  const sorted = await head.order.sort(Uint32Array.from(refs), slicer);
  const starts = new Set(sealed.flatMap(generation => [...generation.rangeStarts]));
  for (const minTime of [...starts].sort((a, b) => a - b)) {
    signal?.throwIfAborted();
    const started = monotonic();
    const range = { minTime, maxTime: minTime + settings.blockRangeMs };
    const ulid = ulids.next();
    const meta = await writeBlock(dir, seriesIn(head, sealed, sorted, range), {
      ...range,
      ulid,
      level: 1,
      hints: [OUT_OF_ORDER_HINT],
      monotonic,
      ...(signal && { signal }),
    });
    if (!meta) continue;
    blocks.push(await store.open(ulid));
    metrics.outOfOrderBlocksCut.inc();
    metrics.compactions.inc();
    metrics.compactionSeconds.observe((monotonic() - started) / 1000);
    const { numSeries: series, numSamples: samples } = meta.stats;
    settings.logger.info('block cut from out-of-order samples', {
      ulid,
      ...range,
      series,
      samples,
    });
  }
}

/** Series with samples in the range, batch by batch; each is decoded when its turn comes. */
async function* seriesIn(
  head: Head,
  sealed: readonly Generation[],
  refs: Uint32Array,
  { minTime, maxTime }: TimeRange,
): AsyncGenerator<Iterable<SeriesChunks>> {
  const columns = new SampleColumns();
  for (let from = 0; from < refs.length; from += BATCH_SERIES) {
    const samples = new OutOfOrderSnapshot(sealed, { minTime, maxTime: maxTime - 1 });
    yield batchOf(head, samples, refs.subarray(from, from + BATCH_SERIES), columns);
  }
}

function* batchOf(
  { index, tombstones }: Head,
  samples: OutOfOrderSnapshot,
  refs: Uint32Array,
  columns: SampleColumns,
): Generator<SeriesChunks> {
  for (const ref of refs) {
    const slot = index.table.slotOf(ref);
    if (slot < 0 || !samples.note(ref)) continue;
    columns.clear();
    samples.read(ref, columns);
    dropIntervals(columns, 0, tombstones.intervals(ref));
    yield { labels: index.labelsOf(slot), chunks: encodeColumns(columns) };
  }
}
