// Series as they are read: a label set and compressed chunks, in batches. A store hands over chunks
// untouched; whoever needs numbers asks for columns, and the store decodes straight into them.

import type { Labels } from '../labels/labels.ts';
import type { SampleColumns } from './samples.ts';

/** Chunk encodings by their number in block files. */
export const ChunkEncoding = {
  xor: 1,
  histogram: 2,
  floatHistogram: 3,
  xor2: 4,
  histogramStartTime: 5,
  floatHistogramStartTime: 6,
  /** Thanos' five aggregates of one downsampled chunk. */
  aggregate: 0xff,
} as const;

/** Compressed samples of one series. `data` is the payload alone: no length, encoding byte or CRC. */
export interface Chunk {
  /** Time of the first sample, Unix ms. */
  readonly minTime: number;
  /** Time of the last sample, Unix ms, inclusive. */
  readonly maxTime: number;
  readonly encoding: number;
  /** Borrowed from the store; valid until the batch it came with is released by the next `next()`. */
  readonly data: Uint8Array;
}

/** One series of a selection. Valid until the set's next `next()`. */
export interface Series {
  /** May be built on first use; ask `label` where one value is enough. */
  readonly labels: Labels;
  /** One label's value, '' where absent. */
  label(name: string): string;
  /**
   * Chunks that may hold samples of the selection, by time and without overlap; they may reach beyond
   * its range. Null where the samples exist only decoded (a merge or deduplication).
   */
  chunks(): readonly Chunk[] | null;
  /** Appends the samples of the selection's range to `out`, in time order, stale markers included. */
  samples(out: SampleColumns): void;
  /**
   * The series that this one was joined from, which may overlap in time: what deduplication needs and
   * everybody else ignores. Absent or null where it was not joined.
   */
  parts?(): readonly Series[] | null;
}

/** A selection's result, read once from front to back. */
export interface SeriesSet {
  /** The next batch, never empty; null at the end. Throws OutpostError. */
  next(): Promise<readonly Series[] | null>;
  /** What could not be read, complete after the end: one sentence each. */
  readonly warnings: readonly string[];
  /** True where series stay valid after the next `next()`, so that nobody has to copy them. */
  readonly lasting?: boolean;
  /** Releases what the set holds; safe at any time and more than once. */
  close(): void;
}
