// Brings back out-of-order samples from their log at start, after the head's own log. What is in blocks
// already, because a crash came between writing them and shortening the log, is merged away by readers.

import { Slicer } from '../../../lifecycle/slicer.ts';
import { histogramProblem } from '../../../storage/histogram-problem.ts';
import { setStale } from '../../../storage/stale.ts';
import type { Counter } from '../../../telemetry/metrics.ts';
import { decodeHistogramRecord, LoggedHistograms } from '../../wal/histogram-record.ts';
import {
  isHistogramRecord,
  RECORD_MMAP_MARKERS,
  RECORD_SAMPLES,
  recordTypeName,
} from '../../wal/record-type.ts';
import { decodeSamplesRecord, LoggedSamples } from '../../wal/samples-record.ts';
import { type Head, REF_MAX } from '../head.ts';
import { type LogReport, type ReplayOptions, readLog } from '../log-replay.ts';
import { Held, type LateValues } from './held.ts';
import { OUT_OF_ORDER_BYTES_MAX } from './store.ts';

/** What the replay of the out-of-order log found. */
export interface OutOfOrderReplay extends LogReport {
  /** Samples that are in the head now. */
  samples: number;
  /** Samples that were there already. */
  samplesSkipped: number;
  /** Samples of series that the log does not name, or that did not fit. */
  samplesLost: number;
  /**
   * Records that say which samples are in Prometheus' head chunks, too. All samples are in the log, so
   * they are not needed here.
   */
  markers: number;
  /** Records that hold what is not kept here, by type. */
  readonly skipped: Map<string, number>;
}

/** Replays the log in `dir`. `readOnly` leaves the directory as it is. */
export async function replayOutOfOrderLog(
  head: Head,
  dir: string,
  corruptions?: Counter,
  { readOnly = false, progress, signal }: Omit<ReplayOptions, 'from'> = {},
): Promise<OutOfOrderReplay> {
  const { clock, logger } = head.options;
  const slicer = new Slicer(() => clock.monotonic(), signal);
  const replay = new Replay(head);
  const { report } = replay;
  const visit = (record: Uint8Array): void => replay.record(record);
  await readLog(head, dir, visit, { report, slicer, readOnly, corruptions, progress });
  if (report.segments === 0) return report;
  for (const [type, count] of report.skipped) head.metrics.replaySkipped.with(type).inc(count);
  const skipped = [...report.skipped].join(' ');
  logger.info('out-of-order log replayed', { ...report, skipped });
  return report;
}

const MARKER = new Float64Array(1);
setStale(MARKER, 0);

class Replay {
  readonly report: OutOfOrderReplay = {
    segments: 0,
    records: 0,
    damages: 0,
    tornBytes: 0,
    lostBytes: 0,
    samples: 0,
    samplesSkipped: 0,
    samplesLost: 0,
    markers: 0,
    skipped: new Map<string, number>(),
  };
  readonly #head: Head;
  readonly #columns = new LoggedSamples();
  readonly #histograms = new LoggedHistograms();

  constructor(head: Head) {
    this.#head = head;
  }

  record(record: Uint8Array): void {
    const type = record[0] ?? 0;
    if (type === RECORD_SAMPLES) this.#samples(record);
    else if (isHistogramRecord(type)) this.#histogramRecord(record);
    else if (type === RECORD_MMAP_MARKERS) this.report.markers++;
    else {
      const name = recordTypeName(type);
      this.report.skipped.set(name, (this.report.skipped.get(name) ?? 0) + 1);
    }
  }

  #samples(record: Uint8Array): void {
    decodeSamplesRecord(record, this.#columns);
    const { refs, times, values, length } = this.#columns;
    const late = { values, histograms: null };
    const full = this.#full;
    for (let i = 0; i < length; i++) this.#take(refs[i]!, times[i]!, full ? null : late, i);
  }

  #histogramRecord(record: Uint8Array): void {
    const logged = this.#histograms;
    decodeHistogramRecord(record, logged);
    this.report.samplesLost += logged.unknownSchemas;
    const { refs, times, histograms, length } = logged;
    const full = this.#full;
    for (let i = 0; i < length; i++) {
      const histogram = histograms[i];
      const broken = histogram && histogramProblem(histogram) !== null;
      const late = { values: MARKER, histograms: histogram ? [histogram] : null };
      this.#take(refs[i]!, times[i]!, full || broken ? null : late, 0);
    }
  }

  /** Stores sample `index` of `late`, which is null where it cannot be stored. */
  #take(logged: number, time: number, late: LateValues | null, index: number): void {
    const { outOfOrder, index: series } = this.#head;
    const ref = this.#refOf(logged, time);
    if (!late || ref > REF_MAX || series.table.slotOf(ref) < 0) this.report.samplesLost++;
    else if (outOfOrder.compare(ref, time, late, index) !== Held.nothing) {
      this.report.samplesSkipped++;
    } else {
      outOfOrder.insert(ref, time, late, index);
      this.report.samples++;
    }
  }

  get #full(): boolean {
    return this.#head.outOfOrder.bytes > OUT_OF_ORDER_BYTES_MAX;
  }

  /** The head's reference for one of the log. References that were used are not given out again. */
  #refOf(logged: number, time: number): number {
    const head = this.#head;
    if (logged <= REF_MAX) head.nextRef = Math.max(head.nextRef, logged + 1);
    const alias = head.aliases.get(logged);
    if (!alias) return logged;
    alias.lastTime = Math.max(alias.lastTime, time);
    return alias.ref;
  }
}
