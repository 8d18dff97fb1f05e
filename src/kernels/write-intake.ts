// Where remote-write requests become columns: decompressed, read and matched with known series in one
// memory, so that only what is new or odd is seen by anything else. One request at a time. The memory is
// laid out for the largest request and the most series, as address space: resident is what was touched.

import { assert, OutpostError } from '../lifecycle/errors.ts';
import { type Kernels, newKernels } from './load.ts';

/** Label sets as numbers of labels, so that what they have in common stands there once. */
export interface GatheredLabels {
  readonly count: number;
  /** Name and value of each label in turn. */
  readonly texts: readonly string[];
  /** The numbers of the labels of set after set, each sorted by name, without duplicates or empty values. */
  readonly runs: Uint32Array;
  /** Where each set ends in `runs`. */
  readonly ends: Uint32Array;
}

/** What is given for a series that is not known, and to drop a series' samples. */
export const NO_SERIES_REF = 0xffff_ffff;

export interface WriteIntakeOptions {
  /** Largest request, decompressed. */
  readonly bodyBytesMax: number;
  /** Most samples, and most series, of a request. */
  readonly samplesMax: number;
  /** Series, and bytes of their labels, that a generation of the table holds; there are two. */
  readonly seriesMax: number;
  readonly labelBytesMax: number;
  /** Any 32-bit number that senders cannot guess, so that they cannot choose colliding labels. */
  readonly seed: number;
}

/** Why `scan` returned. */
export const ScanStop = {
  /** Its share of the work is done. */
  more: 0,
  end: 1,
  /** A series that is new, has histograms or exemplars, or is looked at because the caller wishes so. */
  series: 2,
  /** An entry of metadata. */
  metadata: 3,
  /** More samples, or series, than a request may have. */
  tooMany: 4,
  /** Series that are new were gathered; `settleNewcomers` comes before the next scan. */
  newcomers: 5,
  damaged: -1,
} as const;

const PAGE_BYTES = 65_536;
const STATE = 128;
const NEWCOMERS = 4096;
const PACKED = 196_608;
const DECODE_BYTES = 1 << 18;
const SCAN_BYTES = 1 << 17;
const ENTRY_BYTES = 32;

/** One memory with its table of known series. Views of it are valid until the next call. */
export class WriteIntake {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #bodyBytesMax: number;
  readonly #samplesMax: number;
  readonly #body: number;
  readonly #columns: number;
  #size = 0;
  // Views of the memory; a grow leaves them with length 0.
  #bytes = new Uint8Array(0);
  #cells = new Float64Array(0);
  #refs = new Uint32Array(0);
  #times = new Float64Array(0);
  #values = new Float64Array(0);
  #seriesRefs = new Uint32Array(0);

