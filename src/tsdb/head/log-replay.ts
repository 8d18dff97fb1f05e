// Rebuilds the head from its log at start: the newest checkpoint, then the segments behind it, record by
// record in bounded memory. Damage is passed over, counted and repaired; it never keeps the head from
// starting.

import { BATCH_SAMPLES_MAX } from '../../kernels/series-arena.ts';
import { METRIC_NAME } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Counter } from '../../telemetry/metrics.ts';
import type { ReplayProgress } from '../replay-progress.ts';
import { readSegment, type SegmentReading } from '../wal/log-reader.ts';
import { type LogSource, logSources } from '../wal/log-sources.ts';
import { decodeMetadataRecord } from '../wal/metadata-record.ts';
import type { RecordVisitor } from '../wal/record-scanner.ts';
import {
  isHistogramRecord,
  RECORD_EXEMPLARS,
  RECORD_METADATA,
  RECORD_SAMPLES,
  RECORD_SERIES,
  RECORD_TOMBSTONES,
  recordTypeName,
} from '../wal/record-type.ts';
import { repairSegment } from '../wal/repair.ts';
import { decodeSamplesRecord, LoggedSamples } from '../wal/samples-record.ts';
import { decodeSeriesRecord } from '../wal/series-record.ts';
import { decodeTombstonesRecord } from '../wal/tombstones-record.ts';
import { type Head, REF_MAX } from './head.ts';
import { HistogramBatch } from './histograms/histogram-batch.ts';
import { HistogramReplay } from './histograms/histogram-replay.ts';

/** What a replay found. */
export interface ReplayReport extends LogReport {
  series: number;
  /** Samples that are in the head now. */
  samples: number;
  /** Samples older than the newest block, out of order or there already. */
  samplesSkipped: number;
  /** Samples of series that the log does not name, or that did not fit. */
  samplesLost: number;
  /** Records that hold what is not kept here, by type. */
  readonly skipped: Map<string, number>;
}

/**
 * Replays the log in `dir` into a head that is empty, or holds what comes before segment `from`, and repairs
 * its damaged segments.
 */
export async function replayLog(
  head: Head,
  dir: string,
  corruptions?: Counter,
  { readOnly = false, from, progress, signal }: ReplayOptions = {},
): Promise<ReplayReport> {
  const { clock, logger } = head.options;
  const started = clock.monotonic();
  const slicer = new Slicer(() => clock.monotonic(), signal);
  const replay = new Replay(head);
  const { report } = replay;
  const visit = (record: Uint8Array): void => replay.record(record);
  await readLog(head, dir, visit, { report, slicer, readOnly, corruptions, from, progress });
  replay.finish();
  const seconds = (clock.monotonic() - started) / 1000;
  for (const [type, count] of report.skipped) head.metrics.replaySkipped.with(type).inc(count);
  const counts = Object.entries({ ...report, skipped: [...report.skipped].join(' ') });
  logger.info('log replayed', {
    seconds: Math.round(seconds * 1000) / 1000,
    ...Object.fromEntries(counts.filter(([, count]) => count !== 0 && count !== '')),
  });
  return report;
}

/** Hears how the reading goes on. */
export type ReadingProgress = Pick<ReplayProgress, 'advance'> &
  Partial<Pick<ReplayProgress, 'segment'>>;

