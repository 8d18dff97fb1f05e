// Writes an index file, format 2. The file begins with its symbols, which are known only after the last
// series: series are spilled to a scratch file first and written out once the symbols are numbered. Held
// in memory are the strings, a few numbers for each label pair and four bytes for each series.

import { rm } from 'node:fs/promises';
import type { WriteBuffer } from '../../encoding/write-buffer.ts';
import type { Labels } from '../../labels/labels.ts';
import { assert, OutpostError } from '../../lifecycle/errors.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import type { Chunk } from '../../storage/series.ts';
import { FileWriter } from '../file-writer.ts';
import { encodeToc, INDEX_MAGIC, INDEX_VERSION, SERIES_ALIGNMENT } from './format.ts';
import { PairTable } from './pair-table.ts';
import { SeriesSpill } from './series-spill.ts';

const ID_MAX = 0xffff_ffff;
// Postings held at a time; where there are more, the spilled series are walked again.
const POSTINGS_AT_ONCE = 16 * 1024 * 1024;
/** Lists from this length on are written in parts. */
const LONG_LIST = 8192;

/** One index being written. Order of calls: add for each series in label order, then finish. */
export class IndexWriter {
  readonly #file: FileWriter;
  readonly #spill: SeriesSpill;
  readonly #postingsAtOnce: number;
  readonly #pairs = new PairTable();
  #count = 0;
  #last: Labels | null = null;

  private constructor(file: FileWriter, spill: SeriesSpill, postingsAtOnce: number) {
    this.#file = file;
    this.#spill = spill;
    this.#postingsAtOnce = postingsAtOnce;
  }

