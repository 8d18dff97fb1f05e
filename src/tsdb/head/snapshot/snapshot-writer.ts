// Writes what the head holds to one file, so that the next start need not replay the log. The log stays as it
// is and remains the truth: whoever does not know the file, as Prometheus does not, replays the log.

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ArenaChunk } from '../../../kernels/series-arena.ts';
import { encodeXor } from '../../../kernels/xor.ts';
import type { Slicer } from '../../../lifecycle/slicer.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { ChunkEncoding } from '../../../storage/series.ts';
import { encodeExemplarsRecord, type LoggedExemplar } from '../../wal/exemplars-record.ts';
import { FrameBuffer, packRecord } from '../../wal/framing.ts';
import { encodeMetadataRecord } from '../../wal/metadata-record.ts';
import { SeriesRecordWriter } from '../../wal/series-record.ts';
import { syncDirectory } from '../../wal/sync-directory.ts';
import { encodeTombstonesRecord } from '../../wal/tombstones-record.ts';
import type { Head } from '../head.ts';
import type { StagedSample } from '../histograms/histogram-batch.ts';
import type { MixedSample } from '../histograms/histogram-series.ts';
import { encodeMixedSamples } from '../histograms/mixed-records.ts';
import { refOfMetric } from '../log-batch.ts';
import type { LogMark } from './log-mark.ts';
import {
  ChunksRecordWriter,
  chunkSamples,
  encodeAliases,
  encodeBegin,
  encodeEnd,
  type SnapshotAlias,
} from './snapshot-records.ts';

const BATCH_SERIES = 256;
/** A record ends with the series that brings it over this. */
const RECORD_BYTES = 128 * 1024;
const FLUSH_BYTES = 1024 * 1024;
const ITEMS_PER_RECORD = 1000;

/** What a snapshot holds. */
export interface WrittenSnapshot {
  readonly series: number;
  /** Float samples in chunks. */
  readonly samples: number;
  readonly bytes: number;
}

/**
 * Writes the head to `path`, replacing what is there once the new file is on the device. Nothing may be
 * appended meanwhile, and `mark` stands for everything that was logged. Out-of-order samples are left to
 * their own log. On a failure nothing is left behind. Throws system errors.
 */
export async function writeHeadSnapshot(
  head: Head,
  path: string,
  mark: LogMark,
  slicer: Slicer,
): Promise<WrittenSnapshot> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    const writer = new SnapshotWriter(head, slicer);
    for await (const bytes of writer.pieces(mark)) await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return writer.written;
  } catch (error) {
    await file.close().catch(() => {}); // the first failure is the one to tell
    await rm(temporary, { force: true });
    throw error;
  }
}

class SnapshotWriter {
  readonly #head: Head;
  readonly #slicer: Slicer;
  readonly #frames = new FrameBuffer();
  #series = 0;
  #samples = 0;
  #bytes = 0;

  constructor(head: Head, slicer: Slicer) {
    this.#head = head;
    this.#slicer = slicer;
  }