export interface ReplayOptions {
  /** Leaves the directory as it is. */
  readonly readOnly?: boolean;
  /** The first segment to read; without it the whole log is read. */
  readonly from?: number | undefined;
  readonly progress?: ReadingProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is counted while a log is read. */
export interface LogReport {
  segments: number;
  records: number;
  /** Damaged places. */
  damages: number;
  /** Bytes of unfinished writes at the ends of segments. */
  tornBytes: number;
  /** Bytes of damaged places, with all that was written in them. */
  lostBytes: number;
}

/** Hands every record of a log to `visit` and repairs damaged segments. */
export async function readLog(
  head: Head,
  dir: string,
  visit: RecordVisitor,
  { report, slicer, readOnly, corruptions, from, progress }: LogReading,
): Promise<void> {
  const { logger } = head.options;
  const sources = logSources(dir);
  noteGaps(head, report, { dir, sources, corruptions });
  for (const source of sources) {
    if (from !== undefined && (source.inCheckpoint || source.segment < from)) continue;
    progress?.segment?.(source.segment);
    const onRead = (bytes: number): void => progress?.advance(bytes);
    const reading = await readSegment(source.path, visit, slicer, { onRead });
    report.segments++;
    report.records += reading.records;
    report.lostBytes += reading.lostBytes;
    if (reading.damages.length === 0) continue;
    noteDamage(head, report, { source, reading, corruptions });
    if (readOnly) continue;
    try {
      const repair = await repairSegment(source.path, reading, slicer);
      logger.info('log segment repaired', { segment: source.path, ...repair });
    } catch (error) {
      // What could be read is in the head; the next start tries again.
      logger.warn('log segment not repaired', { segment: source.path, err: error });
    }
  }
}

export interface LogReading {
  readonly report: LogReport;
  readonly slicer: Slicer;
  /** Repairs nothing. */
  readonly readOnly: boolean;
  readonly corruptions: Counter | undefined;
  /** The first segment to read; without it the whole log is read. */
  readonly from?: number | undefined;
  readonly progress?: ReadingProgress | undefined;
}

/** Counts places where segments are missing. Those behind are read all the same. */
function noteGaps(
  head: Head,
  report: LogReport,
  log: { dir: string; sources: readonly LogSource[]; corruptions: Counter | undefined },
): void {
  const { dir, sources, corruptions } = log;
  for (let i = 1; i < sources.length; i++) {
    const [before, after] = [sources[i - 1]!.segment, sources[i]!.segment];
    if (after <= before + 1) continue;
    report.damages++;
    corruptions?.inc();
    head.options.logger.error('log segments are missing', { dir, from: before + 1, to: after - 1 });
  }
}

function noteDamage(
  head: Head,
  report: LogReport,
  found: { source: LogSource; reading: SegmentReading; corruptions: Counter | undefined },
): void {
  const { source, reading, corruptions } = found;
  for (const { kind, offset, reason } of reading.damages) {
    // An unfinished last write is what every crash leaves; it was never acknowledged.
    if (kind === 'torn') {
      report.tornBytes += reading.fileBytes - offset;
      continue;
    }
    report.damages++;
    corruptions?.inc();
    head.options.logger.error('log damaged', { segment: source.path, offset, reason });
  }
}

/** Applies records to the head; `finish` ends it. */
export class Replay {
  readonly report: ReplayReport = {
    segments: 0,
    records: 0,
    series: 0,
    samples: 0,
    samplesSkipped: 0,
    samplesLost: 0,
    skipped: new Map<string, number>(),
    damages: 0,
    tornBytes: 0,
    lostBytes: 0,
  };
  readonly #head: Head;
  readonly #columns = new LoggedSamples();
  readonly #histograms: HistogramReplay;
  #refMax = 0;
  #full = false;

  constructor(head: Head) {
    this.#head = head;
    const refOf = (logged: number, time: number): number => this.#refOf(logged, time);
    this.#histograms = new HistogramReplay(head, this.report, refOf);
  }

  /** Applies one. Throws `corrupt`. */
  record(record: Uint8Array): void {
    const type = record[0] ?? 0;
    if (type === RECORD_SERIES)
      decodeSeriesRecord(record, (ref, pairs) => this.#series(ref, pairs));
    else if (type === RECORD_SAMPLES) this.#samples(record);
    else if (type === RECORD_TOMBSTONES) this.#tombstones(record);
    else if (type === RECORD_METADATA) this.#metadata(record);
    else if (type === RECORD_EXEMPLARS) this.#histograms.exemplars(record);
    else if (isHistogramRecord(type)) this.#histogramRecord(record);
    else {
      const name = recordTypeName(type);
      this.report.skipped.set(name, (this.report.skipped.get(name) ?? 0) + 1);
    }
  }

  /** Says that no record is left. */
  finish(): void {
    const head = this.#head;
    head.nextRef = Math.max(head.nextRef, this.#refMax + 1);
    this.report.series = head.seriesCount;
  }

  #series(ref: number, pairs: string[]): void {
    const head = this.#head;
    if (ref > REF_MAX || pairs.length === 0) return;
    this.#refMax = Math.max(this.#refMax, ref);
    const known = head.index.find(pairs);
    if (known >= 0) {
      const own = head.index.table.refOf(known);
      if (own === ref) return;
      head.aliases.set(ref, { ref: own, lastTime: Number.NEGATIVE_INFINITY });
      return;
    }
    // One reference never names two series; where the log says so, its later samples are the new one's.
    if (head.index.table.slotOf(ref) >= 0) return;
    try {
      head.createSeries(ref, pairs);
    } catch (error) {
      this.#lost(error);
    }
  }

