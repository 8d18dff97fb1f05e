// One series out of several with the same labels, by chained merge: the samples of all of them in time
// order, one for each timestamp. Right for stores that hold parts or copies of the same samples.

import type { Labels } from '../labels/labels.ts';
import { collapseChunks, overlap, splitLanes } from './chunk-lanes.ts';
import { ChunkSeries } from './chunks.ts';
import { withoutReset } from './histogram-chunk/chunk-header.ts';
import { isHistogramEncoding } from './histogram-chunk/decode.ts';
import { doubtReset } from './reset-doubt.ts';
import { lowerBound, SampleColumns } from './samples.ts';
import type { Chunk, Series } from './series.ts';
import { appendColumns } from './series-list.ts';

/** Buffers that merging reuses from series to series; one for each set. */
export class MergeScratch {
  readonly earlier = new SampleColumns(0);
  readonly later = new SampleColumns(0);
}

/** The union of two or more series. At equal timestamps the series given first wins. */
export class ChainedSeries implements Series {
  readonly #parts: readonly Series[];
  readonly #scratch: MergeScratch;
  #chunks: readonly Chunk[] | null | undefined;

  constructor(parts: readonly Series[], scratch: MergeScratch) {
    this.#parts = parts;
    this.#scratch = scratch;
  }

  get labels(): Labels {
    return this.#parts[0]!.labels;
  }

  label(name: string): string {
    return this.#parts[0]!.label(name);
  }

  chunks(): readonly Chunk[] | null {
    if (this.#chunks === undefined) this.#chunks = unionChunks(this.#parts);
    return this.#chunks;
  }

  samples(out: SampleColumns): void {
    const start = out.length;
    for (const part of this.#parts) {
      const middle = out.length;
      part.samples(out);
      mergeTail(out, start, middle, this.#scratch);
    }
  }

  parts(): readonly Series[] {
    return this.#parts;
  }
}

/** All chunks by time without repetitions; null where two overlap or a part has none to give. */
function unionChunks(parts: readonly Series[]): readonly Chunk[] | null {
  const lists: (readonly Chunk[])[] = [];
  for (const part of parts) {
    const chunks = part.chunks();
    if (!chunks) return null;
    lists.push(chunks);
  }
  const union = collapseChunks(lists.flat());
  return overlap(union) ? null : doubtResets(union, lists);
}

/** Where parts interleave, the chunk before may be another than the one that a chunk's header speaks of. */
function doubtResets(
  chunks: readonly Chunk[],
  lists: readonly (readonly Chunk[])[],
): readonly Chunk[] {
  if (!chunks.some(({ encoding }) => isHistogramEncoding(encoding))) return chunks;
  const owners = new Map<Chunk, number>();
  for (const [owner, list] of lists.entries()) for (const chunk of list) owners.set(chunk, owner);
  const order = chunks.map(chunk => owners.get(chunk)!);
  if (order.every((owner, i) => i === 0 || owner >= order[i - 1]!)) return chunks;
  return chunks.map((chunk, i) =>
    i > 0 && order[i] !== order[i - 1] ? withoutReset(chunk) : chunk,
  );
}

/**
 * Merges samples start…middle−1 and middle…end of `out`, each in time order, in place. At equal times the
 * one that was there first is kept.
 */
export function mergeTail(
  out: SampleColumns,
  start: number,
  middle: number,
  scratch: MergeScratch,
): void {
  if (middle === start || middle === out.length) return;
  if (out.times[middle - 1]! < out.times[middle]!) return;
  if (!out.histograms && !out.startTimes) {
    mergeFloats(out, start, middle, scratch.later);
    return;
  }
  const { earlier, later } = scratch;
  earlier.clear();
  later.clear();
  appendColumns(earlier, out, start, middle);
  appendColumns(later, out, middle, out.length);
  out.length = start;
  if (out.histograms) out.histograms.length = Math.min(out.histograms.length, start);
  if (out.startTimes) out.startTimes.length = Math.min(out.startTimes.length, start);
  mergeColumns(out, earlier, later);
}

/** `mergeTail` for floats alone: moves each sample once, from the end on, and none before the first new one. */
function mergeFloats(
  out: SampleColumns,
  start: number,
  middle: number,
  later: SampleColumns,
): void {
  later.clear();
  later.append(out.times, out.values, middle, out.length);
  const { times, values } = out;
  const added = dropEqual(later, times, lowerBound(times, middle, later.times[0]!, start), middle);
  let to = middle + added;
  out.length = to;
  let i = middle - 1;
  for (let j = added - 1; j >= 0; j--) {
    const time = later.times[j]!;
    for (; i >= start && times[i]! > time; i--) {
      times[--to] = times[i]!;
      values[to] = values[i]!;
    }
    times[--to] = time;
    values[to] = later.values[j]!;
  }
}

/** Takes the samples out of `later` whose times are among `times` from…to−1; how many are left. */
function dropEqual(later: SampleColumns, times: Float64Array, from: number, to: number): number {
  const { length } = later;
  let kept = 0;
  for (let j = 0, i = from; j < length; j++) {
    const time = later.times[j]!;
    while (i < to && times[i]! < time) i++;
    if (i < to && times[i] === time) continue;
    later.times[kept] = time;
    later.values[kept++] = later.values[j]!;
  }
  return kept;
}

/** Appends the union of two columns to `out`; at equal times the first one's sample is kept. */
export function mergeColumns(out: SampleColumns, a: SampleColumns, b: SampleColumns): void {
  let i = 0;
  let j = 0;
  let last: SampleColumns | null = null;
  // Whole runs are copied, so values keep their bits and mostly disjoint inputs cost little.
  const take = (source: SampleColumns, from: number, to: number): void => {
    if (from === to) return;
    const at = out.length;
    appendColumns(out, source, from, to);
    if (source !== last) doubtReset(out, at);
    last = source;
  };
  while (i < a.length && j < b.length) {
    const aFrom = i;
    while (i < a.length && a.times[i]! <= b.times[j]!) i++;
    if (i > aFrom) {
      take(a, aFrom, i);
      while (j < b.length && b.times[j]! <= a.times[i - 1]!) j++;
      continue;
    }
    const bFrom = j;
    while (j < b.length && b.times[j]! < a.times[i]!) j++;
    take(b, bFrom, j);
  }
  take(a, i, a.length);
  take(b, j, b.length);
}

/** A series of chunks that may overlap or repeat; samples are those with minTime ≤ t ≤ maxTime. */
export function seriesOfChunks(
  labels: Labels,
  chunks: readonly Chunk[],
  range: { readonly minTime: number; readonly maxTime: number },
  scratch: MergeScratch,
): Series {
  const { minTime, maxTime } = range;
  if (!overlap(chunks)) return new ChunkSeries(labels, chunks, minTime, maxTime);
  const lanes = splitLanes(collapseChunks(chunks));
  const parts = lanes.map(lane => new ChunkSeries(labels, lane, minTime, maxTime));
  return parts.length === 1 ? parts[0]! : new ChainedSeries(parts, scratch);
}
