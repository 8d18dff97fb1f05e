// A checkpoint replaces the oldest segments by what is still needed of them: live series, samples that
// are not yet in a block, deletions that still matter and the newest metadata. It is written beside the
// log and renamed into place, so a crash leaves either all of it or none.

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Scratch } from '../../encoding/scratch.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import {
  decodeExemplarsRecord,
  encodeExemplarsRecord,
  type LoggedExemplar,
} from './exemplars-record.ts';
import {
  decodeHistogramRecord,
  type HistogramRecordType,
  HistogramRecordWriter,
  LoggedHistograms,
} from './histogram-record.ts';
import { readSegment } from './log-reader.ts';
import { type LogSource, logSources } from './log-sources.ts';
import { LogWriter, type LogWriterOptions } from './log-writer.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type LoggedMetadata,
} from './metadata-record.ts';
import {
  isHistogramRecord,
  RECORD_EXEMPLARS,
  RECORD_METADATA,
  RECORD_SAMPLES,
  RECORD_SERIES,
  RECORD_TOMBSTONES,
} from './record-type.ts';
import { decodeSamplesRecord, LoggedSamples, SamplesRecordWriter } from './samples-record.ts';
import { checkpointPath, listCheckpoints, listSegments } from './segments.ts';
import { decodeSeriesRecord, SeriesRecordWriter } from './series-record.ts';
import { syncDirectory } from './sync-directory.ts';
import {
  decodeTombstonesRecord,
  encodeTombstonesRecord,
  type LoggedTombstone,
} from './tombstones-record.ts';

/** What a checkpoint keeps. */
export interface Needed {
  /** True where a series, or samples that name it, may still be read from the log. */
  series(ref: number): boolean;
  /** Samples and deletions before this time are in blocks or beyond retention. */
  readonly minTime: number;
  /** The newest metadata, under series that are needed; what the log has of other series goes with them. */
  readonly metadata?: Iterable<LoggedMetadata>;
  /** The series that live, for a log that is damaged and may name some no more. */
  liveSeries?(): Iterable<LiveSeries>;
}

/** A series by its reference; `pairs` is flat, sorted by name. */
export interface LiveSeries {
  readonly ref: number;
  readonly pairs: readonly string[];
}

/** What was dropped and kept. */
export interface CheckpointStats {
  readonly seriesKept: number;
  readonly seriesDropped: number;
  readonly samplesKept: number;
  readonly samplesDropped: number;
  /** Damaged places that were passed over. */
  readonly damages: number;
}

const LEFTOVER = /^checkpoint\.\d+\.tmp$|^\d+\.repair$/;
const SERIES_RECORD_BYTES = 64 * 1024;
const BATCH_BYTES = 256 * 1024;

/**
 * Writes the checkpoint that replaces all segments up to and including `to`, from the newest checkpoint
 * and the segments behind it. Throws `unavailable` where the disk refuses; the log is unchanged then.
 */
