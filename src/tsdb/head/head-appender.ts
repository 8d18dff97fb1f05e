// One batch on its way into the head: queued as columns, judged together, logged, applied. From judging to
// applying nothing gives way, so readers and other batches see all of it or nothing. Samples that are older
// than their series' newest take a way of their own, through their own log.

import { SampleStatus } from '../../kernels/series-arena.ts';
import type { Labels } from '../../labels/labels.ts';
import { assert } from '../../lifecycle/errors.ts';
import type {
  Appender,
  CommitResult,
  LabelSets,
  MetricMetadata,
  RefusalReason,
  SeriesRef,
} from '../../storage/appender.ts';
import type { Exemplar } from '../../storage/exemplar.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import { isStale, isStaleAt } from '../../storage/stale.ts';
import type { LoggedExemplar } from '../wal/exemplars-record.ts';
import { ExemplarBatch } from './exemplars/exemplar-batch.ts';
import type { Head } from './head.ts';
import { HistogramBatch } from './histograms/histogram-batch.ts';
import { HistogramQueue } from './histograms/histogram-queue.ts';
import { refsOfSets } from './label-sets.ts';
import { logBatch } from './log-batch.ts';
import { Held } from './out-of-order/held.ts';
import type { LateSample, StagedBatch } from './out-of-order/out-of-order-batch.ts';
import { Refusals } from './refusals.ts';
import type { SampleBatch } from './sample-batch.ts';

const REASONS: Readonly<Record<number, RefusalReason>> = {
  [SampleStatus.outOfOrder]: 'out-of-order',
  [SampleStatus.duplicate]: 'duplicate-sample',
  [SampleStatus.outOfBounds]: 'out-of-bounds',
  [SampleStatus.noSeries]: 'unknown-series',
};

const NO_REFS: ReadonlySet<number> = new Set();

/** Appends to a head. */
export class HeadAppender implements Appender {
  readonly #head: Head;
  #batch: SampleBatch | null;
  #metadata: Map<string, MetricMetadata> | null = null;
  #histograms: HistogramQueue | null = null;
  #exemplars: LoggedExemplar[] | null = null;
  readonly #refusals: Refusals;
  /** Samples from here on may be stored out of order. */
  #lateFrom = Number.POSITIVE_INFINITY;
  /** Series whose markers end them. */
  #ended: ReadonlySet<number> = NO_REFS;

  constructor(head: Head, batch: SampleBatch) {
    this.#head = head;
    this.#batch = batch;
    this.#refusals = new Refusals(head.index);
  }

  series(labels: Labels): SeriesRef {
    return this.#head.refFor(labels);
  }

