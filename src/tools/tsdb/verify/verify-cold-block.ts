// Checks one cold block: every page, the index in them as that of a standard block, and every chunk.

import { join } from 'node:path';
import { OutpostError } from '../../../lifecycle/errors.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { countSamples } from '../../../tsdb/block/chunk-samples.ts';
import { TOMBSTONES_FILE } from '../../../tsdb/block/tombstones.ts';
import { SEGMENT_HEADER_BYTES } from '../../../tsdb/chunks/segment-format.ts';
import { SegmentReader } from '../../../tsdb/chunks/segment-reader.ts';
import {
  COLD_CHUNKS_FOLDER,
  COLD_INDEX_FILE,
  COLD_META_FILE,
  openColdFiles,
} from '../../../tsdb/cold/cold-block.ts';
import { ColdEncoding, coldSamplesIn } from '../../../tsdb/cold/cold-chunk.ts';
import { ColdChunks } from '../../../tsdb/cold/cold-chunks.ts';
import { PageCache } from '../../../tsdb/cold/page-cache.ts';
import type { PageSource } from '../../../tsdb/cold/page-source.ts';
import { placeOf, SeriesEntries } from '../../../tsdb/index/series-entries.ts';
import { ByteWindow } from './byte-window.ts';
import type { Findings } from './findings.ts';
import { type FrameShape, frameAt } from './frame-walk.ts';
import {
  compareStats,
  noteOtherFiles,
  type VerifiedBlock,
  verifyMeta,
  verifyTombstones,
} from './verify-block.ts';
import type { VerifiedChunks } from './verify-chunks.ts';
import { type VerifiedIndex, verifyIndex } from './verify-index.ts';

const CHUNK_FRAME: FrameShape = { length: 'uvarint', uncounted: 1 };
// Chunks refer to times that lie before them in the same stretch.
const PAGE_CACHE_BYTES = 8 * 1024 * 1024;

const KNOWN = [COLD_META_FILE, TOMBSTONES_FILE, COLD_INDEX_FILE, COLD_CHUNKS_FOLDER];

/** Checks a block; `onBytes` is told the bytes of its files that were read. */
export async function verifyColdBlock(
  dir: string,
  findings: Findings,
  onBytes: (bytes: number) => void,
): Promise<VerifiedBlock> {
  const meta = await verifyMeta(dir, COLD_META_FILE, findings);
  const found: { index: VerifiedIndex | null; chunks: VerifiedChunks } = {
    index: null,
    chunks: { chunks: 0, aggregates: 0, numFloatSamples: 0, numHistogramSamples: 0 },
  };
  try {
    const files = await openColdFiles(dir, new PageCache(PAGE_CACHE_BYTES));
    try {
      found.index = await verifyIndex(files.index, {
        findings,
        minTime: meta?.minTime ?? Number.NEGATIVE_INFINITY,
        maxTime: meta?.maxTime ?? Number.POSITIVE_INFINITY,
        onBytes: () => {}, // of pages as they were before
      });
      onBytes(files.index.fileBytes);
      const check: ColdCheck = { dir, segments: files.segments, findings, ...found };
      await walkSegments(check, read => onBytes(files.index.fileBytes + read));
      await decodeChunks(check);
    } finally {
      await Promise.all([files.index, ...files.segments].map(file => file.close()));
    }
  } catch (error) {
    findings.caught(error);
  }
  const tombstones = await verifyTombstones(dir, found.index, findings);
  const { index, chunks } = found;
  if (meta && index) {
    compareStats(meta, { index, chunks, tombstones }, join(dir, COLD_META_FILE), findings);
  }
  await noteOtherFiles(dir, KNOWN, findings);
  return {
    meta,
    series: index?.series ?? 0,
    chunks: chunks.chunks,
    samples: chunks.numFloatSamples + chunks.numHistogramSamples,
  };
}

interface ColdCheck {
  readonly dir: string;
  readonly segments: readonly PageSource[];
  readonly findings: Findings;
  readonly index: VerifiedIndex | null;
  readonly chunks: VerifiedChunks;
}

/** Every frame of every segment: its checksum, and that a series refers to it unless it holds times. */
async function walkSegments(check: ColdCheck, onBytes: (bytes: number) => void): Promise<void> {
  const { segments, findings, index, chunks } = check;
  const wanted = index ? placesOf(index) : null;
  let bytes = 0;
  for (const [number, source] of segments.entries()) {
    const window = new ByteWindow(source, () => {});
    try {
      for (let at = SEGMENT_HEADER_BYTES; at < source.size; ) {
        const frame = await frameAt(window, CHUNK_FRAME, at, source.size);
        if (typeof frame === 'string') {
          findings.error(`chunk ${frame}`, source.name, at);
          break;
        }
        const isTimes = frame.payload[0] === ColdEncoding.times;
        if (!isTimes) countChunk(frame.payload, chunks);
        if (!isTimes && wanted && !wanted.has(placeOf(number, at))) {
          findings.error('chunk that no series refers to', source.name, at);
        }
        at = frame.end;
      }
    } catch (error) {
      findings.caught(error);
    }
    bytes += source.fileBytes;
    onBytes(bytes);
  }
}

function placesOf({ references }: VerifiedIndex): Set<number> {
  return new Set(references.places.subarray(0, references.length));
}

function countChunk(payload: Uint8Array, chunks: VerifiedChunks): void {
  const [encoding, data] = [payload[0]!, payload.subarray(1)];
  chunks.chunks++;
  if (encoding === ColdEncoding.floats) chunks.numFloatSamples += coldSamplesIn(data);
  else countSamples({ minTime: 0, maxTime: 0, encoding, data }, chunks);
}

/** Every chunk that a series refers to, with the times it shares. */
async function decodeChunks({ dir, segments, findings, index }: ColdCheck): Promise<void> {
  if (!index) return;
  const store = new ColdChunks(await SegmentReader.open(segments), 0, dir);
  const { references } = index;
  const columns = new SampleColumns();
  for (const i of references.byPlace()) {
    const [from, to] = [references.minTimes[i]!, references.maxTimes[i]!];
    const entry = new SeriesEntries(Uint32Array.of(0));
    entry.minTimes.push(from);
    entry.maxTimes.push(to);
    entry.places.push(references.places[i]!);
    entry.nextPlaces.push(0);
    columns.clear();
    try {
      const [chunk] = await store.read(entry, [0]);
      store.decode(chunk!, EVERYTHING, columns);
    } catch (error) {
      findings.error(`chunk cannot be decoded: ${OutpostError.from(error).message}`, dir);
      continue;
    }
    const { times, length } = columns;
    if (length > 0 && times[0] === from && times[length - 1] === to) continue;
    const series = `series at offset ${references.series[i]} of the index`;
    findings.error(`chunk does not hold the times ${from} to ${to} that its ${series} says`, dir);
  }
}

const EVERYTHING = { minTime: Number.NEGATIVE_INFINITY, maxTime: Number.POSITIVE_INFINITY };
