// The series of one selection over the head, batch by batch. Labels and samples stay where they are until
// somebody asks.

import type { Labels } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import type { Chunk, Series, SeriesSet } from '../../storage/series.ts';
import { dropIntervals, isCovered } from '../block/deleted-samples.ts';
import type { TimeInterval } from '../block/tombstones.ts';
import type { Head } from './head.ts';
import type { InOrderSeries, OutOfOrderSnapshot } from './out-of-order/snapshot.ts';
import type { ReadLease } from './read-leases.ts';

const BATCH_SERIES = 256;
/** Series whose samples are brought near at a time: as much as the caches nearest to the processor hold. */
const AHEAD_SERIES = 16;

/** One selection. */
export interface HeadSelection {
  readonly refs: Uint32Array;
  /** Range of the samples in order. */
  readonly range: TimeInterval;
  /** Made at the same moment as the set, with nothing noted yet. */
  readonly outOfOrder: OutOfOrderSnapshot;
  readonly lease: ReadLease;
  readonly labelsOnly: boolean;
  /** True: samples before the newest in range may be left out. */
  readonly newestOnly?: boolean;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** Series with a chunk in range, or samples out of order, in the order of the references. Made in one go: see `#fix`. */
export class HeadSeriesSet implements SeriesSet {
  readonly warnings: readonly string[] = [];
  readonly #head: Head;
  readonly #selection: HeadSelection;
  readonly #reading: Reading;
  /** Null where nothing is out of order, which is what most heads always are. */
  readonly #outOfOrder: OutOfOrderSnapshot | null;
  /** References of the selection, and the time up to which each is read. */
  #refs: Uint32Array;
  #maxTimes: Float64Array;
  #at = 0;

  constructor(head: Head, selection: HeadSelection) {
    this.#head = head;
    this.#selection = selection;
    this.#reading = new Reading(head, selection);
    this.#outOfOrder = selection.outOfOrder.isEmpty ? null : selection.outOfOrder;
    this.#refs = new Uint32Array(selection.refs.length);
    this.#maxTimes = new Float64Array(selection.refs.length);
    this.#fix();
  }

