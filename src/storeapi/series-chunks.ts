// The chunks of a series as they are sent. Stored chunks go out untouched; where a series exists only
// decoded, or in an encoding that peers do not know, its samples are encoded again.

import { collapseChunks } from '../storage/chunk-lanes.ts';
import { leaves } from '../storage/dedup.ts';
import { encodeColumns } from '../storage/encode-columns.ts';
import { SampleColumns } from '../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series } from '../storage/series.ts';

const SENDABLE: ReadonlySet<number> = new Set([
  ChunkEncoding.xor,
  ChunkEncoding.histogram,
  ChunkEncoding.floatHistogram,
]);

/** Finds or makes chunks; reuses its buffer from series to series. */
export class ChunkSource {
  readonly #columns = new SampleColumns();

  /** Chunks by time; they may overlap. Those of the series are borrowed from it. */
  chunksOf(series: Series): readonly Chunk[] {
    return storedChunks(series) ?? this.#encode(series);
  }

  #encode(series: Series): Chunk[] {
    const columns = this.#columns;
    columns.clear();
    series.samples(columns);
    return encodeColumns(columns);
  }
}

/** The chunks a series or its parts were read from; null where they cannot be sent as they are. */
function storedChunks(series: Series): readonly Chunk[] | null {
  const own = series.chunks();
  if (own) return sendable(own);
  const { chunks, decoded } = leaves([series]);
  return decoded.length > 0 ? null : sendable(collapseChunks(chunks));
}

function sendable(chunks: readonly Chunk[]): readonly Chunk[] | null {
  return chunks.every(chunk => SENDABLE.has(chunk.encoding)) ? chunks : null;
}
