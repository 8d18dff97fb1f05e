// The head: the newest samples, in memory, with the log that makes them survive. This file holds its
// state and rules; writing, reading, collecting and replaying are its neighbours'.

import { SeriesArena } from '../../kernels/series-arena.ts';
import type { Labels } from '../../labels/labels.ts';
import { labelsProblem } from '../../labels/validate.ts';
import type { Clock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type {
  Appendable,
  Appender,
  MetadataSource,
  MetricMetadata,
  SeriesRef,
} from '../../storage/appender.ts';
import type { Querier, Queryable } from '../../storage/queryable.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Registry } from '../../telemetry/metrics.ts';
import { Tombstones } from '../block/tombstones.ts';
import type { LogWriter } from '../wal/log-writer.ts';
import { type ExemplarMetrics, newExemplarMetrics } from './exemplars/exemplar-metrics.ts';
import { ExemplarStore } from './exemplars/exemplar-store.ts';
import { FamilyMetadata } from './family-metadata.ts';
import { HeadAppender } from './head-appender.ts';
import { HeadIndex } from './head-index.ts';
import { type HeadMetrics, newHeadMetrics } from './head-metrics.ts';
import { HeadQuerier } from './head-querier.ts';
import { HistogramStore } from './histograms/histogram-store.ts';
import { OutOfOrderBatch } from './out-of-order/out-of-order-batch.ts';
import { OutOfOrderStore } from './out-of-order/store.ts';
import { ReadLeases } from './read-leases.ts';
import { SampleBatch } from './sample-batch.ts';
import { SeriesOrder } from './series-order.ts';

/** Largest reference: they are kept in 32 bits and never used again while the log lives. */
export const REF_MAX = 0xffff_ffff;

export interface HeadOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Chunks never cross a multiple of this; it is the range of the blocks cut from the head. */
  readonly chunkRangeMs: number;
  /** Most series at a time. */
  readonly seriesMax: number;
  /** How far ahead of the clock a sample may be. */
  readonly futureMs: number;
  /** How far behind the newest sample others may be that are older than their series; default 0, none. */
  readonly outOfOrderMs?: number;
  /** Limit of the memory for samples; default 4 GiB, which is also the most. */
  readonly bytesMax?: number;
  /** Most exemplars kept, of all series together; default 0, none. */
  readonly exemplarsMax?: number;
}

/** A reference that stands for another one. */
export interface Alias {
  /** The series' reference in the head. */
  readonly ref: number;
  /** Unix ms of the last sample logged under it. */
  lastTime: number;
}

/** Series and samples in memory. Everything synchronous in it is atomic to others. */
export class Head implements Appendable, Queryable, MetadataSource {
  readonly options: HeadOptions;
  readonly arena: SeriesArena;
  readonly index: HeadIndex = new HeadIndex();
  readonly order: SeriesOrder = new SeriesOrder(this.index);
  readonly families: FamilyMetadata = new FamilyMetadata();
  readonly leases: ReadLeases = new ReadLeases();
  readonly metrics: HeadMetrics;
  /** Series with histograms; what the arena holds of them is older. */
  readonly histograms: HistogramStore;
  readonly exemplars: ExemplarStore;
  readonly exemplarMetrics: ExemplarMetrics;
  /** Samples older than their series' newest. What this class says of the oldest time leaves them out. */
  readonly outOfOrder: OutOfOrderStore;
  /** The out-of-order samples of the batch that is being committed. */
  readonly outOfOrderBatch: OutOfOrderBatch = new OutOfOrderBatch();
  /** References of series that are not in the log yet, in order of creation. */
  readonly unlogged: number[] = [];
  /**
   * References that are in the log beside that of the same series in the head. The log needs them until a
   * checkpoint passes their last sample.
   */
  readonly aliases: Map<number, Alias> = new Map<number, Alias>();
  /** Deleted ranges by reference. */
  tombstones: Tombstones = new Tombstones();
  /** References that have tombstones. */
  readonly deletedFrom: Set<number> = new Set<number>();
  /** No sample is older; Infinity while empty. */
  minTime: number = Number.POSITIVE_INFINITY;
  /** Oldest time stored since a collection began. */
  storedMinTime: number = Number.POSITIVE_INFINITY;
  /** Newest time that was stored, −Infinity while nothing was. */
  maxTime: number = Number.NEGATIVE_INFINITY;
  /** Samples before this are refused: they belong to a range that is in blocks, or about to be. */
  minValidTime: number = Number.NEGATIVE_INFINITY;
  /** Readers see nothing before this: it is in blocks. */
  visibleFrom: number = Number.NEGATIVE_INFINITY;
  nextRef = 1;
  /** Where batches are logged; null while the log is replayed, and in a head that has none. */
  log: LogWriter | null = null;
  /** Where out-of-order samples are logged; null as `log` is, and where none are taken. */
  outOfOrderLog: LogWriter | null = null;
  readonly #batches: SampleBatch[] = [];
  readonly #failing = new Set<LogWriter>();

