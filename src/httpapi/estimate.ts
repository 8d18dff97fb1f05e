// What a selection will cost, from the chunks of a few of its series: most say how many samples they hold without
// being decoded.

import { decodeChunk } from '../storage/chunks.ts';
import type { Queryable } from '../storage/queryable.ts';
import { SampleColumns } from '../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series, type SeriesSet } from '../storage/series.ts';
import type { Reading, Recording } from './recording.ts';

const LOOKED_AT_MAX = 100;
/** Bytes a sample takes where nothing says more: what compressed floats of hosts take on average. */
const SAMPLE_BYTES = 1.5;

/** Counts series, and estimates samples and bytes from at most 100 of them. */
export async function estimateReading(
  store: Queryable,
  reading: Reading,
  { recording, signal }: { readonly recording: Recording; readonly signal: AbortSignal },
): Promise<void> {
  const querier = store.querier(reading.minTime, reading.maxTime);
  const { matchers } = reading;
  let looked = 0;
  let samples = 0;
  let bytes: number | null = 0;
  try {
    const all = await recording.noting(reading, () =>
      querier.select(matchers, { signal, hints: { labelsOnly: true } }),
    );
    await forEach(all, batch => void (reading.series += batch.length));
    const hints = { limit: LOOKED_AT_MAX };
    const few = await querier.select(matchers, { signal, hints });
    await forEach(few, batch => {
      for (const series of batch) {
        const cost = costOf(series, reading);
        samples += cost.samples;
        bytes = bytes === null || cost.bytes === null ? null : bytes + cost.bytes;
      }
      looked += batch.length;
    });
  } finally {
    querier.close();
  }
  const share = looked === 0 ? 0 : reading.series / looked;
  reading.samples = Math.round(samples * share);
  reading.bytes = bytes === null ? null : Math.round(bytes * share);
}

async function forEach(set: SeriesSet, work: (batch: readonly Series[]) => void): Promise<void> {
  try {
    for (let batch = await set.next(); batch; batch = await set.next()) work(batch);
  } finally {
    set.close();
  }
}

const decoded = new SampleColumns();

function costOf(series: Series, reading: Reading): { samples: number; bytes: number | null } {
  const chunks = series.chunks();
  if (!chunks) {
    decoded.clear();
    series.samples(decoded);
    return { samples: decoded.length, bytes: null };
  }
  let samples = 0;
  let bytes = 0;
  for (const chunk of chunks) {
    const inside = samplesInside(chunk, reading);
    if (inside === 0) continue;
    samples += inside;
    bytes += chunk.data.length * Math.min(1, inside / samplesIn(chunk));
  }
  return { samples, bytes };
}

/** Chunks at the edges are decoded, since the gaps in them are unknown; there are few. */
function samplesInside(chunk: Chunk, { minTime, maxTime }: Reading): number {
  if (chunk.maxTime < minTime || chunk.minTime > maxTime) return 0;
  const isWhole = chunk.minTime >= minTime && chunk.maxTime <= maxTime;
  if (isWhole || chunk.encoding === ChunkEncoding.aggregate) return samplesIn(chunk);
  decoded.clear();
  decodeChunk(chunk, minTime, maxTime, decoded);
  return decoded.length;
}

// Every encoding begins with the number of samples, two bytes big endian, but for aggregates.
function samplesIn({ encoding, data }: Chunk): number {
  if (encoding === ChunkEncoding.aggregate || data.length < 2) return data.length / SAMPLE_BYTES;
  return data[0]! * 256 + data[1]!;
}