  /**
   * Creates the file, and a scratch file beside it that `finish` or `close` removes. How many postings are
   * held at a time is a parameter for tests.
   */
  static async create(path: string, postingsAtOnce = POSTINGS_AT_ONCE): Promise<IndexWriter> {
    const file = await FileWriter.create(path);
    try {
      const spill = new SeriesSpill(await FileWriter.create(`${path}.spill`));
      return new IndexWriter(file, spill, postingsAtOnce);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** True when the caller should await `drain` before it adds more. */
  get full(): boolean {
    return this.#spill.file.full;
  }

  drain(): Promise<void> {
    return this.#spill.file.drain();
  }

  /**
   * Adds a series and where its chunks lie. Throws `bad-data` where the series does not follow the one
   * before, or its chunks are not in time order without overlap.
   */
  add(labels: Labels, chunks: readonly Chunk[], places: readonly number[]): void {
    if (this.#last && this.#last.compareTo(labels) >= 0) {
      throw new OutpostError('bad-data', `write index: series out of order: ${labels}`);
    }
    this.#last = labels;
    for (let i = 0; i < chunks.length; i++) {
      const follows = i === 0 || chunks[i]!.minTime > chunks[i - 1]!.maxTime;
      if (!follows || chunks[i]!.maxTime < chunks[i]!.minTime) {
        throw new OutpostError('bad-data', `write index: chunks overlap in time: ${labels}`);
      }
    }
    this.#spill.add(this.#pairs.add(labels), chunks, places);
    this.#count++;
  }

  /** Writes the file and flushes it to the device. */
  async finish(slicer: Slicer): Promise<void> {
    const { buffer } = this.#file;
    await this.#spill.file.drain();
    buffer.u32(INDEX_MAGIC);
    buffer.u8(INDEX_VERSION);
    const symbols = this.#file.position;
    await this.#pairs.sort(slicer);
    await this.#writeSymbols(slicer);
    const { start: series, ids } = await this.#writeSeries(slicer);
    this.#align(4);
    const postings = this.#file.position;
    const offsets = await this.#writePostings(ids, slicer);
    const postingsTable = this.#file.position;
    await this.#writePostingsTable(postings, offsets, slicer);
    buffer.raw(
      encodeToc({
        symbols,
        series,
        labelIndices: postings,
        labelIndicesTable: postingsTable,
        postings,
        postingsTable,
      }),
    );
    await this.#file.finish();
    await this.close();
  }

  /** Closes and removes the scratch file; an unfinished index stays unfinished. */
  async close(): Promise<void> {
    await Promise.all([this.#file.close(), this.#spill.file.close()]);
    await rm(this.#spill.file.path, { force: true });
  }

  async #writeSymbols(slicer: Slicer): Promise<void> {
    const { symbols } = this.#pairs;
    await this.#section(symbols.length, async () => {
      for (const symbol of symbols) {
        this.#file.buffer.string(symbol);
        if (this.#file.full || slicer.due) await this.#giveWay(slicer);
      }
    });
  }

  async #writeSeries(slicer: Slicer): Promise<{ start: number; ids: Uint32Array }> {
    this.#align(SERIES_ALIGNMENT);
    const start = this.#file.position;
    const ids = new Uint32Array(this.#count);
    await this.#spill.forEach(
      (pairs, chunkBytes, ordinal) => {
        this.#align(SERIES_ALIGNMENT);
        const id = this.#file.position / SERIES_ALIGNMENT;
        if (id > ID_MAX) throw new OutpostError('limit-exceeded', 'write index: more than 64 GiB');
        ids[ordinal] = id;
        this.#pairs.appendSeries(this.#file.buffer, pairs, chunkBytes);
      },
      () => this.#giveWay(slicer),
    );
    return { start, ids };
  }

  /** Writes the list of all series, then one list for each pair in order; returns where those lie. */
  async #writePostings(ids: Uint32Array, slicer: Slicer): Promise<Float64Array> {
    await this.#writeList(ids, slicer);
    const counts = await this.#pairs.sortedCounts(slicer);
    const offsets = new Float64Array(counts.length);
    for (let from = 0; from < counts.length; ) {
      const { to, total } = nextPart(counts, from, this.#postingsAtOnce);
      const starts = new Float64Array(to - from + 1);
      for (let i = from; i < to; i++) starts[i - from + 1] = starts[i - from]! + counts[i]!;
      const cursors = starts.slice();
      const lists = new Uint32Array(total);
      await this.#spill.forEach(
        (pairs, _, ordinal) => {
          for (let i = 0; i < pairs.length; i++) {
            const at = this.#pairs.positionOf(pairs[i]!) - from;
            if (at >= 0 && at < to - from) lists[cursors[at]!++] = ids[ordinal]!;
          }
        },
        () => this.#giveWay(slicer),
      );
      for (let i = 0; i < to - from; i++) {
        offsets[from + i] = this.#file.position;
        const list = lists.subarray(starts[i]!, starts[i + 1]!);
        if (list.length < LONG_LIST) this.#appendList(list);
        else await this.#writeList(list, slicer);
        if (this.#file.full || slicer.due) await this.#giveWay(slicer);
      }
      from = to;
    }
    return offsets;
  }

  async #writeList(ids: Uint32Array, slicer: Slicer): Promise<void> {
    const { buffer } = this.#file;
    buffer.u32(4 + ids.length * 4);
    this.#file.beginChecksum();
    buffer.u32(ids.length);
    for (let from = 0; from < ids.length; from += LONG_LIST) {
      const to = Math.min(from + LONG_LIST, ids.length);
      for (let i = from; i < to; i++) buffer.u32(ids[i]!);
      if (this.#file.full || slicer.due) await this.#giveWay(slicer);
    }
    this.#file.endChecksum();
  }

  #appendList(ids: Uint32Array): void {
    const { buffer } = this.#file;
    const from = buffer.length + 4;
    buffer.u32(4 + ids.length * 4);
    buffer.u32(ids.length);
    for (let i = 0; i < ids.length; i++) buffer.u32(ids[i]!);
    buffer.crcFrom(from);
  }

  async #writePostingsTable(all: number, offsets: Float64Array, slicer: Slicer): Promise<void> {
    const { buffer } = this.#file;
    await this.#section(offsets.length + 1, async () => {
      writeTableEntry(buffer, '', '', all);
      for (let i = 0; i < offsets.length; i++) {
        const [name, value] = this.#pairs.at(i);
        writeTableEntry(buffer, name, value, offsets[i]!);
        if (this.#file.full || slicer.due) await this.#giveWay(slicer);
      }
    });
  }

  /** Frames what `body` writes: length, count, entries, checksum. */
  async #section(count: number, body: () => Promise<void>): Promise<void> {
    const start = this.#file.position;
    this.#file.buffer.u32(0);
    this.#file.beginChecksum();
    this.#file.buffer.u32(count);
    await body();
    const length = this.#file.position - start - 4;
    assert(length <= ID_MAX, 'index section of 4 GiB');
    this.#file.endChecksum();
    await this.#file.patchU32(start, length);
  }

  async #giveWay(slicer: Slicer): Promise<void> {
    if (this.#file.full) await this.#file.drain();
    if (slicer.due) await slicer.pause();
  }

  #align(size: number): void {
    const over = this.#file.position % size;
    if (over !== 0) this.#file.buffer.zeros(size - over);
  }
}

/** The longest run of pairs from `from` on with at most `postingsMax` postings, at least one pair. */
function nextPart(
  counts: Uint32Array,
  from: number,
  postingsMax: number,
): { to: number; total: number } {
  let total = counts[from]!;
  let to = from + 1;
  while (to < counts.length && total + counts[to]! <= postingsMax) total += counts[to++]!;
  return { to, total };
}

function writeTableEntry(buffer: WriteBuffer, name: string, value: string, offset: number): void {
  buffer.uvarint(2);
  buffer.string(name);
  buffer.string(value);
  buffer.uvarint(offset);
}
