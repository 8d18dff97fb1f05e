// What all samples of a histogram chunk share, written once before the first of them: zero threshold, schema,
// spans, and the bounds of custom buckets. Format: Prometheus' tsdb/docs/format/chunks.md.

import type { BitReader } from '../../encoding/bit-reader.ts';
import type { BitWriter } from '../../encoding/bit-writer.ts';
import {
  readVarbitInt,
  readVarbitUint,
  writeVarbitInt,
  writeVarbitUint,
} from '../../encoding/varbit.ts';
import { XorLanes } from '../../encoding/xor-lanes.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { type BucketSpan, CUSTOM_BUCKETS_SCHEMA } from '../histogram.ts';

/** Which buckets a chunk has. */
export interface BucketLayout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly negativeSpans: readonly BucketSpan[];
  /** Upper bounds, for the custom-bucket schema only. */
  readonly customValues: Float64Array;
}

const SCHEMA_MIN = -9;
const SCHEMA_MAX = 52;
const OFFSET_MAX = 2 ** 31 - 1;
/** A threshold byte b stands for 2^(b − 244); these two stand for zero and for a double that follows. */
const THRESHOLD_ZERO = 0;
const THRESHOLD_DOUBLE = 255;
const THRESHOLD_BIAS = 244;
const BOUND_SCALE = 1000;
const BOUND_SCALED_MAX = 33_554_430;
/** A span takes at least a bit each for length and offset, a bound one bit. */
const SPAN_BITS_MIN = 2;

/** Reads a layout; its size is bounded by the bits there are. Throws `corrupt`. */
export function readLayout(reader: BitReader): BucketLayout {
  const zeroThreshold = readZeroThreshold(reader);
  const schema = readVarbitInt(reader);
  if (schema !== CUSTOM_BUCKETS_SCHEMA && (schema < SCHEMA_MIN || schema > SCHEMA_MAX)) {
    throw damaged(`has the unknown schema ${schema}`);
  }
  const positiveSpans = readSpans(reader);
  const negativeSpans = readSpans(reader);
  const customValues = schema === CUSTOM_BUCKETS_SCHEMA ? readBounds(reader) : NO_BOUNDS;
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customValues };
}

/** Writes what `readLayout` reads. */
export function writeLayout(writer: BitWriter, layout: BucketLayout): void {
  writeZeroThreshold(writer, layout.zeroThreshold);
  writeVarbitInt(writer, layout.schema);
  writeSpans(writer, layout.positiveSpans);
  writeSpans(writer, layout.negativeSpans);
  if (layout.schema !== CUSTOM_BUCKETS_SCHEMA) return;
  writeVarbitUint(writer, layout.customValues.length);
  for (const bound of layout.customValues) writeBound(writer, bound);
}

/** The layout of a chunk whose first sample is stale. */
export const EMPTY_LAYOUT: BucketLayout = {
  schema: 0,
  zeroThreshold: 0,
  positiveSpans: [],
  negativeSpans: [],
  customValues: new Float64Array(0),
};

const NO_BOUNDS = EMPTY_LAYOUT.customValues;

/** How many buckets the spans stand for. */
export function countBuckets(spans: readonly BucketSpan[]): number {
  let count = 0;
  for (const span of spans) count += span.length;
  return count;
}

function readZeroThreshold(reader: BitReader): number {
  const byte = reader.bits(8);
  if (byte === THRESHOLD_ZERO) return 0;
  return byte === THRESHOLD_DOUBLE ? readDouble(reader) : 2 ** (byte - THRESHOLD_BIAS);
}

function writeZeroThreshold(writer: BitWriter, threshold: number): void {
  const exponent = Math.log2(threshold);
  const byte = exponent + THRESHOLD_BIAS;
  if (threshold === 0) writer.bits(THRESHOLD_ZERO, 8);
  else if (
    byte > THRESHOLD_ZERO &&
    byte < THRESHOLD_DOUBLE &&
    Number.isInteger(exponent) &&
    2 ** exponent === threshold
  ) {
    writer.bits(byte, 8);
  } else {
    writer.bits(THRESHOLD_DOUBLE, 8);
    writeDouble(writer, threshold);
  }
}

function readSpans(reader: BitReader): BucketSpan[] {
  const count = readVarbitUint(reader);
  if (count * SPAN_BITS_MIN > reader.remaining) throw damaged(`has ${count} spans`);
  const spans: BucketSpan[] = [];
  for (let i = 0; i < count; i++) {
    const length = readVarbitUint(reader);
    const offset = readVarbitInt(reader);
    // Every bucket takes at least a bit of the first sample.
    if (length > reader.remaining) throw damaged(`has a span of ${length} buckets`);
    if (Math.abs(offset) > OFFSET_MAX || (i > 0 && offset < 0)) {
      throw damaged(`has a span at offset ${offset}`);
    }
    spans.push({ offset, length });
  }
  return spans;
}

function writeSpans(writer: BitWriter, spans: readonly BucketSpan[]): void {
  writeVarbitUint(writer, spans.length);
  for (const { offset, length } of spans) {
    writeVarbitUint(writer, length);
    writeVarbitInt(writer, offset);
  }
}

function readBounds(reader: BitReader): Float64Array {
  const count = readVarbitUint(reader);
  if (count > reader.remaining) throw damaged(`has ${count} custom bounds`);
  const bounds = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const scaled = readVarbitUint(reader);
    bounds[i] = scaled === 0 ? readDouble(reader) : (scaled - 1) / BOUND_SCALE;
  }
  return bounds;
}

/** Thousandths are short; 0 announces a double. */
function writeBound(writer: BitWriter, bound: number): void {
  const scaled = bound * BOUND_SCALE;
  const whole = Math.round(scaled);
  if (scaled >= 0 && scaled <= BOUND_SCALED_MAX && whole / BOUND_SCALE === bound) {
    writeVarbitUint(writer, whole + 1);
    return;
  }
  writer.bit(0);
  writeDouble(writer, bound);
}

function readDouble(reader: BitReader): number {
  const lane = new XorLanes(1);
  lane.readFirst(reader, 0);
  return lane.values[0]!;
}

function writeDouble(writer: BitWriter, value: number): void {
  new XorLanes(1).writeFirst(writer, 0, Float64Array.of(value), 0);
}

function damaged(what: string): OutpostError {
  return new OutpostError('corrupt', `decode histogram chunk: it ${what}`);
}
