// Where the chunks of a block come from and how they are read: standard segments, or the denser ones of a
// cold block.

import { decodeChunk } from '../../storage/chunks.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import type { Chunk } from '../../storage/series.ts';
import type { SegmentReader } from '../chunks/segment-reader.ts';
import type { SeriesEntries } from '../index/series-entries.ts';
import type { TimeInterval } from './tombstones.ts';

/** The chunks of one block. `decode` and `standard` take chunks that `read` gave. */
export interface ChunkStore {
  /** Bytes of all files. */
  readonly sizeBytes: number;
  /** The chunks with the given indices in `entries`, in that order. Throws `corrupt`. */
  read(
    entries: SeriesEntries,
    wanted: readonly number[],
    signal?: AbortSignal,
  ): Promise<readonly Chunk[]>;
  /** Appends the chunk's samples within the range, both ends inclusive, bits intact. */
  decode(chunk: Chunk, range: TimeInterval, out: SampleColumns): void;
  /** The same samples in encodings that every reader knows; they may reach beyond the range. */
  standard(chunks: readonly Chunk[], range: TimeInterval): readonly Chunk[];
  close(): Promise<void>;
}

/** Chunks as they lie in standard segments. */
export class StandardChunks implements ChunkStore {
  readonly #segments: SegmentReader;

  /** Owns the segments. */
  constructor(segments: SegmentReader) {
    this.#segments = segments;
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes;
  }

  async read(
    entries: SeriesEntries,
    wanted: readonly number[],
    signal?: AbortSignal,
  ): Promise<readonly Chunk[]> {
    const payloads = await readPayloads(this.#segments, entries, wanted, signal);
    return payloads.map((payload, at) => toChunk(entries, wanted[at]!, payload));
  }

  decode(chunk: Chunk, { minTime, maxTime }: TimeInterval, out: SampleColumns): void {
    decodeChunk(chunk, minTime, maxTime, out);
  }

  standard(chunks: readonly Chunk[]): readonly Chunk[] {
    return chunks;
  }

  close(): Promise<void> {
    return this.#segments.close();
  }
}

/** The entries' chunks as their encoding byte followed by their data. */
export function readPayloads(
  segments: SegmentReader,
  entries: SeriesEntries,
  wanted: readonly number[],
  signal: AbortSignal | undefined,
): Promise<readonly Uint8Array[]> {
  return segments.read(
    wanted.map(i => entries.places[i]!),
    wanted.map(i => entries.nextPlaces[i]!),
    signal,
  );
}

/** A chunk over its payload. */
export function toChunk(entries: SeriesEntries, index: number, payload: Uint8Array): Chunk {
  return {
    minTime: entries.minTimes[index]!,
    maxTime: entries.maxTimes[index]!,
    encoding: payload[0]!,
    data: payload.subarray(1),
  };
}
