// Takes what has gone to blocks out of the head and out of the log: chunks, series without chunks, their
// postings and symbols, and then the log's oldest segments. Every part gives way to ingest and queries.

import { Slicer } from '../../lifecycle/slicer.ts';
import { Tombstones } from '../block/tombstones.ts';
import { dropReplaced, type LiveSeries, writeCheckpoint } from '../wal/checkpoint.ts';
import type { LogFs } from '../wal/log-fs.ts';
import { listSegments } from '../wal/segments.ts';
import { type Head, REF_MAX } from './head.ts';
import { refOfMetric } from './log-batch.ts';

/** Longest wait for readers of what is about to be dropped; queries have shorter limits. */
const READERS_WAIT_MS = 5 * 60_000;
const SLICE_SERIES = 256;

/**
 * Drops all samples before `time`: from now on none is taken or shown, and once the readers under way are
 * done their memory is freed. Series without samples go too, but for those that somebody has just asked
 * for and may be about to append to. Returns how many are gone.
 */
export async function truncateHead(head: Head, time: number): Promise<number> {
  head.coverBefore(time);
  return await collect(head, { time, keepTouched: true });
}

/** Drops everything and starts afresh: nothing is left that new samples would be judged against. */
export async function clearHead(head: Head): Promise<void> {
  head.coverBefore(Number.POSITIVE_INFINITY);
  await collect(head, { time: Number.POSITIVE_INFINITY, keepTouched: false });
  head.maxTime = Number.NEGATIVE_INFINITY;
}

interface Collection {
  readonly time: number;
  readonly keepTouched: boolean;
}

async function collect(head: Head, collection: Collection): Promise<number> {
  const { time } = collection;
  const { clock, logger } = head.options;
  const late = await head.leases.drain(time, clock, READERS_WAIT_MS);
  if (late > 0) logger.warn('readers of the head were cut off', { readers: late });
  const started = clock.monotonic();
  const slicer = new Slicer(() => clock.monotonic());
  const dirty = new Set<number>();
  const removed = await dropSeries(head, collection, { slicer, dirty });
  await head.index.lists.collect(dirty, ref => head.index.table.slotOf(ref) >= 0, slicer);
  if (removed > 0) await collectSymbols(head, slicer);
  await head.index.table.compact(slicer);
  await head.index.lists.compact(slicer);
  await collectTombstones(head, time, slicer);
  head.families.collect(name => refOfMetric(head, name));
  head.metrics.seriesRemoved.inc(removed);
  head.metrics.truncations.inc();
  head.metrics.gcSeconds.observe((clock.monotonic() - started) / 1000);
  return removed;
}

/**
 * Replaces all finished segments of the log by a checkpoint of what the head still needs. Throws
 * `unavailable` where the disk refuses; the log is whole in any case.
 */
export async function truncateLog(head: Head, dir: string, fs?: LogFs): Promise<void> {
  const { log, options, metrics } = head;
  // Deletions of out-of-order samples are needed for as long as these are here.
  const minTime = Math.min(head.visibleFrom, head.outOfOrder.minTime);
  if (!log) return;
  log.cut();
  const to = log.segment - 1;
  if (!listSegments(dir).some(segment => segment.index <= to)) return;
  const { table } = head.index;
  const needed = {
    minTime,
    series: (ref: number) => head.aliases.has(ref) || (ref <= REF_MAX && table.slotOf(ref) >= 0),
    metadata: head.families.inLog(name => refOfMetric(head, name)),
    liveSeries: () => liveSeries(head),
  };
  for (const [ref, { lastTime }] of head.aliases) if (lastTime < minTime) head.aliases.delete(ref);
  try {
    const monotonic = (): number => options.clock.monotonic();
    const stats = await writeCheckpoint(dir, to, needed, {
      logger: options.logger,
      monotonic,
      slicer: new Slicer(monotonic),
      ...(fs && { fs }),
    });
    dropReplaced(dir, to);
    metrics.checkpoints.inc();
    options.logger.info('log truncated', { segment: to, ...stats });
  } catch (error) {
    metrics.checkpointsFailed.inc();
    throw error;
  }
}

function* liveSeries({ index, unlogged }: Head): Generator<LiveSeries> {
  const { table } = index;
  const notYet = new Set(unlogged);
  for (const ref of index.allPostings()) {
    const slot = table.slotOf(ref);
    if (slot >= 0 && !notYet.has(ref)) yield { ref, pairs: index.labelsOf(slot).pairs };
  }
}

async function dropSeries(
  head: Head,
  { time, keepTouched }: Collection,
  { slicer, dirty }: { slicer: Slicer; dirty: Set<number> },
): Promise<number> {
  const { index, order } = head;
  const { table, lists } = index;
  const refs = index.allPostings();
  head.storedMinTime = Number.POSITIVE_INFINITY;
  let minTime = Number.POSITIVE_INFINITY;
  let removed = 0;
  await order.settled();
  for (let i = 0; i < refs.length; i++) {
    if (i % SLICE_SERIES === SLICE_SERIES - 1 && slicer.due) {
      await slicer.pause();
      await order.settled();
    }
    const slot = table.slotOf(refs[i]!);
    if (slot < 0) continue;
    if (head.dropBefore(slot, time) > 0) minTime = Math.min(minTime, head.minTimeOf(slot));
    else if (!(keepTouched && table.recentlyTouched(slot)) && !head.outOfOrder.has(refs[i]!)) {
      lists.lists(table.symbols(slot), list => dirty.add(list));
      table.remove(slot);
      head.free(slot);
      removed++;
    }
  }
  head.minTime = Math.min(minTime, head.storedMinTime);
  return removed;
}

async function collectSymbols(head: Head, slicer: Slicer): Promise<void> {
  const { table, symbols } = head.index;
  const refs = head.index.allPostings();
  symbols.beginMark();
  for (let i = 0; i < refs.length; i++) {
    const slot = table.slotOf(refs[i]!);
    if (slot >= 0) for (const symbol of table.symbols(slot)) symbols.mark(symbol);
    if (i % SLICE_SERIES === 0 && slicer.due) await slicer.pause();
  }
  await symbols.sweep(slicer);
}

/** Forgets deletions before `time`, but for those of out-of-order samples. Nothing may be deleted meanwhile. */
export async function collectTombstones(head: Head, time: number, slicer: Slicer): Promise<void> {
  if (head.deletedFrom.size === 0) return;
  const kept = new Tombstones();
  let looked = 0;
  for (const ref of head.deletedFrom) {
    if (++looked % SLICE_SERIES === 0 && slicer.due) await slicer.pause();
    const from = Math.min(time, head.outOfOrder.rangeOf(ref).minTime);
    const ranges = head.tombstones.intervals(ref).filter(range => range.maxTime >= from);
    if (ranges.length === 0 || head.index.table.slotOf(ref) < 0) head.deletedFrom.delete(ref);
    else for (const range of ranges) kept.add(ref, range);
  }
  head.tombstones = kept;
}