export async function writeCheckpoint(
  dir: string,
  to: number,
  needed: Needed,
  options: CheckpointOptions,
): Promise<CheckpointStats> {
  const target = checkpointPath(dir, to);
  const temporary = `${target}.tmp`;
  let stats = await writeTo(temporary, logSources(dir, to), needed, options);
  if (stats.damages > 0 && needed.liveSeries) {
    // Samples to come name series that may have stood in the damaged places.
    const series = needed.liveSeries();
    stats = await writeTo(temporary, logSources(dir, to), needed, { ...options, series });
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(temporary, target);
  await syncDirectory(dir);
  return stats;
}

type CheckpointOptions = LogWriterOptions & { readonly slicer: Slicer };

async function writeTo(
  temporary: string,
  sources: readonly LogSource[],
  needed: Needed,
  { slicer, series, ...options }: CheckpointOptions & { readonly series?: Iterable<LiveSeries> },
): Promise<CheckpointStats> {
  rmSync(temporary, { recursive: true, force: true });
  const { metrics: _, ...quiet } = options;
  const writer = LogWriter.open(temporary, { ...quiet, compress: true });
  const filter = new RecordFilter(writer, needed);
  let damages = 0;
  try {
    if (series) await filter.begin(series, slicer);
    for (const source of sources) damages += await copy(source, filter, slicer);
    filter.finish();
    await writer.close();
  } catch (error) {
    await writer.close();
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  return { ...filter.stats, damages };
}

/** Removes the segments up to and including `to` and the checkpoints before it. */
export function dropReplaced(dir: string, to: number): void {
  for (const segment of listSegments(dir)) {
    if (segment.index <= to) rmSync(segment.path, { force: true });
  }
  for (const checkpoint of listCheckpoints(dir)) {
    if (checkpoint.index < to) rmSync(checkpoint.path, { recursive: true, force: true });
  }
}

/** Removes what a crash left of checkpoints and repairs that were being written. */
export function removeLogLeftovers(dir: string): void {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) {
    if (LEFTOVER.test(name)) rmSync(join(dir, name), { recursive: true, force: true });
  }
}

async function copy(source: LogSource, filter: RecordFilter, slicer: Slicer): Promise<number> {
  const reading = await readSegment(source.path, record => filter.add(record), slicer);
  return reading.damages.length;
}

/** Passes on what is needed of each record. */
class RecordFilter {
  readonly stats = { seriesKept: 0, seriesDropped: 0, samplesKept: 0, samplesDropped: 0 };
  readonly #writer: LogWriter;
  readonly #needed: Needed;
  readonly #series = new SeriesRecordWriter();
  readonly #samples = new SamplesRecordWriter();
  readonly #columns = new LoggedSamples();
  readonly #histograms = new HistogramRecordWriter();
  readonly #histogramColumns = new LoggedHistograms();
  readonly #metadata = new Map<number, LoggedMetadata>();
  #batch: Uint8Array[] = [];
  readonly #copies = new Scratch();
  #batchBytes = 0;

  constructor(writer: LogWriter, needed: Needed) {
    this.#writer = writer;
    this.#needed = needed;
  }

  /** Passes on the series before anything else. */
  async begin(series: Iterable<LiveSeries>, slicer: Slicer): Promise<void> {
    this.#series.reset();
    for (const { ref, pairs } of series) {
      this.#series.add(ref, pairs);
      if (this.#series.bytes().length < SERIES_RECORD_BYTES) continue;
      this.#pass(this.#series.bytes());
      this.#series.reset();
      if (slicer.due) await slicer.pause();
    }
    if (!this.#series.empty) this.#pass(this.#series.bytes());
  }

  add(record: Uint8Array): void {
    const type = record[0];
    if (type === RECORD_SERIES) this.#addSeries(record);
    else if (type === RECORD_SAMPLES) this.#addSamples(record);
    else if (type === RECORD_TOMBSTONES) this.#addTombstones(record);
    else if (type === RECORD_METADATA) this.#addMetadata(record);
    else if (type === RECORD_EXEMPLARS) this.#addExemplars(record);
    else if (type !== undefined && isHistogramRecord(type)) this.#addHistograms(record);
  }

  finish(): void {
    for (const entry of this.#needed.metadata ?? []) {
      // Whoever replays takes the last of a family's.
      this.#metadata.delete(entry.ref);
      this.#metadata.set(entry.ref, entry);
    }
    if (this.#metadata.size > 0) this.#pass(encodeMetadataRecord(this.#metadata.values()));
    this.#flush();
  }

  #addSeries(record: Uint8Array): void {
    this.#series.reset();
    decodeSeriesRecord(record, (ref, pairs) => {
      if (this.#needed.series(ref)) {
        this.#series.add(ref, pairs);
        this.stats.seriesKept++;
      } else this.stats.seriesDropped++;
    });
    if (!this.#series.empty) this.#pass(this.#series.bytes());
  }

  #addSamples(record: Uint8Array): void {
    const columns = this.#columns;
    decodeSamplesRecord(record, columns);
    const encoded = this.#samples.encode(columns, i => this.#keeps(columns, i));
    if (encoded) this.#pass(encoded);
  }

  #addHistograms(record: Uint8Array): void {
    const columns = this.#histogramColumns;
    decodeHistogramRecord(record, columns);
    this.stats.samplesDropped += columns.unknownSchemas;
    const type = record[0] as HistogramRecordType;
    const encoded = this.#histograms.encode(type, columns, i => this.#keeps(columns, i));
    if (encoded) this.#pass(encoded);
  }

  /** Decides about sample `i` and counts it. */
  #keeps({ refs, times }: Pick<LoggedSamples, 'refs' | 'times'>, i: number): boolean {
    const keep = times[i]! >= this.#needed.minTime && this.#needed.series(refs[i]!);
    if (keep) this.stats.samplesKept++;
    else this.stats.samplesDropped++;
    return keep;
  }

  #addExemplars(record: Uint8Array): void {
    const kept: LoggedExemplar[] = [];
    decodeExemplarsRecord(record, logged => {
      const { ref, exemplar } = logged;
      if (exemplar.time >= this.#needed.minTime && this.#needed.series(ref)) kept.push(logged);
    });
    if (kept.length > 0) this.#pass(encodeExemplarsRecord(kept));
  }

  #addTombstones(record: Uint8Array): void {
    const kept: LoggedTombstone[] = [];
    decodeTombstonesRecord(record, tombstone => {
      const { ref, maxTime } = tombstone;
      if (maxTime >= this.#needed.minTime && this.#needed.series(ref)) kept.push(tombstone);
    });
    if (kept.length > 0) this.#pass(encodeTombstonesRecord(kept));
  }

  #addMetadata(record: Uint8Array): void {
    decodeMetadataRecord(record, entry => {
      if (this.#needed.series(entry.ref)) this.#metadata.set(entry.ref, entry);
    });
  }

  #pass(record: Uint8Array): void {
    this.#batch.push(this.#copies.copy(record));
    this.#batchBytes += record.length;
    if (this.#batchBytes >= BATCH_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#batch.length > 0) this.#writer.log(this.#batch);
    this.#batch = [];
    this.#copies.reset();
    this.#batchBytes = 0;
  }
}