  seriesOf(sets: LabelSets, refs: Uint32Array): void {
    refsOfSets(this.#head, sets, refs);
  }

  append(ref: SeriesRef, time: number, value: number): void {
    this.#queue().push(ref, time, value);
  }

  appendStale(ref: SeriesRef, time: number): void {
    this.#queue().pushStale(ref, time);
  }

  appendColumns(refs: Uint32Array, times: Float64Array, values: Float64Array, count: number): void {
    this.#queue().append(refs, times, values, count);
  }

  appendHistogram(ref: SeriesRef, time: number, histogram: FloatHistogram): void {
    if (isStale(histogram.sum)) {
      this.appendStale(ref, time);
      return;
    }
    const floats = this.#queue().length;
    this.#histograms ??= new HistogramQueue();
    this.#histograms.push(ref, time, histogram, floats);
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): void {
    this.#exemplars ??= [];
    this.#exemplars.push({ ref, exemplar });
  }

  metadata(metricName: string, metadata: MetricMetadata): void {
    this.#metadata ??= new Map();
    this.#metadata.set(metricName, metadata);
  }

  rollback(): void {
    this.#head.recycle(this.#take());
  }

  async commit(): Promise<CommitResult> {
    const batch = this.#take();
    try {
      return this.#commit(batch);
    } finally {
      this.#head.recycle(batch);
    }
  }

  #commit(queued: SampleBatch): CommitResult {
    const head = this.#head;
    const { arena } = head;
    const mixed = this.#mixedBatch();
    const count = this.#fill(queued, mixed);
    const accepted = count > 0 ? arena.judge(count, head.appendableFrom) : 0;
    const { acceptedMinTime, acceptedMaxTime } = arena;
    for (const [name, metadata] of this.#metadata ?? []) head.families.set(name, metadata);
    const exemplars = this.#judgeExemplars();
    let stored = accepted;
    let histograms = 0;
    try {
      if (accepted < count || mixed) {
        const newest = Math.max(acceptedMaxTime, mixed?.newestTime ?? acceptedMaxTime);
        this.#lateFrom = head.outOfOrderFrom(newest);
        this.#prepareLate(count + (mixed?.length ?? 0), queued);
        stored += this.#explain(count);
        if (mixed) {
          const judged = this.#judgeMixed(mixed);
          stored += judged.stored;
          histograms = judged.histograms;
        }
        const late = this.#judgeLate({ count, mixed: mixed?.accepted ?? [] });
        stored += late.stored;
        histograms += late.histograms;
      }
      const others = mixed?.records() ?? [];
      const record = exemplars?.record();
      if (record) others.push(record);
      logBatch(head, accepted > 0 ? count : 0, others);
    } catch (error) {
      arena.discard(count);
      throw error;
    }
    if (accepted > 0) {
      arena.apply(count);
      head.noteStored(accepted, acceptedMinTime, acceptedMaxTime);
    } else arena.discard(count);
    mixed?.apply();
    exemplars?.apply();
    if (accepted < count || mixed) storeLate(head);
    this.#refusals.count(head.metrics);
    return {
      stored,
      histograms,
      exemplars: exemplars?.accepted ?? 0,
      exemplarsRefused: exemplars?.refused ?? 0,
      refused: this.#refusals.counts,
      examples: this.#refusals.examples,
    };
  }

  /** For series with histograms, where there may be any in the batch; null, most often, where not. */
  #mixedBatch(): HistogramBatch | null {
    const head = this.#head;
    if (!this.#histograms) return head.histograms.size > 0 ? new HistogramBatch(head) : null;
    head.checkHistogramRoom();
    return new HistogramBatch(head, this.#histograms.slots(head));
  }

  /**
   * Copies the samples that have a series and an acceptable time to the arena, and those of series with
   * histograms to their batch; returns how many are in the arena.
   */
  #fill({ refs, times, values, length }: SampleBatch, mixed: HistogramBatch | null): number {
    const { arena, index, options } = this.#head;
    const columns = arena.batch(length);
    const latest = options.clock.now() + options.futureMs;
    const { table } = index;
    let count = 0;
    let slot = -1;
    for (let i = 0; i < length; i++) {
      // A series' samples stand together where there are several.
      if (i === 0 || refs[i] !== refs[i - 1]) slot = table.slotOf(refs[i]!);
      const time = times[i]!;
      if (slot < 0) this.#refusals.add('unknown-series', { slot, time });
      else if (time > latest) this.#refusals.add('too-far-in-future', { slot, time });
      else if (mixed?.owns(slot)) {
        this.#histograms?.stage(this.#head, mixed, i, this.#refusals);
        mixed.addFloat({ slot, ref: refs[i]!, time }, values, i);
      } else {
        columns.slots[count] = slot;
        columns.times[count] = time;
        columns.values[count++] = values[i]!;
      }
    }
    if (mixed) this.#histograms?.stage(this.#head, mixed, length, this.#refusals);
    return count;
  }

  #prepareLate(count: number, { ended }: SampleBatch): void {
    const { outOfOrderBatch: late } = this.#head;
    this.#ended = new Set(ended);
    late.clear(this.#lateFrom < Number.POSITIVE_INFINITY ? count : 0);
  }

  /**
   * Counts what the arena did not accept and hands on what may be stored out of order; returns how many were
   * the same as what is stored.
   */
  #explain(count: number): number {
    const { arena, index } = this.#head;
    const { slots, times, values, status } = arena.batch(count);
    let identical = 0;
    for (let i = 0; i < count; i++) {
      const verdict = status[i]!;
      if (verdict === SampleStatus.accepted) continue;
      const slot = slots[i]!;
      if (verdict === SampleStatus.identical) identical++;
      else
        this.#turnDown(verdict, { slot, ref: index.table.refOf(slot), time: times[i]! }, values, i);
    }
    return identical;
  }

