// Everything the module exports. All state lies in the imported memory or in globals of the instance, so
// any number of instances live side by side.

export { coldTimes, coldValues } from './cold';
export { xorDecode, xorEncode } from './xor';
export { CELLS, COLUMN, INPUT, INPUT_BYTES, TIMES, VALUES } from './layout';
export { heapBytesUsed } from './slab';
export { arenaChunkCount, arenaInit, arenaSeriesCount, createSlot, freeSlotAt } from './slots';
export {
  batchApply,
  batchDiscard,
  batchEncode,
  batchJudge,
  batchJudged,
  batchRecord,
  batchReserve,
} from './batch';
export {
  dropBefore,
  loadChunk,
  NEWEST,
  newestIn,
  nextChunk,
  readSamples,
  slotLast,
  slotMaxTime,
  slotMinTime,
  slotOverlaps,
  slotRef,
  slotSamples,
} from './reading';
export { xxhash64, xxhashFinish, xxhashStart, xxhashStripes } from './xxhash';
export { CRC_TABLES_BYTES, crc32c, crc32cTables } from './crc32c';
export { tableInit, tableSize } from './label-table';
export {
  NEWCOMERS_BYTES,
  NEWCOMERS_MAX,
  NEWCOMER_LABELS_MAX,
  NEWCOMER_RUNS_MAX,
  newcomerCount,
  newcomerLabels,
  newcomerLabelsAt,
  newcomerLabelsSize,
  newcomerSamples,
  newcomersAt,
} from './newcomers';
export { snappyDecode, snappyStart } from './snappy-decode';
export { SNAPPY_TABLE_BYTES, snappyEncode } from './snappy-encode';
export {
  writeColumns,
  writeDrop,
  writeExemplars,
  writeLength,
  writeRemember,
  writeScan,
  writeSettle,
  writeSettleNewcomers,
  writeStart,
} from './write-request';
export {
  WINDOW_BYTES,
  WINDOW_CELLS,
  WINDOW_PRESENT,
  WINDOW_SAMPLES,
  WINDOW_STEPS,
  WINDOW_TIMES,
  WINDOW_VALUES,
  windowDropStale,
  windowFrame,
  windowNewest,
} from './window-frame';
export { windowGrowth } from './window-rate';
export {
  windowCount,
  windowGreatest,
  windowLeast,
  windowMean,
  windowSum,
} from './window-over-time';
export { POWER_MAX, POWER_MIN, POWERS } from './decimal';
export { TEXT, TEXT_BYTES, TEXT_SAMPLES, TEXT_TIMES, TEXT_VALUES, textSamples } from './sample-text';
export { AHEAD, readAhead } from './read-ahead';
