// One Series call: select, put labels and order right, cut into frames, write as fast as the peer reads.

import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Slicer } from '../lifecycle/slicer.ts';
import { CHUNK_SAMPLES } from '../storage/encode-columns.ts';
import type { Querier } from '../storage/queryable.ts';
import type { Chunk, Series, SeriesSet } from '../storage/series.ts';
import { sentLabels, stripExternal } from './external-labels.ts';
import type { SeriesQuery } from './requests.ts';
import { ChunkSource } from './series-chunks.ts';
import { SeriesEncoder } from './series-codec.ts';
import {
  type EncodedSeries,
  newHoldBackOrder,
  newSortingOrder,
  type SeriesOrder,
} from './series-order.ts';
import { shardFilter } from './shard.ts';
import type { StoreLimits, StoreSource } from './store-source.ts';

const FRAME_BYTES = 1024 * 1024;

/** Where frames go. Resolves once the next one may be written; rejects when the peer has gone. */
export type WriteFrame = (frame: Uint8Array) => Promise<void> | undefined;

export interface SeriesCallOptions {
  readonly source: StoreSource;
  readonly external: Labels;
  readonly limits: StoreLimits;
  readonly slicer: Slicer;
  readonly signal: AbortSignal;
  readonly write: WriteFrame;
}

/** Answers the query; resolves after the last frame. Throws OutpostError. */
export async function answerSeries(query: SeriesQuery, options: SeriesCallOptions): Promise<void> {
  const matchers = stripExternal(query.matchers, options.external);
  if (!matchers) return;
  if (matchers.length === 0) {
    throw new OutpostError('bad-data', 'no matchers specified (excluding external labels)');
  }
  const { source, signal } = options;
  const replicaLabels = query.withoutReplicaLabels;
  const queryable = source.open({ replicaLabels, partialResponse: query.partialResponse });
  const querier = queryable.querier(query.minTime, query.maxTime);
  try {
    const order = await orderFor(query, querier, options);
    const hints = { ...query.hints, sorted: true, labelsOnly: query.skipChunks };
    const set = await querier.select(matchers, { hints, signal });
    try {
      await new SeriesCall(query, options, order).run(set);
    } finally {
      set.close();
    }
  } finally {
    querier.close();
  }
}

/** Adding labels keeps the order but for beginnings; removing or replacing some does not. */
async function orderFor(
  query: SeriesQuery,
  querier: Querier,
  { source, external, signal }: SeriesCallOptions,
): Promise<SeriesOrder> {
  const changed = external.size > 0 ? [...external].map(([name]) => name) : [];
  if (!source.stripsReplicaLabels) changed.push(...query.withoutReplicaLabels);
  if (changed.length === 0) return newHoldBackOrder();
  const everything: readonly Matcher[] = [];
  const { values } = await querier.labelNames(everything, { signal });
  return values.some(name => changed.includes(name)) ? newSortingOrder() : newHoldBackOrder();
}

class SeriesCall {
  readonly #query: SeriesQuery;
  readonly #options: SeriesCallOptions;
  readonly #order: SeriesOrder;
  readonly #inShard: ((labels: Labels) => boolean) | null;
  readonly #encoder = new SeriesEncoder();
  readonly #chunkSource = new ChunkSource();
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #series = 0;
  #samples = 0;
  #sent = 0;

  constructor(query: SeriesQuery, options: SeriesCallOptions, order: SeriesOrder) {
    this.#query = query;
    this.#options = options;
    this.#order = order;
    this.#inShard = shardFilter(query.shard);
  }

  async run(set: SeriesSet): Promise<void> {
    const { slicer } = this.#options;
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        if (this.#full()) break;
        const waiting = this.#sendAll(this.#add(series));
        if (waiting) await waiting;
        if (slicer.due) await slicer.pause();
      }
      if (this.#full()) break;
    }
    for (const series of this.#order.end()) {
      const waiting = this.#send(series);
      if (waiting) await waiting;
      if (slicer.due) await slicer.pause();
    }
    await this.#flush();
    await this.#warn(set.warnings);
  }

  #full(): boolean {
    return this.#query.limit > 0 && this.#sent >= this.#query.limit;
  }

  #add(series: Series): readonly EncodedSeries[] {
    const { external } = this.#options;
    const labels = sentLabels(series.labels, external, this.#query.withoutReplicaLabels);
    if (this.#inShard && !this.#inShard(labels)) return [];
    const chunks = this.#query.skipChunks ? [] : this.#chunkSource.chunksOf(series);
    if (chunks.length === 0 && !this.#query.skipChunks) return [];
    this.#count(chunks.length);
    return this.#order.add({ labels, frames: this.#frames(labels, chunks) });
  }

  #count(chunks: number): void {
    const { seriesPerRequest, samplesPerRequest } = this.#options.limits;
    this.#series++;
    this.#samples += chunks * CHUNK_SAMPLES;
    if (seriesPerRequest > 0 && this.#series > seriesPerRequest) {
      throw overLimit('series', seriesPerRequest);
    }
    if (samplesPerRequest > 0 && this.#samples > samplesPerRequest) {
      throw overLimit('samples', samplesPerRequest);
    }
  }

  /** A long series goes out in several frames of about a mebibyte. */
  #frames(labels: Labels, chunks: readonly Chunk[]): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let from = 0;
    let bytes = 0;
    for (let i = 0; i < chunks.length; i++) {
      bytes += chunks[i]!.data.length;
      if (bytes < FRAME_BYTES) continue;
      frames.push(this.#encoder.series(labels, chunks.slice(from, i + 1)));
      from = i + 1;
      bytes = 0;
    }
    if (from < chunks.length || chunks.length === 0) {
      frames.push(this.#encoder.series(labels, from === 0 ? chunks : chunks.slice(from)));
    }
    return frames;
  }

  #sendAll(ready: readonly EncodedSeries[]): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (const series of ready) waiting = this.#send(series) ?? waiting;
    return waiting;
  }

  /** Returns a promise only where the peer is slower than we are. */
  #send(series: EncodedSeries): Promise<void> | undefined {
    if (this.#full()) return undefined;
    this.#sent++;
    let waiting: Promise<void> | undefined;
    for (const frame of series.frames) {
      const written = this.#query.batchSize > 1 ? this.#collect(frame) : this.#write(frame);
      waiting = written ?? waiting;
    }
    return waiting;
  }

  #write(frame: Uint8Array): Promise<void> | undefined {
    return this.#options.write(frame);
  }

  #collect(frame: Uint8Array): Promise<void> | undefined {
    this.#batch.push(frame);
    this.#batchBytes += frame.length;
    const full = this.#batch.length >= this.#query.batchSize || this.#batchBytes >= FRAME_BYTES;
    return full ? this.#flush() : undefined;
  }

  #flush(): Promise<void> | undefined {
    if (this.#batch.length === 0) return undefined;
    const frame = this.#encoder.batch(this.#batch);
    this.#batch = [];
    this.#batchBytes = 0;
    return this.#write(frame);
  }

  async #warn(warnings: readonly string[]): Promise<void> {
    if (warnings.length > 0 && !this.#query.partialResponse) {
      throw new OutpostError('execution', warnings.join('; '));
    }
    for (const warning of warnings) await this.#write(this.#encoder.warning(warning));
  }
}

function overLimit(what: string, limit: number): OutpostError {
  return new OutpostError(
    'limit-exceeded',
    `send series: the request touches more than ${limit} ${what}; narrow the selector or the time range`,
  );
}