  /** Refuses the float `values[i]`, or hands it on where it may be stored out of order. */
  #turnDown(verdict: number, sample: LateSample, values: Float64Array, i: number): void {
    const { ref, time } = sample;
    const older = verdict === SampleStatus.outOfOrder || verdict === SampleStatus.outOfBounds;
    // The marker of a series that is gone; where newer samples are there it came back.
    const ending = this.#ended.has(ref) && isStaleAt(values, i);
    const taken = older && this.#lateFrom < Number.POSITIVE_INFINITY && Number.isSafeInteger(time);
    if (!taken || ending) this.#refusals.add(REASONS[verdict]!, sample);
    else if (time < this.#lateFrom) this.#refusals.add('too-old', sample);
    else this.#head.outOfOrderBatch.add(sample, values, i);
  }

  #judgeMixed(mixed: HistogramBatch): { stored: number; histograms: number } {
    let stored = 0;
    let histograms = 0;
    mixed.judge(this.#head.appendableFrom, ({ slot, ref, sample }, status) => {
      const { time, kind, value } = sample;
      if (status === SampleStatus.accepted || status === SampleStatus.identical) {
        stored++;
        if (kind !== 'float') histograms++;
      } else if (kind === 'float') this.#turnDown(status, { slot, ref, time }, value, 0);
      else this.#turnDownHistogram(status, { slot, ref, time }, sample.histogram);
    });
    return { stored, histograms };
  }

  /** `#turnDown` for a histogram, or for a marker behind one where it is null. */
  #turnDownHistogram(verdict: number, sample: LateSample, histogram: FloatHistogram | null): void {
    const { slot, ref, time } = sample;
    const older = verdict === SampleStatus.outOfOrder || verdict === SampleStatus.outOfBounds;
    const ending = histogram === null && this.#ended.has(ref);
    const taken = older && this.#lateFrom < Number.POSITIVE_INFINITY && Number.isSafeInteger(time);
    const refused = { slot, time, isHistogram: true };
    if (!taken || ending) this.#refusals.add(REASONS[verdict]!, refused);
    else if (time < this.#lateFrom) this.#refusals.add('too-old', refused);
    else this.#head.outOfOrderBatch.addHistogram(sample, histogram);
  }

  /** Judges the samples that may be stored out of order; returns how many are new or stored already. */
  #judgeLate(staged: StagedBatch): { stored: number; histograms: number } {
    const late = this.#head.outOfOrderBatch;
    late.judge(this.#head, staged);
    for (let i = 0; i < late.length; i++) {
      if (late.verdicts[i] !== Held.different) continue;
      const refused = { slot: late.slots[i]!, time: late.samples.times[i]! };
      const isHistogram = late.histograms?.[i] !== undefined;
      this.#refusals.add('duplicate-sample', { ...refused, isHistogram });
    }
    return {
      stored: late.fresh + late.identical,
      histograms: late.freshHistograms + late.identicalHistograms,
    };
  }

  #judgeExemplars(): ExemplarBatch | null {
    if (!this.#exemplars) return null;
    const batch = new ExemplarBatch(this.#head);
    for (const exemplar of this.#exemplars) batch.add(exemplar);
    return batch;
  }

  #queue(): SampleBatch {
    assert(this.#batch, 'append to a spent appender');
    return this.#batch;
  }

  #take(): SampleBatch {
    const batch = this.#queue();
    this.#batch = null;
    return batch;
  }
}

/** Logs and stores the batch's samples that are out of order. The rest of the batch has been stored. */
function storeLate(head: Head): void {
  const late = head.outOfOrderBatch;
  if (late.fresh === 0) return;
  if (head.outOfOrderLog) head.writeLog(late.encode(), head.outOfOrderLog);
  late.apply(head.outOfOrder);
  const { metrics } = head;
  metrics.samplesAppended.inc(late.fresh - late.freshHistograms);
  metrics.outOfOrderAppended.inc(late.fresh - late.freshHistograms);
  metrics.histogramsAppended.inc(late.freshHistograms);
  metrics.outOfOrderHistogramsAppended.inc(late.freshHistograms);
}
