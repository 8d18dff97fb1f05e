// The series of one selection, batch by batch. What a batch holds in memory is bounded by its number of
// series and of chunks.

import { Labels } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import type { Chunk, Series, SeriesSet } from '../../storage/series.ts';
import type { SeriesEntries } from '../index/series-entries.ts';
import type { SymbolLookup } from '../index/symbols.ts';
import type { BlockParts } from './block-querier.ts';
import type { ChunkStore } from './chunk-store.ts';
import { dropIntervals, isCovered } from './deleted-samples.ts';
import type { TimeInterval } from './tombstones.ts';

const BATCH_SERIES = 256;
// Some 200 to 1000 bytes each.
const BATCH_CHUNKS = 4096;

/** One selection. */
export interface BlockSelection {
  /** Ascending, which is label order. */
  readonly ids: Uint32Array;
  readonly range: TimeInterval;
  /** True: chunks are not fetched, the series have none. */
  readonly labelsOnly: boolean;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** Series in label order. Those without a chunk in range are left out. */
export class BlockSeriesSet implements SeriesSet {
  readonly warnings: readonly string[] = [];
  readonly #parts: BlockParts;
  readonly #selection: BlockSelection;
  #at = 0;
  #left: number;
  #closed = false;

  constructor(parts: BlockParts, selection: BlockSelection) {
    this.#parts = parts;
    this.#selection = selection;
    this.#left = selection.limit;
  }

  async next(): Promise<readonly Series[] | null> {
    const { ids, signal } = this.#selection;
    while (!this.#closed && this.#left > 0 && this.#at < ids.length) {
      if (signal?.aborted) throw OutpostError.from(signal.reason);
      const batch = await this.#read(ids.subarray(this.#at, this.#at + BATCH_SERIES));
      if (this.#closed) return null;
      this.#left -= batch.length;
      if (batch.length > 0) return batch;
    }
    return null;
  }

  close(): void {
    this.#closed = true;
  }

  async #read(ids: Uint32Array): Promise<BlockSeries[]> {
    const { range, signal, labelsOnly } = this.#selection;
    const { index, chunks: store } = this.#parts;
    const entries = await index.series(ids, range, signal);
    const taken = seriesWithin(entries);
    this.#at += taken;
    const plan = this.#plan(entries, taken);
    const lookup = await index.symbols(symbolsOf(entries, taken), signal);
    const wanted = labelsOnly ? [] : plan.flatMap(({ chunks }) => chunks);
    const read = await store.read(entries, wanted, signal);
    let at = 0;
    return plan.map(({ series, chunks }) => {
      const own = labelsOnly ? [] : read.slice(at, (at += chunks.length));
      const deleted = this.#parts.tombstones.intervals(entries.ids[series]!);
      return new BlockSeries({ entries, series, lookup, store, chunks: own, deleted, range });
    });
  }

  /** Which series go out, and which of their chunks hold samples that are not deleted. */
  #plan(entries: SeriesEntries, taken: number): { series: number; chunks: number[] }[] {
    const plan: { series: number; chunks: number[] }[] = [];
    for (let series = 0; series < taken && plan.length < this.#left; series++) {
      const deleted = this.#parts.tombstones.intervals(entries.ids[series]!);
      const chunks: number[] = [];
      for (let i = entries.chunkStarts[series]!; i < entries.chunkStarts[series + 1]!; i++) {
        if (!isCovered(entries.minTimes[i]!, entries.maxTimes[i]!, deleted)) chunks.push(i);
      }
      if (chunks.length > 0) plan.push({ series, chunks });
    }
    return plan;
  }
}

/** How many of the first series stay within the batch's chunks, at least one. */
function seriesWithin(entries: SeriesEntries): number {
  let series = 1;
  while (series < entries.ids.length && entries.chunkStarts[series + 1]! <= BATCH_CHUNKS) {
    series++;
  }
  return series;
}

function symbolsOf(entries: SeriesEntries, series: number): readonly number[] {
  return series === entries.ids.length
    ? entries.symbols
    : entries.symbols.slice(0, entries.labelStarts[series]);
}

interface BlockSeriesParts {
  readonly entries: SeriesEntries;
  readonly series: number;
  readonly lookup: SymbolLookup;
  readonly store: ChunkStore;
  readonly chunks: readonly Chunk[];
  readonly deleted: readonly TimeInterval[];
  readonly range: TimeInterval;
}

class BlockSeries implements Series {
  readonly #parts: BlockSeriesParts;
  #labels: Labels | null = null;

  constructor(parts: BlockSeriesParts) {
    this.#parts = parts;
  }

  get labels(): Labels {
    this.#labels ??= Labels.fromSorted(this.#symbols().map(this.#parts.lookup));
    return this.#labels;
  }

  label(name: string): string {
    if (this.#labels) return this.#labels.get(name);
    const { entries, series, lookup } = this.#parts;
    const end = entries.labelStarts[series + 1]!;
    for (let i = entries.labelStarts[series]!; i < end; i += 2) {
      if (lookup(entries.symbols[i]!) === name) return lookup(entries.symbols[i + 1]!);
    }
    return '';
  }

  chunks(): readonly Chunk[] | null {
    const { store, chunks, deleted, range } = this.#parts;
    return deleted.length === 0 ? store.standard(chunks, range) : null;
  }

  samples(out: SampleColumns): void {
    const { store, chunks, deleted, range } = this.#parts;
    const from = out.length;
    for (const chunk of chunks) store.decode(chunk, range, out);
    if (deleted.length > 0) dropIntervals(out, from, deleted);
  }

  #symbols(): readonly number[] {
    const { entries, series } = this.#parts;
    return entries.symbols.slice(entries.labelStarts[series], entries.labelStarts[series + 1]);
  }
}