  #histogramRecord(record: Uint8Array): void {
    try {
      this.#histograms.histograms(record);
    } catch (error) {
      this.#lost(error);
      this.report.samplesLost++;
    }
  }

  #samples(record: Uint8Array): void {
    decodeSamplesRecord(record, this.#columns);
    for (let from = 0; from < this.#columns.length; from += BATCH_SAMPLES_MAX) {
      this.#apply(from, Math.min(from + BATCH_SAMPLES_MAX, this.#columns.length));
    }
  }

  #apply(from: number, to: number): void {
    const { arena, histograms } = this.#head;
    const mixed = histograms.size > 0 ? new HistogramBatch(this.#head) : null;
    const count = this.#fill(from, to, mixed);
    if (mixed) this.#histograms.apply(mixed);
    if (count === 0) return;
    const accepted = arena.judge(count, this.#head.minValidTime);
    const { acceptedMinTime, acceptedMaxTime } = arena;
    this.report.samplesSkipped += count - accepted;
    this.report.samples += accepted;
    arena.apply(count);
    if (accepted > 0) this.#head.noteStored(accepted, acceptedMinTime, acceptedMaxTime);
  }

  /**
   * Copies samples from…to−1 that can be stored to the arena, and those of series with histograms to their
   * batch; how many are in the arena.
   */
  #fill(from: number, to: number, mixed: HistogramBatch | null): number {
    const { arena, index, minValidTime } = this.#head;
    const { refs, times, values } = this.#columns;
    let columns: ReturnType<typeof arena.batch>;
    try {
      columns = arena.batch(to - from);
    } catch (error) {
      this.#lost(error);
      this.report.samplesLost += to - from;
      return 0;
    }
    let count = 0;
    for (let i = from; i < to; i++) {
      const time = times[i]!;
      const ref = this.#refOf(refs[i]!, time);
      if (time < minValidTime) {
        this.report.samplesSkipped++;
        continue;
      }
      const slot = ref > REF_MAX ? -1 : index.table.slotOf(ref);
      if (slot < 0) {
        this.report.samplesLost++;
        continue;
      }
      if (mixed?.owns(slot)) {
        mixed.addFloat({ slot, ref, time }, values, i);
        continue;
      }
      columns.slots[count] = slot;
      columns.times[count] = time;
      columns.values[count++] = values[i]!;
    }
    return count;
  }

  /** The head's reference for one of the log. */
  #refOf(ref: number, time: number): number {
    if (ref <= REF_MAX && ref > this.#refMax) this.#refMax = ref;
    const { aliases } = this.#head;
    const alias = aliases.size > 0 ? aliases.get(ref) : undefined;
    if (!alias) return ref;
    if (time > alias.lastTime) alias.lastTime = time;
    return alias.ref;
  }

  #tombstones(record: Uint8Array): void {
    const head = this.#head;
    decodeTombstonesRecord(record, ({ ref: logged, minTime, maxTime }) => {
      const ref = head.aliases.get(logged)?.ref ?? logged;
      // Deletions before the newest block may be of out-of-order samples, which come later.
      if (ref > REF_MAX || head.index.table.slotOf(ref) < 0) return;
      head.tombstones.add(ref, { minTime, maxTime });
      head.deletedFrom.add(ref);
    });
  }

  #metadata(record: Uint8Array): void {
    const { index, families, aliases } = this.#head;
    decodeMetadataRecord(record, ({ ref: logged, metadata }) => {
      const ref = aliases.get(logged)?.ref ?? logged;
      const slot = ref > REF_MAX ? -1 : index.table.slotOf(ref);
      if (slot < 0) return;
      families.replay(index.labelOf(slot, index.symbols.find(METRIC_NAME)), metadata);
    });
  }

  /** A log that holds more than the head may hold is read as far as it fits; told once. */
  #lost(error: unknown): void {
    if (!(error instanceof OutpostError) || error.code !== 'limit-exceeded') throw error;
    if (!this.#full) this.#head.options.logger.error('the log does not fit', { err: error });
    this.#full = true;
  }
}
