// The chunks of a series as they are sent. Stored chunks go out untouched; where a series exists only
// decoded, or in an encoding that peers do not know, its samples are encoded again.

import { encodeXor } from '../kernels/xor.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { collapseChunks } from '../storage/chunk-lanes.ts';
import { leaves } from '../storage/dedup.ts';
import { SampleColumns } from '../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series } from '../storage/series.ts';

/** Samples in a chunk that is made here; the number Prometheus cuts at. */
export const SAMPLES_PER_CHUNK = 120;

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
    if (columns.histograms) {
      throw new OutpostError(
        'execution',
        `send series: native histograms that exist only decoded cannot be sent, ${series.labels}`,
      );
    }
    const chunks: Chunk[] = [];
    for (let from = 0; from < columns.length; from += SAMPLES_PER_CHUNK) {
      const to = Math.min(from + SAMPLES_PER_CHUNK, columns.length);
      chunks.push({
        minTime: columns.times[from]!,
        maxTime: columns.times[to - 1]!,
        encoding: ChunkEncoding.xor,
        data: encodeXor(columns.times, columns.values, from, to),
      });
    }
    return chunks;
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
