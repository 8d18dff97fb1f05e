// One batch on its way into the head: queued as columns, judged together, logged, applied. From judging to
// applying nothing gives way, so readers and other batches see all of it or nothing. Samples that are older
// than their series' newest take a way of their own, through their own log.

import { SampleStatus } from '../../kernels/series-arena.ts';
import { Labels, METRIC_NAME } from '../../labels/labels.ts';
import { assert } from '../../lifecycle/errors.ts';
import type {
  Appender,
  CommitResult,
  MetricMetadata,
  Refusal,
  RefusalReason,
  SeriesRef,
} from '../../storage/appender.ts';
import { isStaleAt } from '../../storage/stale.ts';
import { encodeMetadataRecord } from '../wal/metadata-record.ts';
import { SeriesRecordWriter } from '../wal/series-record.ts';
import type { Head } from './head.ts';
import { Held } from './out-of-order/generation.ts';
import type { SampleBatch } from './sample-batch.ts';

const EXAMPLES_MAX = 5;

const REASONS: Readonly<Record<number, RefusalReason>> = {
  [SampleStatus.outOfOrder]: 'out-of-order',
  [SampleStatus.duplicate]: 'duplicate-sample',
  [SampleStatus.outOfBounds]: 'out-of-bounds',
  [SampleStatus.noSeries]: 'unknown-series',
};

const NO_REFUSALS: ReadonlyMap<RefusalReason, number> = new Map();

/** Appends to a head. */
export class HeadAppender implements Appender {
  readonly #head: Head;
  #batch: SampleBatch | null;
  #metadata: Map<string, MetricMetadata> | null = null;
  #refused: Map<RefusalReason, number> | null = null;
  readonly #examples: Refusal[] = [];

  constructor(head: Head, batch: SampleBatch) {
    this.#head = head;
    this.#batch = batch;
  }

  series(labels: Labels): SeriesRef {
    return this.#head.refFor(labels);
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
    const count = this.#fill(queued);
    const accepted = count > 0 ? arena.judge(count, head.appendableFrom) : 0;
    const { acceptedMinTime, acceptedMaxTime } = arena;
    for (const [name, metadata] of this.#metadata ?? []) head.families.set(name, metadata);
    let stored = accepted;
    try {
      if (accepted < count) {
        stored += this.#explain(count, queued);
        stored += this.#judgeLate(count);
      }
      logBatch(head, accepted > 0 ? count : 0);
    } catch (error) {
      arena.discard(count);
      throw error;
    }
    if (accepted > 0) {
      arena.apply(count);
      head.noteStored(accepted, acceptedMinTime, acceptedMaxTime);
    } else arena.discard(count);
    if (accepted < count) storeLate(head);
    for (const [reason, times] of this.#refused ?? []) head.metrics.refused[reason].inc(times);
    return { stored, refused: this.#refused ?? NO_REFUSALS, examples: this.#examples };
  }

  /** Copies the samples that have a series and an acceptable time to the arena; how many. */
  #fill({ refs, times, values, length }: SampleBatch): number {
    const { arena, index, options } = this.#head;
    const columns = arena.batch(length);
    const latest = options.clock.now() + options.futureMs;
    const { table } = index;
    let count = 0;
    for (let i = 0; i < length; i++) {
      const slot = table.slotOf(refs[i]!);
      const time = times[i]!;
      if (slot < 0) this.#refuse('unknown-series', Labels.empty, time);
      else if (time > latest) this.#refuse('too-far-in-future', slot, time);
      else {
        columns.slots[count] = slot;
        columns.times[count] = time;
        columns.values[count++] = values[i]!;
      }
    }
    return count;
  }

  /**
   * Counts what was not accepted and hands on what may be stored out of order; returns how many were the
   * same as what is stored.
   */
  #explain(count: number, { ended }: SampleBatch): number {
    const { arena, index, outOfOrderBatch: late } = this.#head;
    const { slots, times, values, status } = arena.batch(count);
    const from = this.#head.outOfOrderFrom(arena.acceptedMaxTime);
    late.clear(from < Number.POSITIVE_INFINITY ? count : 0);
    const endedRefs = new Set(ended);
    let identical = 0;
    for (let i = 0; i < count; i++) {
      const verdict = status[i]!;
      if (verdict === SampleStatus.accepted) continue;
      const slot = slots[i]!;
      const time = times[i]!;
      const older = verdict === SampleStatus.outOfOrder || verdict === SampleStatus.outOfBounds;
      if (verdict === SampleStatus.identical) identical++;
      else if (!older || from === Number.POSITIVE_INFINITY || !Number.isSafeInteger(time)) {
        this.#refuse(REASONS[verdict]!, slot, time);
      } else {
        const ref = index.table.refOf(slot);
        // The marker of a series that is gone; where newer samples are there it came back.
        const ending = endedRefs.has(ref) && isStaleAt(values, i);
        if (ending) this.#refuse(REASONS[verdict]!, slot, time);
        else if (time < from) this.#refuse('too-old', slot, time);
        else late.add({ slot, ref, time }, values, i);
      }
    }
    return identical;
  }

  /** Judges the samples that may be stored out of order; returns how many are new or stored already. */
  #judgeLate(count: number): number {
    const { outOfOrderBatch: late, outOfOrder, arena } = this.#head;
    late.judge(outOfOrder, arena, count);
    for (let i = 0; i < late.length; i++) {
      if (late.verdicts[i] !== Held.different) continue;
      this.#refuse('duplicate-sample', late.slots[i]!, late.samples.times[i]!);
    }
    return late.fresh + late.identical;
  }

  #refuse(reason: RefusalReason, series: number | Labels, time: number): void {
    this.#refused ??= new Map();
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    if (this.#examples.length >= EXAMPLES_MAX) return;
    const labels = typeof series === 'number' ? this.#head.index.labelsOf(series) : series;
    this.#examples.push({ reason, labels, time });
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
  if (head.outOfOrderLog) head.writeLog([late.encode()], head.outOfOrderLog);
  late.apply(head.outOfOrder);
  head.metrics.samplesAppended.inc(late.fresh);
  head.metrics.outOfOrderAppended.inc(late.fresh);
}

/** Logs what the head has not logged: new series, metadata and then the judged samples. */
function logBatch(head: Head, judged: number): void {
  if (!head.log) {
    head.unlogged.length = 0;
    return;
  }
  const records: Uint8Array[] = [];
  const created = head.unlogged.length;
  if (created > 0) {
    const record = seriesRecord(head);
    if (record) records.push(record);
  }
  const families = head.families.hasUnlogged
    ? head.families.loggable(name => refOfMetric(head, name))
    : null;
  if (families && families.size > 0) records.push(encodeMetadataRecord(families.values()));
  if (judged > 0) records.push(head.arena.encodeSamples(judged));
  head.writeLog(records);
  if (created > 0) head.unlogged.length = 0;
  if (families) head.families.logged(families.keys());
}

function seriesRecord(head: Head): Uint8Array | null {
  const { table, symbols } = head.index;
  const writer = new SeriesRecordWriter();
  for (const ref of head.unlogged) {
    const slot = table.slotOf(ref);
    if (slot < 0) continue;
    writer.add(
      ref,
      Array.from(table.symbols(slot), symbol => symbols.text(symbol)),
    );
  }
  return writer.empty ? null : writer.bytes();
}

/** Some series of a metric. */
export function refOfMetric(head: Head, metricName: string): number | undefined {
  const { symbols, lists } = head.index;
  const name = symbols.find(METRIC_NAME);
  const value = symbols.find(metricName);
  return name < 0 || value < 0 ? undefined : lists.first(name, value);
}