  get written(): WrittenSnapshot {
    return { series: this.#series, samples: this.#samples, bytes: this.#bytes };
  }

  /** The file's bytes; each piece is valid until the next is asked for. */
  async *pieces(mark: LogMark): AsyncGenerator<Uint8Array> {
    const { options, nextRef } = this.#head;
    this.#frames.reset(0);
    this.#add(encodeBegin({ chunkRangeMs: options.chunkRangeMs, nextRef, mark }));
    // A series that the log does not name must not be there after the start: samples of it would be logged
    // without it.
    const unlogged = new Set(this.#head.unlogged);
    const refs = this.#head.index.allPostings().filter(ref => !unlogged.has(ref));
    for (let from = 0; from < refs.length; from += BATCH_SERIES) {
      this.#addSeries(refs.subarray(from, from + BATCH_SERIES));
      if (this.#frames.bytes().length >= FLUSH_BYTES) yield this.#flush();
      if (this.#slicer.due) await this.#slicer.pause();
    }
    yield this.#flush();
    for (const record of this.#rest()) {
      this.#add(record);
      if (this.#frames.bytes().length >= FLUSH_BYTES) yield this.#flush();
      if (this.#slicer.due) await this.#slicer.pause();
    }
    this.#add(encodeEnd({ series: this.#series, samples: this.#samples }));
    yield this.#flush();
  }

  #add(record: Uint8Array): void {
    this.#frames.add(packRecord(record, record[0]! < FIRST_OWN_TYPE));
  }

  #flush(): Uint8Array {
    const bytes = this.#frames.bytes();
    this.#bytes += bytes.length;
    // The buffer is overwritten by what comes next, not by the reset.
    this.#frames.reset(this.#bytes);
    return bytes;
  }

  #addSeries(refs: Uint32Array): void {
    const { index, arena, histograms, visibleFrom } = this.#head;
    const { table, symbols } = index;
    const series = new SeriesRecordWriter();
    const live = refs.filter(ref => table.slotOf(ref) >= 0);
    for (const ref of live) {
      const own = table.symbols(table.slotOf(ref));
      series.add(
        ref,
        Array.from(own, symbol => symbols.text(symbol)),
      );
    }
    if (!series.empty) this.#add(series.bytes());
    this.#series += live.length;
    const chunks = new ChunksRecordWriter();
    const flush = (): void => {
      if (chunks.length > 0) this.#add(chunks.bytes());
      chunks.reset();
    };
    for (const ref of live) {
      const slot = table.slotOf(ref);
      const held = arena.chunks(slot, visibleFrom, Number.POSITIVE_INFINITY);
      if (held.length === 0) continue;
      // What is in blocks must not come back when these are deleted.
      if (held[0]!.minTime < visibleFrom) held[0] = chunkFrom(held[0]!, visibleFrom);
      chunks.add(ref, held);
      for (const { data } of held) this.#samples += chunkSamples(data);
      if (chunks.length >= RECORD_BYTES) flush();
    }
    flush();
    if (histograms.size === 0) return;
    // Behind the floats that are older than the series' histograms.
    for (const ref of live) {
      for (const record of this.#mixed(table.slotOf(ref), ref)) this.#add(record);
    }
  }

  /** A series with histograms as records of the log: what is open in it is built again from its samples. */
  #mixed(slot: number, ref: number): Uint8Array[] {
    const series = this.#head.histograms.get(slot);
    if (!series) return [];
    const staged: StagedSample[] = [];
    const columns = new SampleColumns();
    const range = [this.#head.visibleFrom, Number.POSITIVE_INFINITY] as const;
    for (const chunk of series.chunks(...range)) {
      columns.clear();
      decodeChunk(chunk, ...range, columns);
      for (let i = 0; i < columns.length; i++) {
        staged.push({ slot, ref, sample: mixedSample(columns, i, chunk.encoding) });
      }
    }
    return encodeMixedSamples(staged);
  }

  *#rest(): Generator<Uint8Array> {
    const { aliases, tombstones, deletedFrom, families } = this.#head;
    for (const batch of batches(aliasesOf(aliases))) yield encodeAliases(batch);
    const deleted = [...deletedFrom].flatMap(ref =>
      tombstones.intervals(ref).map(range => ({ ref, ...range })),
    );
    for (const batch of batches(deleted)) yield encodeTombstonesRecord(batch);
    const metadata = families.inLog(name => refOfMetric(this.#head, name));
    for (const batch of batches(metadata)) yield encodeMetadataRecord(batch);
    for (const batch of batches(exemplarsOf(this.#head))) yield encodeExemplarsRecord(batch);
  }
}

const FIRST_OWN_TYPE = 160;
const NO_VALUE = new Float64Array(0);

/** The chunk without its samples before `time`; it has some behind. */
function chunkFrom(chunk: ArenaChunk, time: number): ArenaChunk {
  const columns = new SampleColumns();
  decodeChunk(chunk, time, Number.POSITIVE_INFINITY, columns);
  const data = encodeXor(columns.times, columns.values, 0, columns.length);
  return { ...chunk, minTime: columns.times[0]!, data };
}

function mixedSample(columns: SampleColumns, i: number, encoding: number): MixedSample {
  const time = columns.times[i]!;
  if (encoding === ChunkEncoding.xor) {
    return { time, kind: 'float', histogram: null, value: columns.values.slice(i, i + 1) };
  }
  const kind = encoding === ChunkEncoding.histogram ? 'integer' : 'float-histogram';
  return { time, kind, histogram: columns.histograms?.[i] ?? null, value: NO_VALUE };
}

function* aliasesOf(aliases: Head['aliases']): Generator<SnapshotAlias> {
  for (const [alias, { ref, lastTime }] of aliases) yield { alias, ref, lastTime };
}

function* exemplarsOf({ exemplars, index }: Head): Generator<LoggedExemplar> {
  for (const { labels, exemplar } of exemplars.oldestFirst()) {
    const slot = index.find(labels.pairs);
    // Of a series that is gone the log does not tell either.
    if (slot >= 0) yield { ref: index.table.refOf(slot), exemplar };
  }
}

/** Records have a largest size. */
function* batches<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < ITEMS_PER_RECORD) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
