// Deduplication of replicas at query time: series that are equal without their replica labels become
// one. By then nothing tells which chunk came from which replica, so chunks that overlap in time are
// spread over lanes, and the lanes stand for the replicas.

import type { Labels } from '../labels/labels.ts';
import { mergeColumns } from './chained-series.ts';
import { collapseChunks, splitLanes } from './chunk-lanes.ts';
import { decodeChunk } from './chunks.ts';
import { applyCounterResets } from './counter-resets.ts';
import { type CombineSeries, mergeSeriesSets } from './merge.ts';
import { dedupByPenalty } from './penalty.ts';
import { SampleColumns } from './samples.ts';
import type { Chunk, Series, SeriesSet } from './series.ts';
import { appendColumns } from './series-list.ts';
import { withoutLabels } from './stripped-series.ts';

/** `penalty` for replicas that scrape on their own, `chain` for copies of the same samples. */
export type DedupFunction = 'penalty' | 'chain';

export interface DedupOptions {
  readonly func: DedupFunction;
  /** The function around the selector: counters are recognised by it. */
  readonly selectFunc: string;
  /** The selection's range, Unix ms, inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
}

const COUNTER_FUNCTIONS = new Set(['rate', 'increase', 'irate', 'resets']);
// `resets` counts what totals no longer show.
const TOTAL_FUNCTIONS = new Set(['rate', 'increase', 'irate']);

/**
 * Deduplicates a set that is sorted without the replica labels (whether it still carries them or not);
 * takes it over. The replica labels are absent from the result.
 */
export function dedupSeriesSet(
  set: SeriesSet,
  replicaLabels: readonly string[],
  options: DedupOptions,
): SeriesSet {
  return mergeSeriesSets([withoutLabels(set, replicaLabels)], { combine: dedupCombine(options) });
}

/** Deduplication as a step of a merge, for sets whose replica labels are gone already. */
export function dedupCombine(options: DedupOptions): CombineSeries {
  const buffers = new LaneBuffers();
  return group => dedupGroup(group, options, buffers);
}

function dedupGroup(group: readonly Series[], options: DedupOptions, buffers: LaneBuffers): Series {
  const [only] = group;
  if (group.length === 1 && only!.chunks() !== null) return only!;
  return new DedupedSeries(group, options, buffers);
}

/** Columns that are reused from series to series. */
class LaneBuffers {
  readonly #lanes: SampleColumns[] = [];
  readonly #spare = [new SampleColumns(0), new SampleColumns(0)];

  /** `count` cleared columns, good until the next call. */
  take(count: number): SampleColumns[] {
    while (this.#lanes.length < count) this.#lanes.push(new SampleColumns());
    const lanes = this.#lanes.slice(0, count);
    for (const lane of lanes) lane.clear();
    return lanes;
  }

  /** The union of the lanes, one sample for each timestamp. */
  chain(lanes: readonly SampleColumns[], out: SampleColumns): void {
    let [merged, next] = this.#spare as [SampleColumns, SampleColumns];
    merged.clear();
    for (const lane of lanes) {
      next.clear();
      mergeColumns(next, merged, lane);
      [merged, next] = [next, merged];
    }
    appendColumns(out, merged, 0, merged.length);
  }
}

class DedupedSeries implements Series {
  readonly #group: readonly Series[];
  readonly #options: DedupOptions;
  readonly #buffers: LaneBuffers;

  constructor(group: readonly Series[], options: DedupOptions, buffers: LaneBuffers) {
    this.#group = group;
    this.#options = options;
    this.#buffers = buffers;
  }

  get labels(): Labels {
    return this.#group[0]!.labels;
  }

  label(name: string): string {
    return this.#group[0]!.label(name);
  }

  chunks(): null {
    return null;
  }

  samples(out: SampleColumns): void {
    const { chunks, decoded } = leaves(this.#group);
    const chunkLanes = splitLanes(collapseChunks(chunks));
    const lanes = this.#buffers.take(chunkLanes.length + decoded.length);
    for (const [i, lane] of chunkLanes.entries()) decodeLane(lane, lanes[i]!, this.#options);
    for (const [i, series] of decoded.entries()) series.samples(lanes[chunkLanes.length + i]!);
    const { func, selectFunc } = this.#options;
    if (func === 'chain') {
      this.#buffers.chain(lanes, out);
      return;
    }
    if (TOTAL_FUNCTIONS.has(selectFunc)) lanes.forEach(applyCounterResets);
    dedupByPenalty(lanes, COUNTER_FUNCTIONS.has(selectFunc), out);
  }
}

function decodeLane(chunks: readonly Chunk[], lane: SampleColumns, options: DedupOptions): void {
  const { minTime, maxTime } = options;
  for (const chunk of chunks) {
    if (chunk.maxTime >= minTime && chunk.minTime <= maxTime) {
      decodeChunk(chunk, minTime, maxTime, lane);
    }
  }
}

/** The chunks of a group, overlapping or not, and those of its parts that have none to give. */
export function leaves(group: readonly Series[]): { chunks: Chunk[]; decoded: Series[] } {
  const chunks: Chunk[] = [];
  const decoded: Series[] = [];
  const visit = (series: Series): void => {
    const own = series.chunks();
    const parts = own ? null : series.parts?.();
    if (own) chunks.push(...own);
    else if (parts) parts.forEach(visit);
    else decoded.push(series);
  };
  group.forEach(visit);
  return { chunks, decoded };
}
