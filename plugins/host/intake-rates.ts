// How many samples and new series a plugin may send now: a bucket that fills with the time of its collections.

import type { PluginLimits } from './plugin-spec.ts';

/** A gap between collections counts for no more than this. */
const GAP_MS_MAX = 60_000;
/** A collection may have what this time allows, however soon it comes after the one before. */
const GAP_MS_MIN = 1_000;

/** The rates of one plugin process. */
export class IntakeRates {
  readonly #seriesPerMinute: number;
  readonly #samplesPerSecond: number;
  readonly #burst: number;
  #series: number;
  #time = 0;
  #gapMs = GAP_MS_MAX;

  /** `burst` series may begin at once. */
  constructor(
    burst: number,
    limits: Partial<Pick<PluginLimits, 'newSeriesPerMinute' | 'samplesPerSecond'>>,
  ) {
    this.#burst = burst;
    this.#series = burst;
    this.#seriesPerMinute = limits.newSeriesPerMinute ?? Infinity;
    this.#samplesPerSecond = limits.samplesPerSecond ?? Infinity;
  }

  /** A collection at `time`, Unix ms, begins. */
  advance(time: number): void {
    const gap = this.#time === 0 ? GAP_MS_MAX : time - this.#time;
    this.#gapMs = Math.min(GAP_MS_MAX, Math.max(GAP_MS_MIN, gap));
    this.#time = time;
    const minutes = Math.min(GAP_MS_MAX, Math.max(0, gap)) / 60_000;
    this.#series = Math.min(this.#burst, this.#series + this.#seriesPerMinute * minutes);
  }

  /** Whether one more series may begin; it is counted then. */
  admitSeries(): boolean {
    if (this.#seriesPerMinute === Infinity) return true;
    if (this.#series < 1) return false;
    this.#series--;
    return true;
  }

  /** Samples this collection may have. */
  get samplesMax(): number {
    return Math.ceil((this.#samplesPerSecond * this.#gapMs) / 1000);
  }
}