  async next(): Promise<readonly Series[] | null> {
    const { signal, lease, labelsOnly } = this.#selection;
    if (signal?.aborted) throw OutpostError.from(signal.reason);
    if (this.#at >= this.#refs.length) return null;
    lease.check();
    const end = Math.min(this.#at + BATCH_SERIES, this.#refs.length);
    const batch: Series[] = [];
    this.#reading.startBatch();
    for (; this.#at < end; this.#at++) {
      const ref = this.#refs[this.#at]!;
      const slot = this.#head.index.table.slotOf(ref);
      if (slot < 0) {
        if (this.#outOfOrder?.holds(ref)) throw removed();
        continue;
      }
      const series = new HeadSeries(this.#reading, slot, ref, this.#maxTimes[this.#at]!);
      batch.push(this.#outOfOrder && !labelsOnly ? this.#outOfOrder.join(series, ref) : series);
    }
    return batch.length > 0 ? batch : this.next();
  }

  close(): void {
    this.#at = this.#refs.length;
  }

  /** Notes each series' newest sample: samples only ever follow it, so it bounds what was there now. */
  #fix(): void {
    const { refs, range, limit } = this.#selection;
    const head = this.#head;
    const { arena, index, histograms } = head;
    const { table } = index;
    const kept = this.#refs;
    const maxTimes = this.#maxTimes;
    const slots = new Uint32Array(refs.length);
    let found = 0;
    for (let i = 0; i < refs.length; i++) {
      const slot = table.slotOf(refs[i]!);
      if (slot < 0) continue;
      kept[found] = refs[i]!;
      slots[found++] = slot;
    }
    arena.newestIn(slots, found, range, maxTimes);
    let count = 0;
    const anyDeleted = head.deletedFrom.size > 0;
    for (let i = 0; i < found && count < limit; i++) {
      const ref = kept[i]!;
      const slot = slots[i]!;
      if (anyDeleted && head.deletedFrom.has(ref) && isDeletedIn(head, { slot, ref }, range))
        continue;
      let newest = maxTimes[i]!;
      let inOrder = newest !== Number.NEGATIVE_INFINITY;
      if (histograms.size > 0) {
        inOrder = head.hasSamplesIn(slot, range.minTime, range.maxTime);
        newest = head.maxTimeOf(slot);
      } else if (!inOrder) newest = arena.maxTime(slot);
      const outOfOrder = this.#outOfOrder?.note(ref) ?? false;
      if (!inOrder && !outOfOrder) continue;
      kept[count] = ref;
      maxTimes[count++] = Math.min(range.maxTime, newest);
    }
    this.#refs = kept.subarray(0, count);
    this.#maxTimes = maxTimes.subarray(0, count);
  }
}

/** True where deletions leave nothing of the series' samples in range. */
function isDeletedIn(
  head: Head,
  { slot, ref }: { readonly slot: number; readonly ref: number },
  { minTime, maxTime }: TimeInterval,
): boolean {
  const late = head.outOfOrder.rangeOf(ref);
  const from = Math.min(late.minTime, Math.max(minTime, head.minTimeOf(slot)));
  const to = Math.max(late.maxTime, Math.min(maxTime, head.maxTimeOf(slot)));
  return isCovered(from, to, head.tombstones.intervals(ref));
}

/** What the series of one selection share. */
class Reading {
  readonly head: Head;
  readonly selection: HeadSelection;
  #nameSymbol = -1;
  /** Slots of the batch in its order, and how many of them have been brought near. */
  readonly #slots = new Uint32Array(BATCH_SERIES);
  #count = 0;
  #ahead = 0;

  constructor(head: Head, selection: HeadSelection) {
    this.head = head;
    this.selection = selection;
  }

  startBatch(): void {
    this.#count = 0;
    this.#ahead = 0;
  }

  /** Adds a slot to the batch; its place there. */
  addSlot(slot: number): number {
    this.#slots[this.#count] = slot;
    return this.#count++;
  }

  /** Called before the samples of a place are read. */
  arriveAt(place: number): void {
    if (place < this.#ahead) return;
    const { minTime, maxTime } = this.selection.range;
    this.#ahead = Math.min(place + AHEAD_SERIES, this.#count);
    this.head.arena.readAhead(this.#slots.subarray(place, this.#ahead), minTime, maxTime);
  }

  /** A label name's symbol; readers ask for the same name series after series. */
  symbolOf(name: string): number {
    const { symbols } = this.head.index;
    if (this.#nameSymbol < 0 || symbols.text(this.#nameSymbol) !== name) {
      this.#nameSymbol = symbols.find(name);
    }
    return this.#nameSymbol;
  }
}

class HeadSeries implements InOrderSeries {
  readonly #reading: Reading;
  readonly #slot: number;
  readonly #ref: number;
  readonly #maxTime: number;
  readonly #place: number;
  #labels: Labels | null;

  constructor(reading: Reading, slot: number, ref: number, maxTime: number) {
    this.#reading = reading;
    this.#slot = slot;
    this.#ref = ref;
    this.#maxTime = maxTime;
    this.#place = reading.addSlot(slot);
    const { selection, head } = reading;
    this.#labels = selection.labelsOnly ? head.index.labelsOf(slot) : null;
  }

  get labels(): Labels {
    this.#labels ??= this.#live().index.labelsOf(this.#slot);
    return this.#labels;
  }

  label(name: string): string {
    if (this.#labels) return this.#labels.get(name);
    return this.#live().index.labelOf(this.#slot, this.#reading.symbolOf(name));
  }

  chunks(): readonly Chunk[] | null {
    const { arena, histograms } = this.#live();
    if (this.deleted().length > 0) return null;
    const { minTime } = this.#reading.selection.range;
    const chunks = arena.chunks(this.#slot, minTime, this.#maxTime);
    const more = histograms.get(this.#slot)?.chunks(minTime, this.#maxTime);
    return more ? [...chunks, ...more] : chunks;
  }

  samples(out: SampleColumns): void {
    const { arena, histograms } = this.#live();
    if (this.#reading.selection.newestOnly && this.#newest(out)) return;
    const from = out.length;
    this.#reading.arriveAt(this.#place);
    const { minTime } = this.#reading.selection.range;
    arena.decodeInto(this.#slot, minTime, this.#maxTime, out);
    histograms.get(this.#slot)?.samples(minTime, this.#maxTime, out);
    const deleted = this.deleted();
    if (deleted.length > 0) dropIntervals(out, from, deleted);
  }

  deleted(): readonly TimeInterval[] {
    return this.#reading.head.tombstones.intervals(this.#ref);
  }

  /** Takes the newest sample without decoding where nothing newer than the range has come; false elsewhere. */
  #newest(out: SampleColumns): boolean {
    const { arena, histograms, tombstones } = this.#reading.head;
    if (out.length > 0 || histograms.get(this.#slot) || tombstones.intervals(this.#ref).length > 0)
      return false;
    out.reserve(1);
    const isThere = arena.last(this.#slot, out.times, out.values);
    const { minTime } = this.#reading.selection.range;
    if (!isThere || out.times[0] !== this.#maxTime || this.#maxTime < minTime) return false;
    out.length = 1;
    return true;
  }

  // A slot whose series is gone may already belong to another one.
  #live(): Head {
    const { head, selection } = this.#reading;
    selection.lease.check();
    if (!head.index.table.holds(this.#slot, this.#ref)) throw removed();
    return head;
  }
}

function removed(): OutpostError {
  return new OutpostError('unavailable', 'read the head: a series was removed meanwhile');
}