  constructor(options: WriteIntakeOptions) {
    const { bodyBytesMax, samplesMax, seriesMax, labelBytesMax, seed } = options;
    this.#bodyBytesMax = bodyBytesMax;
    this.#samplesMax = samplesMax;
    this.#body = pageAfter(PACKED + packedBytesMax(bodyBytesMax));
    const free = pageAfter(this.#body + bodyBytesMax);
    this.#columns = pageAfter(free + bodyBytesMax);
    const table = pageAfter(this.#columns + samplesMax * 24);
    const bucketBytes = 4 * Math.max(1024, 2 ** Math.ceil(Math.log2(seriesMax * 2 + 1)));
    const entryBytes = pageAfter(labelBytesMax + seriesMax * ENTRY_BYTES);
    const end = pageAfter(table + 2 * (bucketBytes + entryBytes));
    assert(end < 2 ** 32, `a write intake of ${end} bytes`);
    this.#memory = new WebAssembly.Memory({
      initial: table / PAGE_BYTES + 1,
      maximum: end / PAGE_BYTES,
    });
    this.#kernels = newKernels(this.#memory);
    const hasRoom = this.#kernels.tableInit(
      table,
      bucketBytes,
      entryBytes,
      seriesMax,
      labelBytesMax,
      seed,
    );
    assert(hasRoom !== 0, 'memory for the table of known series');
    const { NEWCOMERS_BYTES } = this.#kernels;
    assert(NEWCOMERS + NEWCOMERS_BYTES.value <= PACKED, 'room for newcomers');
    this.#kernels.newcomersAt(NEWCOMERS);
    const times = this.#columns;
    const values = times + samplesMax * 8;
    const refs = values + samplesMax * 8;
    this.#kernels.writeColumns(refs, times, values, refs + samplesMax * 4, samplesMax, free);
  }

  /** Known series, counting those of both generations. */
  get knownSeries(): number {
    return this.#kernels.tableSize() >>> 0;
  }

  /**
   * Takes a compressed request: the bytes behind the snappy header, which announces `size` bytes. Then come
   * `decode` until it is done, and `start`. Throws `bad-data` for more bytes than so short a request needs.
   */
  load(packed: Uint8Array, size: number): void {
    assert(size <= this.#bodyBytesMax, `a write request of ${size} bytes`);
    if (packed.length > packedBytesMax(size)) throw damagedBlock();
    this.#live().set(packed, PACKED);
    this.#size = size;
    this.#kernels.snappyStart(STATE, PACKED, packed.length, this.#body, size);
  }

  /** Decompresses a part; true when all is done. Throws `bad-data` where the block is damaged. */
  decode(): boolean {
    const answer = this.#kernels.snappyDecode(STATE, DECODE_BYTES);
    if (answer < 0) throw damagedBlock();
    return answer > 0;
  }

  /** Goes to the start of the decompressed request, with empty columns. */
  start(): void {
    this.#kernels.writeStart(this.#body, this.#size);
  }

  /**
   * Reads on; a value of ScanStop. Where it stops at a series, `labels` and its neighbours tell about it
   * and `settle` or `drop` must be called before the next scan. `inspected` stops at every series.
   */
  scan(inspected: boolean): number {
    return this.#kernels.writeScan(SCAN_BYTES, inspected ? 1 : 0);
  }

  /** The bytes of the labels, or of the metadata, at which the scan stopped. */
  get found(): Uint8Array {
    const bytes = this.#live();
    return bytes.subarray(this.#cells[0], this.#cells[1]);
  }

  /** Samples of the series at which the scan stopped. */
  get foundSamples(): number {
    this.#live();
    return this.length - this.#cells[2]!;
  }

  get foundHistograms(): number {
    this.#live();
    return this.#cells[3]!;
  }

  get foundExemplars(): number {
    this.#live();
    return this.#cells[7]!;
  }

  /** All bytes of the series at which the scan stopped, for what the columns do not hold. */
  get foundSeries(): Uint8Array {
    const bytes = this.#live();
    return bytes.subarray(this.#cells[5], this.#cells[6]);
  }

  /** Where `foundSeries` starts; it stays there until the next `load`. */
  get foundSeriesAt(): number {
    this.#live();
    return this.#cells[5]!;
  }

  /** Bytes of the request, by what `foundSeriesAt` said. */
  bytes(start: number, length: number): Uint8Array {
    return this.#live().subarray(start, start + length);
  }

  /** Its reference, NO_SERIES_REF where it is new. */
  get foundRef(): number {
    this.#live();
    return this.#cells[4]!;
  }

  /** The series that were gathered, at a stop for newcomers; valid until the next call. */
  newcomers(): GatheredLabels {
    const bytes = this.#live();
    const kernels = this.#kernels;
    const labels = kernels.NEWCOMER_LABELS_MAX.value;
    const runs = NEWCOMERS + labels * 4;
    const runsMax = kernels.NEWCOMER_RUNS_MAX.value;
    const { buffer } = this.#memory;
    return {
      count: kernels.newcomerCount(),
      texts: labelTexts(bytes, new Uint32Array(buffer, NEWCOMERS, kernels.newcomerLabels())),
      runs: new Uint32Array(buffer, runs, runsMax),
      ends: new Uint32Array(buffer, runs + runsMax * 4, kernels.NEWCOMERS_MAX.value),
    };
  }

  /** The bytes of the labels of a series that was gathered, and how many samples it has. */
  newcomer(index: number): { readonly labels: Uint8Array; readonly samples: number } {
    const start = this.#kernels.newcomerLabelsAt(index);
    const size = this.#kernels.newcomerLabelsSize(index);
    const labels = this.#live().subarray(start, start + size);
    return { labels, samples: this.#kernels.newcomerSamples(index) };
  }

  /** Goes on with these references for the gathered series; NO_SERIES_REF drops samples. */
  settleNewcomers(refs: Uint32Array): void {
    const { NEWCOMER_LABELS_MAX, NEWCOMER_RUNS_MAX, NEWCOMERS_MAX } = this.#kernels;
    const labels = NEWCOMER_LABELS_MAX.value + NEWCOMER_RUNS_MAX.value + NEWCOMERS_MAX.value;
    new Uint32Array(this.#memory.buffer, NEWCOMERS + labels * 4, refs.length).set(refs);
    this.#kernels.writeSettleNewcomers();
  }

  /** From now on the labels at which the scan stopped are known by this reference. */
  remember(ref: number): void {
    assert(ref >= 0 && ref < NO_SERIES_REF, `series reference ${ref} is beyond 32 bits`);
    this.#kernels.writeRemember(ref);
  }

  /** Goes on with this reference for the series' samples; NO_SERIES_REF drops them. */
  settle(ref: number): void {
    this.#kernels.writeSettle(ref);
  }

  /** Goes on without the series' samples. */
  drop(ref: number): void {
    this.#kernels.writeDrop(ref);
  }

  /** Samples in the columns. */
  get length(): number {
    return this.#kernels.writeLength() >>> 0;
  }

  /** Exemplars passed over so far. */
  get exemplars(): number {
    return this.#kernels.writeExemplars() >>> 0;
  }

  /** References, sample by sample. The columns are longer than `length`. */
  get refs(): Uint32Array {
    this.#live();
    return this.#refs;
  }

  /** Unix ms. */
  get times(): Float64Array {
    this.#live();
    return this.#times;
  }

  /** Values, bits intact. */
  get values(): Float64Array {
    this.#live();
    return this.#values;
  }

  /** What each series of the request was settled with, by position; kept until it is settled again. */
  get seriesRefs(): Uint32Array {
    this.#live();
    return this.#seriesRefs;
  }

  #live(): Uint8Array {
    if (this.#bytes.length === 0) this.#view();
    return this.#bytes;
  }

  #view(): void {
    const { buffer } = this.#memory;
    const max = this.#samplesMax;
    const times = this.#columns;
    this.#bytes = new Uint8Array(buffer);
    this.#cells = new Float64Array(buffer, this.#kernels.CELLS.value, 8);
    this.#times = new Float64Array(buffer, times, max);
    this.#values = new Float64Array(buffer, times + max * 8, max);
    this.#refs = new Uint32Array(buffer, times + max * 16, max);
    this.#seriesRefs = new Uint32Array(buffer, times + max * 20, max);
  }
}

/** The most bytes in which anybody would send so many: single-byte literals, and some. */
function packedBytesMax(size: number): number {
  return size * 2 + 64;
}

/** The next page boundary that leaves room for reading and writing a little too far. */
function pageAfter(address: number): number {
  return Math.ceil((address + 64) / PAGE_BYTES) * PAGE_BYTES;
}

/** Names and values of labels, each a field `{1 name, 2 value}` in ASCII with lengths of one byte. */
function labelTexts(bytes: Uint8Array, addresses: Uint32Array): string[] {
  const { buffer, byteOffset, length } = bytes;
  const text = Buffer.from(buffer, byteOffset, length);
  const texts: string[] = [];
  for (const at of addresses) {
    const nameEnd = at + 4 + bytes[at + 3]!;
    const valueAt = nameEnd + 2;
    texts.push(text.toString('latin1', at + 4, nameEnd));
    texts.push(text.toString('latin1', valueAt, valueAt + bytes[nameEnd + 1]!));
  }
  return texts;
}

function damagedBlock(): OutpostError {
  return new OutpostError('bad-data', 'decode snappy: the block is damaged or cut short');
}
