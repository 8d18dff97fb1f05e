// Brings back histograms and exemplars from the log.

import { histogramProblem } from '../../../storage/histogram-problem.ts';
import { setStale } from '../../../storage/stale.ts';
import { decodeExemplarsRecord } from '../../wal/exemplars-record.ts';
import { decodeHistogramRecord, LoggedHistograms } from '../../wal/histogram-record.ts';
import { ExemplarBatch } from '../exemplars/exemplar-batch.ts';
import { type Head, REF_MAX } from '../head.ts';
import { HistogramBatch } from './histogram-batch.ts';

/** The numbers of a replay that concern samples. */
export interface ReplayCounts {
  samples: number;
  samplesSkipped: number;
  samplesLost: number;
}

/** The head's reference for one of the log, of which a sample has this time. */
export type RefOf = (logged: number, time: number) => number;

/** Applies records to a head. */
export class HistogramReplay {
  readonly #head: Head;
  readonly #counts: ReplayCounts;
  readonly #refOf: RefOf;
  readonly #logged = new LoggedHistograms();
  readonly #marker = new Float64Array(1);

  constructor(head: Head, counts: ReplayCounts, refOf: RefOf) {
    this.#head = head;
    this.#counts = counts;
    this.#refOf = refOf;
    setStale(this.#marker, 0);
  }

  /** One of the records of histograms. Throws `corrupt`, and `limit-exceeded` where there is no room. */
  histograms(record: Uint8Array): void {
    const logged = this.#logged;
    decodeHistogramRecord(record, logged);
    this.#counts.samplesLost += logged.unknownSchemas;
    this.#head.checkHistogramRoom();
    const batch = new HistogramBatch(this.#head);
    for (let i = 0; i < logged.length; i++) {
      const time = logged.times[i]!;
      const ref = this.#refOf(logged.refs[i]!, time);
      const slot = this.#slotOf(ref);
      const histogram = logged.histograms[i]!;
      if (time < this.#head.minValidTime) this.#counts.samplesSkipped++;
      else if (slot < 0 || (histogram && histogramProblem(histogram) !== null)) {
        this.#counts.samplesLost++;
      } else if (histogram) batch.addHistogram(slot, ref, time, histogram);
      else batch.addFloat({ slot, ref, time }, this.#marker, 0);
    }
    this.apply(batch);
  }

  /** Judges a batch and stores what is new of it. */
  apply(batch: HistogramBatch): void {
    const queued = batch.length;
    batch.judge(this.#head.minValidTime, () => {});
    this.#counts.samples += batch.accepted.length;
    this.#counts.samplesSkipped += queued - batch.accepted.length;
    batch.apply();
  }

  /** A record of exemplars. Throws `corrupt`. */
  exemplars(record: Uint8Array): void {
    const batch = new ExemplarBatch(this.#head);
    decodeExemplarsRecord(record, ({ ref: logged, exemplar }) => {
      const ref = this.#refOf(logged, exemplar.time);
      if (this.#slotOf(ref) >= 0) batch.add({ ref, exemplar });
    });
    batch.apply();
  }

  #slotOf(ref: number): number {
    return ref > REF_MAX ? -1 : this.#head.index.table.slotOf(ref);
  }
}
