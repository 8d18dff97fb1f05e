// The part of a batch that concerns series with histograms: judged one by one in the order in which the
// samples were queued, encoded for the log, applied. Floats of such series are here too, so that every
// sample meets the one before it.

import { SampleStatus } from '../../../kernels/series-arena.ts';
import type { FloatHistogram } from '../../../storage/histogram.ts';
import { sameHistogram } from '../../../storage/histogram-problem.ts';
import { sameBits } from '../../../storage/sample-bits.ts';
import { isStaleAt } from '../../../storage/stale.ts';
import type { Head } from '../head.ts';
import type { LateSample } from '../out-of-order/out-of-order-batch.ts';
import type { MixedSample } from './histogram-series.ts';
import { encodeMixedSamples } from './mixed-records.ts';

/** A sample on its way into a series with histograms. */
export interface StagedSample {
  readonly slot: number;
  readonly ref: number;
  readonly sample: MixedSample;
}

/** Says what became of a sample: one of `SampleStatus`, never `noSeries`. */
export type Verdict = (sample: StagedSample, status: number) => void;

const NO_VALUE = new Float64Array(0);

/** Samples of one commit, or of the log. Slots are those of live series. */
export class HistogramBatch {
  /** What was accepted by the last judgement, in order. */
  readonly accepted: StagedSample[] = [];
  readonly #head: Head;
  readonly #queued: ReadonlySet<number>;
  readonly #staged: StagedSample[] = [];
  readonly #times = new Float64Array(1);
  readonly #values = new Float64Array(1);

  /** `queued`: slots of series that a histogram will be queued for. */
  constructor(head: Head, queued: ReadonlySet<number> = new Set()) {
    this.#head = head;
    this.#queued = queued;
  }

  /** Samples queued since the last judgement. */
  get length(): number {
    return this.#staged.length;
  }

  /** Time of the newest sample queued since the last judgement, −Infinity while there is none. */
  get newestTime(): number {
    return this.#staged.reduce((time, { sample }) => Math.max(time, sample.time), -Infinity);
  }

  /** Whether the samples of a slot belong here. */
  owns(slot: number): boolean {
    return this.#head.histograms.has(slot) || (this.#queued.size > 0 && this.#queued.has(slot));
  }

  /** Queues the float `values[index]`, bits intact. */
  addFloat({ slot, ref, time }: LateSample, values: Float64Array, index: number): void {
    const value = values.slice(index, index + 1);
    this.#staged.push({ slot, ref, sample: { time, kind: 'float', histogram: null, value } });
  }

  /** Queues a histogram that can be stored. */
  addHistogram(slot: number, ref: number, time: number, histogram: FloatHistogram): void {
    const kind = histogram.integer ? 'integer' : 'float-histogram';
    this.#staged.push({ slot, ref, sample: { time, kind, histogram, value: NO_VALUE } });
  }

  /** Judges what was queued, each sample against its series' newest or the one accepted before it. */
  judge(minValidTime: number, verdict: Verdict): void {
    const newest = new Map<number, MixedSample | null>();
    for (const one of this.#staged) {
      const { slot, ref } = one;
      let latest = newest.get(slot);
      if (latest === undefined) newest.set(slot, (latest = this.#latest(slot)));
      const sample = amongHistograms(one.sample, latest);
      const status = judgeOne(sample, latest, minValidTime);
      const judged = { slot, ref, sample };
      if (status === SampleStatus.accepted) {
        newest.set(slot, sample);
        this.accepted.push(judged);
      }
      verdict(judged, status);
    }
    this.#staged.length = 0;
  }

  /** The accepted samples as log records, in an order that keeps that of each series. */
  records(): Uint8Array[] {
    return encodeMixedSamples(this.accepted);
  }

  /** Appends the accepted samples and forgets them. */
  apply(): void {
    if (this.accepted.length === 0) return;
    const { histograms } = this.#head;
    let floats = 0;
    let minTime = Number.POSITIVE_INFINITY;
    let maxTime = Number.NEGATIVE_INFINITY;
    for (const { slot, sample } of this.accepted) {
      histograms.append(slot, sample);
      if (sample.kind === 'float') floats++;
      minTime = Math.min(minTime, sample.time);
      maxTime = Math.max(maxTime, sample.time);
    }
    this.#head.noteStored(floats, minTime, maxTime);
    this.#head.metrics.histogramsAppended.inc(this.accepted.length - floats);
    this.accepted.length = 0;
  }

  #latest(slot: number): MixedSample | null {
    const { histograms, arena } = this.#head;
    const held = histograms.get(slot)?.latest;
    if (held) return held;
    if (!arena.last(slot, this.#times, this.#values)) return null;
    const value = this.#values.slice();
    return { time: this.#times[0]!, kind: 'float', histogram: null, value };
  }
}

/** A staleness marker behind a histogram is one of histograms: it does not end the chunk. */
function amongHistograms(sample: MixedSample, latest: MixedSample | null): MixedSample {
  if (sample.kind !== 'float' || !latest || latest.kind === 'float') return sample;
  if (!isStaleAt(sample.value, 0)) return sample;
  return { time: sample.time, kind: latest.kind, histogram: null, value: NO_VALUE };
}

function judgeOne(sample: MixedSample, latest: MixedSample | null, minValidTime: number): number {
  const { time } = sample;
  if (!(time >= minValidTime) || !Number.isSafeInteger(time)) return SampleStatus.outOfBounds;
  if (!latest || time > latest.time) return SampleStatus.accepted;
  if (time < latest.time) return SampleStatus.outOfOrder;
  return same(sample, latest) ? SampleStatus.identical : SampleStatus.duplicate;
}

function same(a: MixedSample, b: MixedSample): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'float') return sameBits(a.value, 0, b.value, 0);
  if (!a.histogram || !b.histogram) return a.histogram === b.histogram;
  return sameHistogram(a.histogram, b.histogram);
}
