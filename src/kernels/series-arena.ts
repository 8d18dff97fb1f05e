// The head's series: per-series state and chunk bytes in one WebAssembly memory, no JS object per series,
// chunk or sample. Slots of 64 bytes, blocks from a slab allocator; chunks are cut as Prometheus cuts them.
// Views of the memory die whenever it grows, so what callers keep is always a copy; batch columns are the
// one exception.

import { assert, OutpostError } from '../lifecycle/errors.ts';
import { type Kernels, newKernels } from './load.ts';

const PAGE_BYTES = 65_536;
/** One page short of 4 GiB, so that every address fits 32 bits. */
const PAGES_MAX = 65_535;
/** The fixed part of the memory, and a little heap. */
const PAGES_MIN = 64;

/** The most samples one batch may have. */
export const BATCH_SAMPLES_MAX = 262_144;

/** What became of a sample of a batch. */
export const SampleStatus = {
  accepted: 0,
  outOfOrder: 1,
  /** Same time as the newest sample, other value bits. */
  duplicate: 2,
  /** Older than the minimum valid time, or no safe integer. */
  outOfBounds: 3,
  /** Same time and bits as the newest sample: nothing to store, nothing wrong. */
  identical: 4,
  /** The slot has no series. */
  noSeries: 5,
} as const;

export interface SeriesArenaOptions {
  /** Chunks never cross a multiple of this. */
  readonly chunkRangeMs: number;
  /** Samples a chunk aims at; it never has more than twice as many. At least 4. */
  readonly samplesPerChunk?: number;
  /** Limit of the memory; 4 GiB is the most and the default. */
  readonly maxBytes?: number;
}

/** Columns of a batch, at least as long as asked for. */
export interface ArenaBatch {
  readonly slots: Uint32Array;
  /** Unix ms, whole numbers. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Written by judge: values of SampleStatus. */
  readonly status: Uint8Array;
}

/** An XOR chunk; the shape of a storage Chunk. */
export interface ArenaChunk {
  readonly minTime: number;
  readonly maxTime: number;
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** Takes samples from…to−1 of two columns, which are only valid during the call. */
export interface ColumnSink {
  append(times: Float64Array, values: Float64Array, from: number, to: number): void;
}

const XOR = 1;
/** Copied chunks share buffers of this size. */
const COPIES_BYTES = 64 * 1024;

// Answers of the load kernel below zero, in order.
const LOAD_TROUBLES = [
  ['corrupt', 'it ends inside a sample'],
  ['corrupt', 'it has a varint over 64 bits'],
  ['corrupt', 'it has an impossible window'],
  ['not-found', 'the slot has no series, or a sample of it is staged'],
  ['corrupt', 'it has no samples'],
  ['corrupt', 'its times do not ascend'],
  ['out-of-order', 'it is not newer than the series'],
  ['corrupt', 'its samples have another time range'],
  ['limit-exceeded', 'it is longer than 16 KiB or 49 days'],
  ['limit-exceeded', 'the memory for series is full'],
] as const;

/** Slots are dense and reused: a slot means its series until it is freed. Not for use across threads. */
export class SeriesArena {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #maxBytes: number;
  // Views of the memory; a grow leaves them with length 0.
  #cells!: Float64Array;
  #bytes!: Uint8Array;
  #times!: Float64Array;
  #values!: Float64Array;
  #batch: ArenaBatch | null = null;
  /** Copies of chunks that were handed out, and how far it is used. */
  #copies: Uint8Array = new Uint8Array(0);
  #copied = 0;
  #acceptedMinTime = Infinity;
  #acceptedMaxTime = -Infinity;

  constructor(options: SeriesArenaOptions) {
    const { chunkRangeMs, samplesPerChunk = 120, maxBytes = PAGES_MAX * PAGE_BYTES } = options;
    assert(
      Number.isInteger(chunkRangeMs) && chunkRangeMs > 0 && chunkRangeMs < 2 ** 32,
      `chunk range of ${chunkRangeMs} ms`,
    );
    assert(
      Number.isInteger(samplesPerChunk) && samplesPerChunk >= 4 && samplesPerChunk < 32_768,
      `${samplesPerChunk} samples a chunk`,
    );
    const pages = Math.min(PAGES_MAX, Math.max(PAGES_MIN, Math.floor(maxBytes / PAGE_BYTES)));
    this.#maxBytes = pages * PAGE_BYTES;
    this.#memory = new WebAssembly.Memory({ initial: PAGES_MIN, maximum: pages });
    this.#kernels = newKernels(this.#memory);
    this.#kernels.arenaInit(chunkRangeMs, samplesPerChunk, pages);
    this.#view();
  }

