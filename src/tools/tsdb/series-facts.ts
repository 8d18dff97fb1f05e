// What an analysis wants to know of each series: its labels, how long it lived, how full its chunks are.
// A block tells it from its index, without reading chunks unless their fill is asked for; a head from its
// chunks.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Matcher } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { encodeColumns } from '../../storage/encode-columns.ts';
import { SampleColumns } from '../../storage/samples.ts';
import type { Chunk, Series } from '../../storage/series.ts';
import { type ChunkCounts, countSamples } from '../../tsdb/block/chunk-samples.ts';
import { type BlockMeta, hasMistakenIndexVersion } from '../../tsdb/block/meta.ts';
import type { ByteSource } from '../../tsdb/byte-source.ts';
import { SegmentReader } from '../../tsdb/chunks/segment-reader.ts';
import { isColdDirectory, readAnyMeta } from '../../tsdb/cold/any-block.ts';
import { openColdFiles } from '../../tsdb/cold/cold-block.ts';
import { ColdEncoding, coldSamplesIn } from '../../tsdb/cold/cold-chunk.ts';
import { PageCache } from '../../tsdb/cold/page-cache.ts';
import { FileSource } from '../../tsdb/file-source.ts';
import type { Head } from '../../tsdb/head/head.ts';
import { IndexReader } from '../../tsdb/index/index-reader.ts';
import { postingsForMatchers } from '../../tsdb/index/postings-for-matchers.ts';
import type { SeriesEntries } from '../../tsdb/index/series-entries.ts';

const SERIES_AT_ONCE = 512;
const PAGE_CACHE_BYTES = 8 * 1024 * 1024;

/** One series. */
export interface SeriesFacts {
  /** Flat: name, value, name, value, … */
  readonly pairs: readonly string[];
  /** Times of its first and last sample, Unix ms. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Samples of each chunk; empty where they were not asked for. */
  readonly chunkSamples: readonly number[];
}

/** What to read. */
export interface FactsOptions {
  readonly matchers: readonly Matcher[];
  /** True where `chunkSamples` is wanted. */
  readonly chunks: boolean;
  readonly signal: AbortSignal;
  /** Told how many series are done and how many there are. */
  readonly progress: (done: number, total: number) => void;
}

/** Series of one block or head. */
export interface FactsSource {
  /** The block's id, or what stands for it. */
  readonly name: string;
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  visit(options: FactsOptions, take: (facts: SeriesFacts) => void): Promise<void>;
}

/** A block on disk. Throws `not-found` and `corrupt`. */
export async function blockFacts(dir: string): Promise<FactsSource> {
  if (!existsSync(dir)) throw new OutpostError('not-found', `analyse block: there is none: ${dir}`);
  const meta = await readAnyMeta(dir);
  const { ulid: name, minTime, maxTime } = meta;
  return {
    name,
    minTime,
    maxTime,
    async visit(options, take) {
      const files = await openFiles(dir);
      try {
        const index = await openIndex(files.index, meta);
        await visitBlock(index, files.segments, options, take);
      } finally {
        await files.index.close();
        await files.segments.close();
      }
    },
  };
}

/** Samples that only a log holds. */
export function headFacts(head: Head, name: string): FactsSource {
  return {
    name,
    minTime: head.oldestTime,
    maxTime: head.newestTime + 1,
    visit: (options, take) => visitHead(head, options, take),
  };
}

async function openFiles(dir: string): Promise<{ index: ByteSource; segments: SegmentReader }> {
  if (isColdDirectory(dir)) {
    const { index, segments } = await openColdFiles(dir, new PageCache(PAGE_CACHE_BYTES));
    return { index, segments: await SegmentReader.open(segments) };
  }
  const index = await FileSource.open(join(dir, 'index'));
  return { index, segments: await SegmentReader.openDirectory(join(dir, 'chunks')) };
}

function openIndex(source: ByteSource, meta: BlockMeta): Promise<IndexReader> {
  return IndexReader.open(source, hasMistakenIndexVersion(meta) ? { version: 2 } : {});
}

async function visitBlock(
  index: IndexReader,
  segments: SegmentReader,
  { matchers, chunks, signal, progress }: FactsOptions,
  take: (facts: SeriesFacts) => void,
): Promise<void> {
  const everything = { minTime: Number.NEGATIVE_INFINITY, maxTime: Number.POSITIVE_INFINITY };
  const ids = await postingsForMatchers(index, matchers, signal);
  for (let at = 0; at < ids.length; at += SERIES_AT_ONCE) {
    signal.throwIfAborted();
    const entries = await index.series(ids.subarray(at, at + SERIES_AT_ONCE), everything, signal);
    const lookup = await index.symbols(entries.symbols, signal);
    const samples = chunks ? await samplesOf(entries, segments, signal) : [];
    for (let i = 0; i < entries.ids.length; i++) {
      const [from, to] = [entries.chunkStarts[i]!, entries.chunkStarts[i + 1]!];
      if (from === to) continue;
      take({
        pairs: entries.symbols
          .slice(entries.labelStarts[i], entries.labelStarts[i + 1])
          .map(lookup),
        minTime: entries.minTimes[from]!,
        maxTime: entries.maxTimes[to - 1]!,
        chunkSamples: samples.slice(from, to),
      });
    }
    progress(at + entries.ids.length, ids.length);
  }
}

async function samplesOf(
  entries: SeriesEntries,
  segments: SegmentReader,
  signal: AbortSignal,
): Promise<number[]> {
  const { places, nextPlaces, minTimes, maxTimes } = entries;
  const payloads = await segments.read(places, nextPlaces, signal);
  return payloads.map((payload, i) =>
    samplesIn({
      minTime: minTimes[i]!,
      maxTime: maxTimes[i]!,
      encoding: payload[0]!,
      data: payload.subarray(1),
    }),
  );
}

function samplesIn(chunk: Chunk): number {
  if (chunk.encoding === ColdEncoding.floats) return coldSamplesIn(chunk.data);
  const counts: ChunkCounts = { numFloatSamples: 0, numHistogramSamples: 0 };
  countSamples(chunk, counts);
  return counts.numFloatSamples + counts.numHistogramSamples;
}

/** The series' chunks, made anew where it has deletions or samples out of order. */
export function chunksOf(series: Series): readonly Chunk[] {
  const chunks = series.chunks();
  if (chunks) return chunks;
  const columns = new SampleColumns();
  series.samples(columns);
  return encodeColumns(columns);
}

async function visitHead(
  head: Head,
  { matchers, chunks, signal, progress }: FactsOptions,
  take: (facts: SeriesFacts) => void,
): Promise<void> {
  const querier = head.querier(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  let done = 0;
  try {
    const set = await querier.select(matchers, { signal });
    for (let batch = await set.next(); batch; batch = await set.next()) {
      signal.throwIfAborted();
      for (const series of batch) {
        const own = chunksOf(series);
        if (own.length === 0) continue;
        take({
          pairs: series.labels.pairs,
          minTime: own[0]!.minTime,
          maxTime: own.at(-1)!.maxTime,
          chunkSamples: chunks ? own.map(samplesIn) : [],
        });
      }
      done += batch.length;
      progress(done, head.seriesCount);
    }
  } finally {
    querier.close();
  }
}
