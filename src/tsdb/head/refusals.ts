// What of a batch was not taken, and why.

import { Labels } from '../../labels/labels.ts';
import type { Refusal, RefusalReason } from '../../storage/appender.ts';
import type { HeadIndex } from './head-index.ts';
import type { HeadMetrics } from './head-metrics.ts';

const EXAMPLES_MAX = 5;
const NONE: ReadonlyMap<RefusalReason, number> = new Map();

/** A refused sample. */
export interface RefusedSample {
  /** −1 where the reference has no series. */
  readonly slot: number;
  readonly time: number;
  readonly isHistogram?: boolean;
  readonly detail?: string;
}

/** Collects the refusals of one batch. */
export class Refusals {
  readonly examples: Refusal[] = [];
  readonly #index: HeadIndex;
  #floats: Map<RefusalReason, number> | null = null;
  #histograms: Map<RefusalReason, number> | null = null;

  constructor(index: HeadIndex) {
    this.#index = index;
  }

  add(reason: RefusalReason, { slot, time, isHistogram, detail }: RefusedSample): void {
    const counts = isHistogram ? (this.#histograms ??= new Map()) : (this.#floats ??= new Map());
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (this.examples.length >= EXAMPLES_MAX) return;
    const labels = slot < 0 ? Labels.empty : this.#index.labelsOf(slot);
    this.examples.push({ reason, labels, time, ...(detail !== undefined && { detail }) });
  }

  /** How many, by reason. */
  get counts(): ReadonlyMap<RefusalReason, number> {
    if (!this.#histograms) return this.#floats ?? NONE;
    const counts = new Map(this.#floats);
    for (const [reason, count] of this.#histograms) {
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
    return counts;
  }

  /** Adds everything to the head's counters. */
  count({ refused, histogramsRefused }: HeadMetrics): void {
    for (const [reason, count] of this.#floats ?? []) refused[reason].inc(count);
    for (const [reason, count] of this.#histograms ?? []) histogramsRefused[reason].inc(count);
  }
}