  /** Bytes of memory held, scratch space included; what was never used of it is not resident. */
  get bytesAllocated(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Bytes that slots, chunks and batch columns occupy. */
  get bytesInUse(): number {
    return this.#kernels.heapBytesUsed();
  }

  get seriesCount(): number {
    return this.#kernels.arenaSeriesCount();
  }

  get chunkCount(): number {
    return this.#kernels.arenaChunkCount();
  }

  /** The slot of a new series. Throws OutpostError `limit-exceeded` where the memory is full. */
  create(ref: number): number {
    assert(Number.isSafeInteger(ref) && ref >= 0, `series reference ${ref}`);
    const slot = this.#kernels.createSlot(ref);
    if (slot < 0) throw this.#full('create series');
    return slot;
  }

  /** Releases a series and its chunks; the slot may serve another then. No sample of it is staged. */
  free(slot: number): void {
    assert(this.#kernels.freeSlotAt(slot) !== 0, `free of slot ${slot}: empty or staged`);
  }

  /** The series' reference; −1 where the slot has none. */
  ref(slot: number): number {
    return this.#kernels.slotRef(slot);
  }

  /**
   * Columns for the caller to fill, at least `count` long and with their former content. Then come
   * judge, encodeSamples where there is a log, and apply or discard. There is one batch at a time;
   * between judge and the end no series of it is freed or given a chunk. Views are valid until the
   * next create, batch, loadChunk or apply. Throws OutpostError `limit-exceeded` where memory could run
   * out before the batch is applied: what has been judged can always be applied.
   */
  batch(count: number): ArenaBatch {
    assert(count <= BATCH_SAMPLES_MAX, `batch of ${count} samples`);
    if (this.#kernels.batchReserve(count) === 0) throw this.#full('append samples');
    const held = this.#batch;
    if (held !== null && held.slots.length >= Math.max(1, count)) return held;
    const cells = this.#live();
    const buffer = this.#memory.buffer;
    const capacity = cells[4]!;
    this.#batch = {
      slots: new Uint32Array(buffer, cells[0], capacity),
      times: new Float64Array(buffer, cells[1], capacity),
      values: new Float64Array(buffer, cells[2], capacity),
      status: new Uint8Array(buffer, cells[3], capacity),
    };
    return this.#batch;
  }

  /**
   * Judges the first `count` samples in their order, each against its series' newest sample or the one
   * accepted before it in the batch, and stages what it accepts; returns how many. Judging again, with
   * more samples filled in, starts over.
   */
  judge(count: number, minValidTime: number): number {
    assert(count <= (this.#batch?.slots.length ?? 0), `judgement of ${count} samples`);
    const accepted = this.#kernels.batchJudge(count, minValidTime);
    const cells = this.#live();
    this.#acceptedMinTime = cells[0]!;
    this.#acceptedMaxTime = cells[1]!;
    return accepted;
  }

  /** Earliest time that the last judgement accepted, Infinity where it accepted none. */
  get acceptedMinTime(): number {
    return this.#acceptedMinTime;
  }

  /** Latest time that the last judgement accepted, −Infinity where it accepted none. */
  get acceptedMaxTime(): number {
    return this.#acceptedMaxTime;
  }

  /**
   * The accepted samples as a samples record of Prometheus' write-ahead log; empty where none was
   * accepted. A view, valid until the next call that may grow memory.
   */
  encodeSamples(count: number): Uint8Array {
    this.#assertJudged(count);
    const size = this.#kernels.batchEncode();
    this.#live();
    const start = this.#kernels.batchRecord() >>> 0;
    return this.#bytes.subarray(start, start + size);
  }

  /** Appends the accepted samples; how many. Ends the batch. */
  apply(count: number): number {
    this.#assertJudged(count);
    return this.#kernels.batchApply();
  }

  /** Forgets the judgement and ends the batch. Nothing needs to have been judged. */
  discard(count: number): void {
    assert(this.#kernels.batchJudged() <= count, `discard of ${count} samples`);
    this.#kernels.batchDiscard();
  }

  /**
   * Copies of the chunks that overlap minTime…maxTime, by time. The last one may be open: its bytes are
   * whole, with the count of this moment.
   */
  chunks(slot: number, minTime: number, maxTime: number): ArenaChunk[] {
    const found: number[] = [];
    const cells = this.#live();
    let total = 0;
    let chunk = this.#kernels.nextChunk(slot, 0, minTime, maxTime);
    for (; chunk !== 0; chunk = this.#kernels.nextChunk(slot, chunk, minTime, maxTime)) {
      found.push(cells[0]!, cells[1]!, cells[2]!, cells[3]!);
      total += cells[3]!;
    }
    const out: ArenaChunk[] = [];
    let end = this.#takeCopies(total);
    const copy = this.#copies;
    for (let i = 0; i < found.length; i += 4) {
      const address = found[i + 2]!;
      const size = found[i + 3]!;
      copy.set(this.#bytes.subarray(address, address + size), end);
      const data = copy.subarray(end, end + size);
      out.push({ minTime: found[i]!, maxTime: found[i + 1]!, encoding: XOR, data });
      end += size;
    }
    return out;
  }

  /** Where `#copies` has room for so many bytes. Chunks are small; a buffer for each would riddle the heap. */
  #takeCopies(bytes: number): number {
    if (this.#copied + bytes > this.#copies.length) {
      this.#copies = new Uint8Array(Math.max(COPIES_BYTES, bytes));
      this.#copied = 0;
    }
    const start = this.#copied;
    this.#copied += bytes;
    return start;
  }

  /** Appends the samples of minTime…maxTime to `out`, by time, bits intact. */
  decodeInto(slot: number, minTime: number, maxTime: number, out: ColumnSink): void {
    const cells = this.#live();
    let after = 0;
    do {
      after = this.#kernels.readSamples(slot, after, minTime, maxTime);
      const from = cells[0]!;
      const to = cells[1]!;
      if (from < to) out.append(this.#times, this.#values, from, to);
    } while (after !== 0);
  }

  /**
   * Writes to `times` for each of the first `count` slots what `maxTime` says of it, −Infinity where
   * `hasSamplesIn` says no.
   */
  newestIn(
    slots: Uint32Array,
    count: number,
    range: { readonly minTime: number; readonly maxTime: number },
    times: Float64Array,
  ): void {
    this.#live();
    const { buffer } = this.#memory;
    const { INPUT, NEWEST } = this.#kernels;
    const most = NEWEST.value;
    for (let from = 0; from < count; from += most) {
      const to = Math.min(from + most, count);
      new Uint32Array(buffer, INPUT.value, most).set(slots.subarray(from, to));
      this.#kernels.newestIn(to - from, range.minTime, range.maxTime);
      times.set(new Float64Array(buffer, INPUT.value + most * 4, to - from), from);
    }
  }

  /** Brings what minTime…maxTime of these slots, at most 64, holds near; changes nothing but how fast it is read then. */
  readAhead(slots: Uint32Array, minTime: number, maxTime: number): void {
    this.#live();
    new Uint32Array(this.#memory.buffer, this.#kernels.INPUT.value, slots.length).set(slots);
    this.#kernels.readAhead(slots.length, minTime, maxTime);
  }

  /** Time of the oldest sample held, Infinity where none is. */
  minTime(slot: number): number {
    return this.#kernels.slotMinTime(slot);
  }

  /** Time of the newest sample held, −Infinity where none is. */
  maxTime(slot: number): number {
    return this.#kernels.slotMaxTime(slot);
  }

  /** Samples held. */
  sampleCount(slot: number): number {
    return this.#kernels.slotSamples(slot) >>> 0;
  }

  /** Whether a chunk overlaps minTime…maxTime. There may still be no sample, between two of a chunk. */
  hasSamplesIn(slot: number, minTime: number, maxTime: number): boolean {
    return this.#kernels.slotOverlaps(slot, minTime, maxTime) !== 0;
  }

  /**
   * Writes the newest sample the series was ever given to index 0 of the columns, bits intact; false
   * where there was none. It is what new samples are judged against, even when its chunk is dropped.
   */
  last(slot: number, times: Float64Array, values: Float64Array): boolean {
    if (this.#kernels.slotLast(slot) === 0) return false;
    const cells = this.#live();
    times.set(cells.subarray(0, 1));
    values.set(cells.subarray(1, 2));
    return true;
  }

  /** Releases the chunks that end before `time`, an open one too; how many are left. */
  dropBefore(slot: number, time: number): number {
    return this.#kernels.dropBefore(slot, time) >>> 0;
  }

  /**
   * Appends an encoded chunk, newer than everything of the series, and returns its sample count. Its
   * bytes are validated and copied; an open chunk is closed before it. Throws OutpostError: `corrupt`,
   * `out-of-order`, or `limit-exceeded` for chunks over 16 KiB or 49 days and where memory is full.
   */
  loadChunk(slot: number, chunk: ArenaChunk): number {
    this.#live();
    const { INPUT, INPUT_BYTES } = this.#kernels;
    if (chunk.encoding !== XOR)
      throw new OutpostError('execution', `load chunk: only XOR is held, not ${chunk.encoding}`);
    const size = chunk.data.length;
    if (size <= INPUT_BYTES.value) this.#bytes.set(chunk.data, INPUT.value);
    const count = this.#kernels.loadChunk(slot, size, chunk.minTime, chunk.maxTime);
    if (count > 0) return count;
    const [code, reason] = LOAD_TROUBLES[-count - 1]!;
    throw new OutpostError(code, `load chunk: ${reason}; ${chunk.minTime} to ${chunk.maxTime}`);
  }

  #assertJudged(count: number): void {
    const judged = this.#kernels.batchJudged();
    assert(judged === count, `batch of ${count} samples, ${judged} judged`);
  }

  /** The cells, with every view alive. */
  #live(): Float64Array {
    if (this.#cells.length === 0) this.#view();
    return this.#cells;
  }

  #view(): void {
    const { CELLS, TIMES, VALUES, COLUMN } = this.#kernels;
    const buffer = this.#memory.buffer;
    this.#cells = new Float64Array(buffer, CELLS.value, 8);
    this.#bytes = new Uint8Array(buffer);
    this.#times = new Float64Array(buffer, TIMES.value, COLUMN.value);
    this.#values = new Float64Array(buffer, VALUES.value, COLUMN.value);
  }

  #full(attempt: string): OutpostError {
    return new OutpostError(
      'limit-exceeded',
      `${attempt}: the memory for series is full, ${this.#maxBytes} bytes`,
    );
  }
}