  constructor(options: HeadOptions) {
    this.options = options;
    const { chunkRangeMs, bytesMax, registry } = options;
    this.arena = new SeriesArena({
      chunkRangeMs,
      ...(bytesMax !== undefined && { maxBytes: bytesMax }),
    });
    this.histograms = new HistogramStore(chunkRangeMs);
    this.exemplars = new ExemplarStore(options.exemplarsMax ?? 0);
    this.exemplarMetrics = newExemplarMetrics(registry, this.exemplars);
    this.outOfOrder = new OutOfOrderStore(chunkRangeMs);
    this.metrics = newHeadMetrics(registry, () => ({
      series: this.index.table.size,
      chunks: this.arena.chunkCount + this.histograms.chunkCount,
      minTime: Number.isFinite(this.minTime) ? this.minTime : Number.NaN,
      maxTime: Number.isFinite(this.maxTime) ? this.maxTime : Number.NaN,
      bytesAllocated: this.arena.bytesAllocated + this.#bytesBeside,
      bytesInUse: this.arena.bytesInUse + this.#bytesBeside,
      symbols: this.index.symbols.size,
    }));
  }

  /** Series in the head. */
  get seriesCount(): number {
    return this.index.table.size;
  }

  appender(): Appender {
    return new HeadAppender(this, this.#batches.pop() ?? new SampleBatch());
  }

  querier(minTime: number, maxTime: number): Querier {
    return new HeadQuerier(this, { minTime, maxTime });
  }

  metadata(): ReadonlyMap<string, MetricMetadata> {
    return this.families.families;
  }

  /**
   * Samples before this are refused. Half a chunk range behind the newest sample there is no way back; a
   * newest sample from a clock that has since stepped back does not count beyond what may be written now.
   */
  get appendableFrom(): number {
    return Math.max(this.minValidTime, this.#newest - this.options.chunkRangeMs / 2);
  }

  /**
   * Samples from here on may be older than their series' newest one; Infinity where none may. In a head
   * that is still empty `newest` stands for its newest sample.
   */
  outOfOrderFrom(newest: number): number {
    const { outOfOrderMs = 0 } = this.options;
    // While the head is being emptied nothing is taken.
    if (outOfOrderMs <= 0 || this.minValidTime === Number.POSITIVE_INFINITY) {
      return Number.POSITIVE_INFINITY;
    }
    const known = Math.max(this.#newest, this.minValidTime);
    return (Number.isFinite(known) ? known : newest) - outOfOrderMs;
  }

  /** Unix ms of the oldest sample, out-of-order ones included; Infinity while empty. */
  get oldestTime(): number {
    return Math.min(this.minTime, this.outOfOrder.minTime);
  }

  /** Unix ms of the newest sample, out-of-order ones included; −Infinity while empty. */
  get newestTime(): number {
    return Math.max(this.maxTime, this.outOfOrder.maxTime);
  }

  get #newest(): number {
    const { clock, futureMs } = this.options;
    return Math.min(this.maxTime, clock.now() + futureMs);
  }

  /** Bytes of what is not in the arena. */
  get #bytesBeside(): number {
    return this.index.bytes + this.outOfOrder.bytesHeld + this.histograms.bytes;
  }

  /** Throws `limit-exceeded` where the memory for samples is used up. */
  checkHistogramRoom(): void {
    const { bytesMax = BYTES_MAX } = this.options;
    const used = this.arena.bytesInUse + this.histograms.bytes;
    if (used < bytesMax) return;
    throw new OutpostError(
      'limit-exceeded',
      `append histograms: samples use ${used} bytes of the ${bytesMax} they may`,
    );
  }

  /** Whether a chunk of the slot, in order, overlaps minTime…maxTime. */
  hasSamplesIn(slot: number, minTime: number, maxTime: number): boolean {
    if (this.arena.hasSamplesIn(slot, minTime, maxTime)) return true;
    return this.histograms.get(slot)?.overlaps(minTime, maxTime) ?? false;
  }

  /** Time of the slot's oldest sample in order, Infinity where there is none. */
  minTimeOf(slot: number): number {
    const time = this.arena.minTime(slot);
    return Math.min(time, this.histograms.get(slot)?.minTime ?? Number.POSITIVE_INFINITY);
  }

  /** Time of the slot's newest sample, −Infinity where there is none. */
  maxTimeOf(slot: number): number {
    const time = this.arena.maxTime(slot);
    return Math.max(time, this.histograms.get(slot)?.maxTime ?? Number.NEGATIVE_INFINITY);
  }

  /** Releases the slot's chunks that end before `time`; how many are left. */
  dropBefore(slot: number, time: number): number {
    const left = this.arena.dropBefore(slot, time);
    return this.histograms.size === 0 ? left : left + this.histograms.dropBefore(slot, time);
  }

  /** Releases a series' samples and its slot. */
  free(slot: number): void {
    this.arena.free(slot);
    this.histograms.free(slot);
  }

  /** The series' reference, created where it is new. Throws `bad-data` and `limit-exceeded`. */
  refFor(labels: Labels): SeriesRef {
    const { table } = this.index;
    const known = this.index.find(labels.pairs);
    if (known >= 0) {
      table.touch(known);
      return table.refOf(known);
    }
    const problem = labelsProblem(labels);
    if (problem !== null) {
      throw new OutpostError('bad-data', `create series: ${problem}: ${clip(labels.toString())}`);
    }
    if (table.size >= this.options.seriesMax) {
      this.metrics.refused['series-limit'].inc();
      throw new OutpostError(
        'limit-exceeded',
        `create series: the head holds ${table.size} series, its limit: ${clip(labels.toString())}`,
      );
    }
    const ref = this.createSeries(this.nextRef, labels.pairs);
    this.unlogged.push(ref);
    return ref;
  }

  /** Adds a series that is not in the head under a reference that never was. Throws `limit-exceeded`. */
  createSeries(ref: number, pairs: readonly string[]): SeriesRef {
    if (ref > REF_MAX) {
      throw new OutpostError('limit-exceeded', `create series: all ${REF_MAX} references are used`);
    }
    const slot = this.arena.create(ref);
    try {
      this.index.add(slot, ref, pairs);
    } catch (error) {
      this.arena.free(slot);
      throw error;
    }
    this.noteCreated(ref);
    return ref;
  }

  /** Whether there may be another series. */
  get hasRoom(): boolean {
    return this.index.table.size < this.options.seriesMax && this.nextRef <= REF_MAX;
  }

  /** Tells of a series that stands in arena and index. */
  noteCreated(ref: number): void {
    this.order.add(ref);
    this.nextRef = Math.max(this.nextRef, ref + 1);
    this.metrics.seriesCreated.inc();
  }

  /** Says that everything before `time` is in blocks: it is neither taken nor shown any more. */
  coverBefore(time: number): void {
    this.minValidTime = Math.max(this.minValidTime, time);
    this.visibleFrom = Math.max(this.visibleFrom, time);
  }

  /** Widens the head's range by samples that were just applied. */
  noteStored(count: number, minTime: number, maxTime: number): void {
    this.metrics.samplesAppended.inc(count);
    this.minTime = Math.min(this.minTime, minTime);
    this.storedMinTime = Math.min(this.storedMinTime, minTime);
    this.maxTime = Math.max(this.maxTime, maxTime);
  }

  /** Takes a spent appender's columns back. */
  recycle(batch: SampleBatch): void {
    if (this.#batches.length < BATCHES_KEPT && batch.clear()) this.#batches.push(batch);
  }

  /** Writes to a log; tells once when that starts and ends to fail. Throws `unavailable`. */
  writeLog(records: readonly Uint8Array[], log: LogWriter | null = this.log): void {
    if (!log || records.length === 0) return;
    try {
      log.log(records);
    } catch (error) {
      if (!this.#failing.has(log)) this.options.logger.error('ingest is paused', { err: error });
      this.#failing.add(log);
      throw error;
    }
    if (this.#failing.delete(log)) {
      this.options.logger.info('ingest goes on: the log can be written again');
    }
  }

  /** True while the last batch could not be logged. */
  get paused(): boolean {
    return this.#failing.size > 0;
  }
}

const BYTES_MAX = 2 ** 32;
const BATCHES_KEPT = 16;
const TEXT_MAX = 500;

function clip(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
