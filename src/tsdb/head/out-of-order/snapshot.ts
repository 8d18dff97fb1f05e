// What a selection sees of the out-of-order samples: chunks up to a number, and copies of the buffers as
// they were. Taken in one go, like the selection; what arrives later is not in it.

import type { Labels } from '../../../labels/labels.ts';
import { ChainedSeries, MergeScratch } from '../../../storage/chained-series.ts';
import { collapseChunks, splitLanes } from '../../../storage/chunk-lanes.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import type { Chunk, Series } from '../../../storage/series.ts';
import { dropIntervals } from '../../block/deleted-samples.ts';
import type { TimeInterval } from '../../block/tombstones.ts';
import { chunkOf, type Generation } from './generation.ts';
import { BUFFER_SAMPLES_MAX } from './sample-buffers.ts';
import { generationsFrom } from './store.ts';

/** The in-order part of a series, which also knows its labels. */
export interface InOrderSeries extends Series {
  /** Ranges in which samples are hidden. */
  deleted(): readonly TimeInterval[];
}

/** More than a buffer holds. */
const COUNTS = 2 * BUFFER_SAMPLES_MAX;

interface View {
  readonly generation: Generation;
  readonly lastChunk: number;
  /** Where a series' buffer starts in the copies times COUNTS, plus its length, by reference. */
  readonly buffers: Map<number, number>;
}

/** The samples of some series in one time range. */
export class OutOfOrderSnapshot {
  readonly #range: TimeInterval;
  readonly #views: readonly View[];
  /** Copied buffers, one after another. */
  readonly #copies = new SampleColumns(64);
  readonly #scratch = new MergeScratch();

  /** Fixes the moment; the buffers of what is read have to be noted before anything gives way. */
  constructor(first: Generation, range: TimeInterval) {
    this.#range = range;
    this.#views = Array.from(generationsFrom(first), generation => ({
      generation,
      lastChunk: generation.lastChunk,
      buffers: new Map<number, number>(),
    })).filter(({ generation }) => generation.samples > 0);
  }

  /** True where there is nothing in range. */
  get isEmpty(): boolean {
    const { minTime, maxTime } = this.#range;
    return this.#views.every(
      ({ generation }) => generation.minTime > maxTime || generation.maxTime < minTime,
    );
  }

  /** Takes in a series' samples; false where none is in range. */
  note(ref: number): boolean {
    const { minTime, maxTime } = this.#range;
    let noted = false;
    for (const { generation, buffers } of this.#views) {
      if (!generation.overlaps(ref, minTime, maxTime)) continue;
      const start = this.#copies.length;
      const count = generation.copyBuffer(ref, this.#copies);
      if (count > 0) buffers.set(ref, start * COUNTS + count);
      noted = true;
    }
    return noted;
  }

  /** True where the series was noted. */
  holds(ref: number): boolean {
    return this.#views.some(
      ({ generation, buffers }) =>
        buffers.has(ref) || generation.overlaps(ref, this.#range.minTime, this.#range.maxTime),
    );
  }

  /** The chunks of a noted series; they may overlap and are in no order. */
  chunks(ref: number): Chunk[] {
    const { minTime, maxTime } = this.#range;
    const found: Chunk[] = [];
    for (const { generation, lastChunk, buffers } of this.#views) {
      const buffer = buffers.get(ref);
      if (buffer !== undefined) {
        const start = Math.floor(buffer / COUNTS);
        const end = start + (buffer % COUNTS);
        const { times, values } = this.#copies;
        const chunk = chunkOf(times.subarray(start, end), values.subarray(start, end));
        if (chunk.minTime <= maxTime && chunk.maxTime >= minTime) found.push(chunk);
      }
      found.push(...generation.chunks(ref, minTime, maxTime, lastChunk));
    }
    return found;
  }

  /** The series with its out-of-order samples; at equal times the one in order wins. */
  join(series: InOrderSeries, ref: number): Series {
    const chunks = this.chunks(ref);
    if (chunks.length === 0) return series;
    const lanes = splitLanes(collapseChunks(chunks));
    const parts = lanes.map(lane => new Lane(series, lane, this.#range));
    return new ChainedSeries([series, ...parts], this.#scratch);
  }
}

/** Out-of-order chunks of a series that do not overlap. */
class Lane implements Series {
  readonly #series: InOrderSeries;
  readonly #chunks: readonly Chunk[];
  readonly #range: TimeInterval;

  constructor(series: InOrderSeries, chunks: readonly Chunk[], range: TimeInterval) {
    this.#series = series;
    this.#chunks = chunks;
    this.#range = range;
  }

  get labels(): Labels {
    return this.#series.labels;
  }

  label(name: string): string {
    return this.#series.label(name);
  }

  chunks(): readonly Chunk[] | null {
    return this.#series.deleted().length > 0 ? null : this.#chunks;
  }

  samples(out: SampleColumns): void {
    const from = out.length;
    const { minTime, maxTime } = this.#range;
    for (const chunk of this.#chunks) decodeChunk(chunk, minTime, maxTime, out);
    const deleted = this.#series.deleted();
    if (deleted.length > 0) dropIntervals(out, from, deleted);
  }
}
