// The series of a head that have histograms, by slot. Most heads have few or none, so they are objects beside
// the arena, and whoever works on floats looks here only where `size` is not 0. What the arena holds of such
// a series is older than everything here.

import { HistogramSeries, type MixedSample } from './histogram-series.ts';

/** Series with histograms. */
export class HistogramStore {
  readonly #rangeMs: number;
  readonly #series = new Map<number, HistogramSeries>();
  /** 1 for the slots of these series: asking for every float of a batch has to be cheap. */
  #marks = new Uint8Array(0);
  #bytes = 0;
  #chunks = 0;

  /** Chunks do not cross multiples of `rangeMs`. */
  constructor(rangeMs: number) {
    this.#rangeMs = rangeMs;
  }

  /** Series held. */
  get size(): number {
    return this.#series.size;
  }

  /** Bytes of memory held, about. */
  get bytes(): number {
    return this.#bytes;
  }

  get chunkCount(): number {
    return this.#chunks;
  }

  /** Whether a slot's series has histograms. */
  has(slot: number): boolean {
    return this.#marks[slot] === 1;
  }

  /** The series of a slot, where it has histograms. */
  get(slot: number): HistogramSeries | undefined {
    return this.#series.get(slot);
  }

  /** Appends a sample that is newer than all others of the slot. */
  append(slot: number, sample: MixedSample): void {
    let series = this.#series.get(slot);
    if (!series) {
      series = new HistogramSeries(this.#rangeMs);
      this.#series.set(slot, series);
      this.#mark(slot);
    } else this.#uncount(series);
    series.append(sample);
    this.#count(series);
  }

  /**
   * Releases the slot's chunks that end before `time`; how many are left. A series without chunks goes:
   * nothing as old as its samples is taken any more.
   */
  dropBefore(slot: number, time: number): number {
    const series = this.#series.get(slot);
    if (!series) return 0;
    this.#uncount(series);
    const left = series.dropBefore(time);
    if (left > 0) this.#count(series);
    else this.#forget(slot);
    return left;
  }

  /** Releases everything of a slot. */
  free(slot: number): void {
    const series = this.#series.get(slot);
    if (!series) return;
    this.#uncount(series);
    this.#forget(slot);
  }

  #forget(slot: number): void {
    this.#series.delete(slot);
    this.#marks[slot] = 0;
  }

  #mark(slot: number): void {
    if (slot >= this.#marks.length) {
      const marks = new Uint8Array(Math.max(slot + 1, this.#marks.length * 2));
      marks.set(this.#marks);
      this.#marks = marks;
    }
    this.#marks[slot] = 1;
  }

  #count(series: HistogramSeries): void {
    this.#bytes += series.bytes;
    this.#chunks += series.chunkCount;
  }

  #uncount(series: HistogramSeries): void {
    this.#bytes -= series.bytes;
    this.#chunks -= series.chunkCount;
  }
}
