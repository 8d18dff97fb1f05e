// How many samples a query asks for at each step, the measure by which users compare queries: every window
// counts all samples in it, however often it overlaps others. Rules: prometheus/prometheus promql/engine.go and
// util/stats. Only made when somebody asks.

import type { FloatHistogram } from '../storage/histogram.ts';
import type { SampleColumns } from '../storage/samples.ts';
import type { StepBlock } from './block.ts';
import type { Grid } from './grid.ts';

/** Counts samples by step. */
export class SampleCounts {
  readonly perStep: Float64Array;
  /** Parts that are evaluated once, for all steps. */
  readonly #once: SampleCounts[] = [];

  constructor(steps: number) {
    this.perStep = new Float64Array(steps);
  }

  /** Counts for a part that is evaluated on a grid of its own, once for every step here. */
  once(steps = 1): SampleCounts {
    const part = new SampleCounts(steps);
    this.#once.push(part);
    return part;
  }

  /** Everything counted so far, parts included; called once, when the query has ended. */
  result(): Float64Array {
    const { perStep } = this;
    for (const part of this.#once) {
      const total = part.total();
      for (let step = 0; step < perStep.length; step++) perStep[step]! += total;
    }
    this.#once.length = 0;
    return perStep;
  }

  /** The sum over all steps, as `result`. */
  total(): number {
    return this.result().reduce((sum, count) => sum + count, 0);
  }
}

/** What a float counts for, in the bytes it takes in Prometheus. */
const SAMPLE_BYTES = 16;
const TIME_BYTES = 8;
/** A histogram without spans and buckets there. */
const HISTOGRAM_BYTES = 168;
const SPAN_BYTES = 8;
const BUCKET_BYTES = 8;

/** A histogram counts for as many floats as have its size; of one that is `bare` no buckets are looked at. */
export function histogramWeight(histogram: FloatHistogram, bare: boolean): number {
  let bytes = HISTOGRAM_BYTES + TIME_BYTES;
  if (!bare) {
    const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram;
    bytes += (positiveSpans.length + negativeSpans.length) * SPAN_BYTES;
    bytes += (positiveBuckets.length + negativeBuckets.length) * BUCKET_BYTES;
    bytes += histogram.customValues.length * BUCKET_BYTES;
  }
  return Math.floor(bytes / SAMPLE_BYTES);
}

/** Counts the present cells of a block's row; with `weighs` false histograms count as floats. */
export function countCells(
  counts: SampleCounts,
  block: StepBlock,
  at: number,
  { bare, weighs }: { readonly bare: boolean; readonly weighs: boolean },
): void {
  const { perStep } = counts;
  const { present, histograms } = block;
  for (let step = 0; step < perStep.length; step++) {
    if (present[at + step] === 0) continue;
    const histogram = weighs ? histograms?.[at + step] : undefined;
    perStep[step]! += histogram ? histogramWeight(histogram, bare) : 1;
  }
}

/** Where windows lie: (end − beforeMs, end + afterMs] for each end. */
export interface CountedWindows {
  readonly ends: Grid;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Counts the samples of one series in each window. */
export function countWindows(
  counts: SampleCounts,
  columns: SampleColumns,
  { ends, beforeMs, afterMs }: CountedWindows,
  bare: boolean,
): void {
  const { perStep } = counts;
  const { times, length, histograms } = columns;
  const weight = (i: number): number => {
    const histogram = histograms?.[i];
    return histogram ? histogramWeight(histogram, bare) : 1;
  };
  let [from, to, within] = [0, 0, 0];
  for (let step = 0; step < perStep.length; step++) {
    const end = ends.startMs + step * ends.stepMs;
    while (to < length && times[to]! <= end + afterMs) within += weight(to++);
    while (from < to && times[from]! <= end - beforeMs) within -= weight(from++);
    perStep[step]! += within;
  }
}
