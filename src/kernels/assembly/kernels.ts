// Everything the module exports. All state lies in the imported memory or in globals of the instance, so
// any number of instances live side by side.

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
