// What a selection sees of the out-of-order samples: chunks up to a number, and copies of the buffers as
// they were. Taken in one go, like the selection; what arrives later is not in it.

import type { Labels } from '../../../labels/labels.ts';
import { ChainedSeries, MergeScratch, mergeTail } from '../../../storage/chained-series.ts';
import { collapseChunks, overlap } from '../../../storage/chunk-lanes.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import type { Chunk, Series } from '../../../storage/series.ts';
import { appendColumns } from '../../../storage/series-list.ts';
import { dropIntervals } from '../../block/deleted-samples.ts';
import type { TimeInterval } from '../../block/tombstones.ts';
import { chunkOf, type Generation, histogramChunksOf } from './generation.ts';
import { BUFFER_SAMPLES_MAX } from './sample-buffers.ts';

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
  readonly floats: Map<number, number>;
  /** The same of histograms. */
  readonly histograms: Map<number, number>;
}

/** Samples from…to−1 of columns, in time order. */
interface Piece {
  readonly columns: SampleColumns;
  readonly from: number;
  readonly to: number;
}

/** The samples of some series in one time range. */
export class OutOfOrderSnapshot {
  readonly #range: TimeInterval;
  readonly #views: readonly View[];
  /** Copied buffers, one after another. */
  readonly #floats = new SampleColumns(64);
  readonly #histograms = new SampleColumns(0);
  readonly #scratch = new MergeScratch();

  /** Fixes the moment; the buffers of what is read have to be noted before anything gives way. */
  constructor(generations: Iterable<Generation>, range: TimeInterval) {
    this.#range = range;
    this.#views = Array.from(generations, generation => ({
      generation,
      lastChunk: generation.lastChunk,
      floats: new Map<number, number>(),
      histograms: new Map<number, number>(),
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
    for (const { generation, floats, histograms } of this.#views) {
      if (!generation.overlaps(ref, minTime, maxTime)) continue;
      let start = this.#floats.length;
      let count = generation.copyFloats(ref, this.#floats);
      if (count > 0) floats.set(ref, start * COUNTS + count);
      start = this.#histograms.length;
      count = generation.copyHistograms(ref, this.#histograms);
      if (count > 0) histograms.set(ref, start * COUNTS + count);
      noted = true;
    }
    return noted;
  }

  /** True where the series was noted. */
  holds(ref: number): boolean {
    return this.#views.some(
      ({ generation, floats, histograms }) =>
        floats.has(ref) ||
        histograms.has(ref) ||
        generation.overlaps(ref, this.#range.minTime, this.#range.maxTime),
    );
  }

  /** Appends the samples of a noted series to `out`, by time. */
  read(ref: number, out: SampleColumns): void {
    readLate(this.#late(ref), out, this.#scratch);
  }

  /** The series with its out-of-order samples; at equal times the one in order wins. */
  join(series: InOrderSeries, ref: number): Series {
    const late = this.#late(ref);
    if (late.chunks.length === 0 && late.pieces.length === 0) return series;
    return new ChainedSeries([series, new LateSeries(series, late, this.#scratch)], this.#scratch);
  }

  #late(ref: number): LateSamples {
    const { minTime, maxTime } = this.#range;
    const chunks: Chunk[] = [];
    const pieces: Piece[] = [];
    for (const { generation, lastChunk, floats, histograms } of this.#views) {
      if (lastChunk > 0) chunks.push(...generation.chunks(ref, minTime, maxTime, lastChunk));
      this.#addPiece(this.#floats, floats.get(ref), pieces);
      this.#addPiece(this.#histograms, histograms.get(ref), pieces);
    }
    return { chunks, pieces, range: this.#range };
  }

  #addPiece(columns: SampleColumns, noted: number | undefined, out: Piece[]): void {
    if (noted === undefined) return;
    const { minTime, maxTime } = this.#range;
    const { times } = columns;
    let from = Math.floor(noted / COUNTS);
    let to = from + (noted % COUNTS);
    while (from < to && times[from]! < minTime) from++;
    while (from < to && times[to - 1]! > maxTime) to--;
    if (from < to) out.push({ columns, from, to });
  }
}

/** One series' samples; chunks and pieces may overlap. */
interface LateSamples {
  /** Newest first. */
  readonly chunks: readonly Chunk[];
  readonly pieces: readonly Piece[];
  readonly range: TimeInterval;
}

function readLate(
  { chunks, pieces, range }: LateSamples,
  out: SampleColumns,
  scratch: MergeScratch,
): void {
  const start = out.length;
  for (let i = chunks.length - 1; i >= 0; i--) {
    const middle = out.length;
    decodeChunk(chunks[i]!, range.minTime, range.maxTime, out);
    mergeTail(out, start, middle, scratch);
  }
  for (const { columns, from, to } of pieces) {
    const middle = out.length;
    appendColumns(out, columns, from, to);
    mergeTail(out, start, middle, scratch);
  }
}

/** The out-of-order samples of a series. */
class LateSeries implements Series {
  readonly #series: InOrderSeries;
  readonly #late: LateSamples;
  readonly #scratch: MergeScratch;

  constructor(series: InOrderSeries, late: LateSamples, scratch: MergeScratch) {
    this.#series = series;
    this.#late = late;
    this.#scratch = scratch;
  }

  get labels(): Labels {
    return this.#series.labels;
  }

  label(name: string): string {
    return this.#series.label(name);
  }

  chunks(): readonly Chunk[] | null {
    if (this.#series.deleted().length > 0) return null;
    const { chunks, pieces } = this.#late;
    const all = collapseChunks([...chunks, ...pieces.flatMap(chunksOf)]);
    return overlap(all) ? null : all;
  }

  samples(out: SampleColumns): void {
    const start = out.length;
    readLate(this.#late, out, this.#scratch);
    const deleted = this.#series.deleted();
    if (deleted.length > 0) dropIntervals(out, start, deleted);
  }
}

function chunksOf({ columns, from, to }: Piece): Chunk[] {
  if (!columns.histograms) {
    return [chunkOf(columns.times.subarray(from, to), columns.values.subarray(from, to))];
  }
  const own = new SampleColumns(to - from);
  appendColumns(own, columns, from, to);
  return histogramChunksOf(own);
}
