// Chunks of one series that several stores or replicas have contributed to: sorted, without copies, and
// spread over lanes in which none overlaps another.

import type { Chunk } from './series.ts';

/** Sorts by first and last time and drops chunks that equal another byte for byte. */
export function collapseChunks(chunks: readonly Chunk[]): Chunk[] {
  const sorted = [...chunks].sort(compareChunks);
  return sorted.filter((chunk, i) => i === 0 || compareChunks(chunk, sorted[i - 1]!) !== 0);
}

function compareChunks(a: Chunk, b: Chunk): number {
  return (
    a.minTime - b.minTime ||
    a.maxTime - b.maxTime ||
    a.encoding - b.encoding ||
    Buffer.compare(a.data, b.data)
  );
}

/** True where some chunk starts before the one before it has ended. */
export function overlap(chunks: readonly Chunk[]): boolean {
  for (let i = 1; i < chunks.length; i++) {
    if (chunks[i]!.minTime <= chunks[i - 1]!.maxTime) return true;
  }
  return false;
}

/** Puts each chunk, taken by time, into the first lane that has ended before it starts. */
export function splitLanes(chunks: readonly Chunk[]): Chunk[][] {
  const lanes: Chunk[][] = [];
  for (const chunk of chunks) {
    const free = lanes.find(lane => lane.at(-1)!.maxTime < chunk.minTime);
    if (free) free.push(chunk);
    else lanes.push([chunk]);
  }
  return lanes;
}
