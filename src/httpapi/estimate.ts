// What a selection will cost, from the chunks of a few of its series: they say how many samples they hold
// without being decoded.

import type { Queryable } from '../storage/queryable.ts';
import { SampleColumns } from '../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series, type SeriesSet } from '../storage/series.ts';
import type { Reading } from './recording.ts';

const LOOKED_AT_MAX = 100;
/** Bytes a sample takes where nothing says more: what compressed floats of hosts take on average. */
const SAMPLE_BYTES = 1.5;

/** Counts series, and estimates samples and bytes from at most 100 of them. */
export async function estimateReading(
  store: Queryable,
  reading: Reading,
  signal: AbortSignal,
): Promise<void> {
  const querier = store.querier(reading.minTime, reading.maxTime);
  const { matchers } = reading;
  let looked = 0;
  let samples = 0;
  let bytes: number | null = 0;
  try {
    const all = await querier.select(matchers, { signal, hints: { labelsOnly: true } });
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
    const share = shareOf(chunk, reading);
    bytes += chunk.data.length * share;
    samples += samplesIn(chunk) * share;
  }
  return { samples, bytes };
}

/** The part of a chunk's time that lies in the range. */
function shareOf(chunk: Chunk, { minTime, maxTime }: Reading): number {
  const from = Math.max(chunk.minTime, minTime);
  const to = Math.min(chunk.maxTime, maxTime);
  if (to < from) return 0;
  const length = chunk.maxTime - chunk.minTime;
  return length === 0 ? 1 : (to - from) / length;
}

// Every encoding begins with the number of samples, two bytes big endian, but for aggregates.
function samplesIn({ encoding, data }: Chunk): number {
  if (encoding === ChunkEncoding.aggregate || data.length < 2) return data.length / SAMPLE_BYTES;
  return data[0]! * 256 + data[1]!;
}
