// The door to the WebAssembly kernels. Every owner brings its own memory and gets its own instance; the
// compiled module is the only thing they share within a thread.

import { readFileSync } from 'node:fs';
import { OutpostError } from '../lifecycle/errors.ts';

/** An exported constant. */
interface Constant {
  readonly value: number;
}

/**
 * What every instance exports; the contracts stand with the functions in assembly/. Addresses are byte
 * offsets in the instance's memory. A u32 result of 2³¹ or more arrives negative.
 */
export interface Kernels {
  xorDecode(data: number, size: number, times: number, values: number): number;
  xorEncode(state: number, times: number, values: number, count: number, data: number): number;

  coldValues(data: number, size: number, count: number, values: number, scratch: number): number;
  coldTimes(data: number, size: number, count: number, times: number): number;

  readonly CELLS: Constant;
  readonly INPUT: Constant;
  readonly INPUT_BYTES: Constant;
  readonly TIMES: Constant;
  readonly VALUES: Constant;
  readonly COLUMN: Constant;
  arenaInit(chunkRangeMs: number, samplesPerChunk: number, pages: number): void;
  arenaSeriesCount(): number;
  arenaChunkCount(): number;
  heapBytesUsed(): number;
  createSlot(ref: number): number;
  freeSlotAt(slot: number): number;
  batchReserve(count: number): number;
  batchJudge(count: number, minValidTime: number): number;
  batchJudged(): number;
  batchEncode(): number;
  batchRecord(): number;
  batchApply(): number;
  batchDiscard(): void;
  nextChunk(slot: number, after: number, minTime: number, maxTime: number): number;
  readSamples(slot: number, after: number, minTime: number, maxTime: number): number;
  readonly NEWEST: Constant;
  newestIn(count: number, minTime: number, maxTime: number): void;
  readonly AHEAD: Constant;
  readAhead(count: number, minTime: number, maxTime: number): number;
  loadChunk(slot: number, size: number, minTime: number, maxTime: number): number;
  dropBefore(slot: number, time: number): number;
  slotLast(slot: number): number;
  slotMaxTime(slot: number): number;
  slotMinTime(slot: number): number;
  slotOverlaps(slot: number, minTime: number, maxTime: number): number;
  slotRef(slot: number): number;
  slotSamples(slot: number): number;

  xxhash64(state: number, data: number, size: number): void;
  xxhashStart(state: number): void;
  xxhashStripes(state: number, data: number, size: number): void;
  xxhashFinish(state: number, data: number, size: number, total: number): void;

  readonly WINDOW_BYTES: Constant;
  readonly WINDOW_CELLS: Constant;
  readonly WINDOW_PRESENT: Constant;
  readonly WINDOW_SAMPLES: Constant;
  readonly WINDOW_STEPS: Constant;
  readonly WINDOW_TIMES: Constant;
  readonly WINDOW_VALUES: Constant;
  windowFrame(startMs: number, stepMs: number, steps: number, reachMs: number): void;
  windowDropStale(count: number): number;
  windowNewest(count: number): number;
  windowGrowth(count: number, counter: number, seconds: number): number;
  windowSum(count: number): number;
  windowMean(count: number): number;
  windowLeast(count: number): number;
  windowGreatest(count: number): number;
  windowCount(count: number): number;

  readonly POWERS: Constant;
  readonly POWER_MIN: Constant;
  readonly POWER_MAX: Constant;
  readonly TEXT: Constant;
  readonly TEXT_BYTES: Constant;
  readonly TEXT_SAMPLES: Constant;
  readonly TEXT_TIMES: Constant;
  readonly TEXT_VALUES: Constant;
  textSamples(count: number): number;

  readonly CRC_TABLES_BYTES: Constant;
  crc32cTables(tables: number): void;
  crc32c(tables: number, data: number, size: number, previous: number): number;

  readonly SNAPPY_TABLE_BYTES: Constant;
  snappyStart(
    state: number,
    input: number,
    inputSize: number,
    output: number,
    outputSize: number,
  ): void;
  snappyDecode(state: number, budget: number): number;
  snappyEncode(input: number, size: number, output: number, table: number): number;

  tableInit(
    base: number,
    bucketBytes: number,
    entryBytes: number,
    seriesMax: number,
    labelBytesMax: number,
    key: number,
  ): number;
  tableSize(): number;
  readonly NEWCOMERS_BYTES: Constant;
  readonly NEWCOMERS_MAX: Constant;
  readonly NEWCOMER_LABELS_MAX: Constant;
  readonly NEWCOMER_RUNS_MAX: Constant;
  newcomersAt(base: number): void;
  newcomerCount(): number;
  newcomerLabels(): number;
  newcomerLabelsAt(index: number): number;
  newcomerLabelsSize(index: number): number;
  newcomerSamples(index: number): number;
  writeColumns(
    refs: number,
    times: number,
    values: number,
    seriesRefs: number,
    capacity: number,
    free: number,
  ): void;
  writeStart(body: number, size: number): void;
  writeScan(budget: number, inspected: number): number;
  writeSettle(ref: number): void;
  writeSettleNewcomers(): void;
  writeDrop(ref: number): void;
  writeRemember(ref: number): void;
  writeLength(): number;
  writeExemplars(): number;
}

let compiled: WebAssembly.Module | undefined;

/**
 * A new instance over `memory`, made synchronously. The caller lays the memory out. Throws OutpostError
 * `internal` where the module has not been built.
 */
export function newKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= compile(new URL('./kernels.wasm', import.meta.url));
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return instance.exports as unknown as Kernels;
}

function compile(url: URL): WebAssembly.Module {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new OutpostError('internal', `load kernels: run npm run build to make ${url.pathname}`, {
      cause,
    });
  }
  return new WebAssembly.Module(bytes);
}
