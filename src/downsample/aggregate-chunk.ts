// Thanos' chunk of downsampled data (encoding 255): five chunks in one, each the length of its payload as
// uvarint, an encoding byte that the length leaves out, and the payload; length 0 where there is none.

import { ReadBuffer } from '../encoding/read-buffer.ts';
import { WriteBuffer } from '../encoding/write-buffer.ts';
import { encodeXor } from '../kernels/xor.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { decodeChunk } from '../storage/chunks.ts';
import { FloatHistogramChunkAppender } from '../storage/histogram-chunk/appender.ts';
import type { SampleColumns } from '../storage/samples.ts';
import { type Chunk, ChunkEncoding } from '../storage/series.ts';

/** The aggregates in the order of their slots. The StoreAPI numbers them otherwise. */
export const AGGREGATES = ['count', 'sum', 'min', 'max', 'counter'] as const;

/** One of the five. */
export type Aggregate = (typeof AGGREGATES)[number];

/** The payloads of a chunk by aggregate; absent where the slot is empty. */
export type AggregateSlots = Partial<Record<Aggregate, Pick<Chunk, 'encoding' | 'data'>>>;

/** Takes a chunk apart; the slots' data are views of it. Throws OutpostError `corrupt`. */
export function readAggregateSlots(data: Uint8Array): AggregateSlots {
  const buffer = new ReadBuffer(data);
  const slots: AggregateSlots = {};
  for (const aggregate of AGGREGATES) {
    const length = buffer.uvarint();
    if (length === 0) continue;
    slots[aggregate] = { encoding: buffer.u8(), data: buffer.raw(length) };
  }
  if (buffer.error !== null) {
    throw new OutpostError('corrupt', `decode aggregate chunk: ${buffer.error}`);
  }
  return slots;
}

/** Puts slots together to a chunk's payload. */
export function writeAggregateSlots(slots: AggregateSlots): Uint8Array {
  const buffer = new WriteBuffer();
  for (const aggregate of AGGREGATES) {
    const slot = slots[aggregate];
    buffer.uvarint(slot?.data.length ?? 0);
    if (!slot || slot.data.length === 0) continue;
    buffer.u8(slot.encoding);
    buffer.raw(slot.data);
  }
  return buffer.copy();
}

/**
 * Appends one aggregate's samples as they are stored: of a counter, the last two may have the same time (see
 * `readCounter`). False where the chunk does not have the aggregate. Throws `corrupt`.
 */
export function decodeAggregate(
  data: Uint8Array,
  aggregate: Aggregate,
  out: SampleColumns,
): boolean {
  const slot = readAggregateSlots(data)[aggregate];
  if (!slot) return false;
  if (slot.encoding === ChunkEncoding.aggregate) {
    throw new OutpostError('corrupt', `decode aggregate chunk: its ${aggregate} is one itself`);
  }
  decodeChunk({ ...slot, minTime: 0, maxTime: 0 }, -Infinity, Infinity, out);
  return true;
}

/**
 * A chunk's payload from columns by aggregate: floats as XOR chunks, histograms as one float histogram chunk.
 * Of each column at least one sample; an absent one leaves its slot empty. Throws `execution` where the
 * histograms of a column do not fit into one chunk (their schema changes, or a count falls and they are not
 * gauges).
 */
export function encodeAggregates(columns: Partial<Record<Aggregate, SampleColumns>>): Uint8Array {
  const slots: AggregateSlots = {};
  for (const aggregate of AGGREGATES) {
    const column = columns[aggregate];
    if (column) slots[aggregate] = encodeSlot(aggregate, column);
  }
  return writeAggregateSlots(slots);
}

function encodeSlot(
  aggregate: Aggregate,
  column: SampleColumns,
): { encoding: number; data: Uint8Array } {
  const { times, values, length, histograms } = column;
  if (!histograms) {
    return { encoding: ChunkEncoding.xor, data: encodeXor(times, values, 0, length) };
  }
  const chunk = new FloatHistogramChunkAppender();
  for (let i = 0; i < length; i++) {
    if (chunk.append(times[i]!, histograms[i] ?? null) === null) continue;
    throw new OutpostError(
      'execution',
      `encode aggregate chunk: the histograms of ${aggregate} need a chunk of their own from ${times[i]} on`,
    );
  }
  return { encoding: chunk.encoding, data: chunk.bytes().slice() };
}
