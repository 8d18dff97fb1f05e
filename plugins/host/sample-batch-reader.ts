// Reads outpost.plugin.v1.CollectResponse by hand into columns that are used again. The bytes come from a
// process nobody vouches for: whatever they are, reading ends within them or throws RangeError.

import { ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../../src/encoding/proto.ts';
import { BATCH_FIELDS, type CollectorFailure, FAMILY_TYPES } from '../sdk/sample-batch.ts';
import type { FamilyDescription } from './sink.ts';

/** Stands for an id that is no 32-bit number. */
export const INVALID_ID = 0xffff_ffff;

/** A series as the plugin defines it; labels as flat [name, value, …], in the plugin's order. */
export interface SeriesDefinition {
  readonly id: number;
  readonly family: string;
  readonly pairs: readonly string[];
  /** What follows the family's name in the series' name. */
  readonly suffix: string;
}

/** One answer, read. */
export class SampleBatch {
  timeMs = 0;
  definitionSeq = 0;
  readonly families: FamilyDescription[] = [];
  readonly series: SeriesDefinition[] = [];
  readonly failures: CollectorFailure[] = [];
  ids: Uint32Array = new Uint32Array(1024);
  idCount = 0;
  /** Whether series that are missing go on; then those in `ended` have ended. */
  partial = false;
  readonly ended: number[] = [];
  values: Float64Array = new Float64Array(1024);
  valueCount = 0;

  /** Reads an answer in place of the one before. Throws RangeError where the bytes are malformed. */
  decode(bytes: Uint8Array): void {
    this.#clear();
    const reader = new ProtoReader(bytes);
    while (reader.next()) {
      if (reader.field === BATCH_FIELDS.ids) this.#readIds(reader);
      else if (reader.field === BATCH_FIELDS.values) this.#readValues(reader);
      else if (!this.#readRare(reader)) reader.skip();
    }
  }

  #clear(): void {
    this.timeMs = 0;
    this.definitionSeq = 0;
    this.families.length = 0;
    this.series.length = 0;
    this.failures.length = 0;
    this.partial = false;
    this.ended.length = 0;
    this.idCount = 0;
    this.valueCount = 0;
  }

  #readRare(reader: ProtoReader): boolean {
    const { field, wireType } = reader;
    if (wireType === WIRE_VARINT) {
      if (field === BATCH_FIELDS.timeMs) this.timeMs = reader.int64();
      else if (field === BATCH_FIELDS.definitionSeq) this.definitionSeq = reader.varint();
      else if (field === BATCH_FIELDS.partial) this.partial = reader.bool();
      else if (field === BATCH_FIELDS.ended) this.#endOne(reader.varint());
      else return false;
      return true;
    }
    if (wireType !== WIRE_BYTES) return false;
    if (field === BATCH_FIELDS.families) this.families.push(readFamily(reader.message()));
    else if (field === BATCH_FIELDS.series) this.series.push(readSeries(reader.message()));
    else if (field === BATCH_FIELDS.ended) {
      const packed = reader.message();
      while (packed.at < packed.end) this.#endOne(packed.varint());
    } else if (field === BATCH_FIELDS.failures) this.failures.push(readFailure(reader.message()));
    else return false;
    return true;
  }

  #endOne(id: number): void {
    this.ended.push(validId(id));
  }

  // A parser takes repeated numbers packed and one by one, whatever the writer's schema says.
  #readIds(reader: ProtoReader): void {
    if (reader.wireType === WIRE_VARINT) {
      this.#reserveIds(1);
      this.ids[this.idCount++] = validId(reader.varint());
      return;
    }
    if (reader.wireType !== WIRE_BYTES) {
      reader.skip();
      return;
    }
    const packed = reader.message();
    // Each takes a byte at least.
    this.#reserveIds(packed.end - packed.at);
    while (packed.at < packed.end) this.ids[this.idCount++] = validId(packed.varint());
  }

  #readValues(reader: ProtoReader): void {
    if (reader.wireType === WIRE_FIXED64) {
      this.#reserveValues(1);
      reader.doubleInto(this.values, this.valueCount++);
      return;
    }
    if (reader.wireType !== WIRE_BYTES) {
      reader.skip();
      return;
    }
    const bytes = reader.view();
    if (bytes.length % 8 !== 0) {
      throw new RangeError(`packed doubles of ${bytes.length} bytes, not a multiple of 8`);
    }
    this.#reserveValues(bytes.length / 8);
    // Bits are copied, for a marker among the NaNs must stay what it is; hosts are little-endian.
    new Uint8Array(this.values.buffer).set(bytes, this.valueCount * 8);
    this.valueCount += bytes.length / 8;
  }

  #reserveIds(extra: number): void {
    if (this.idCount + extra <= this.ids.length) return;
    const grown = new Uint32Array(Math.max(this.idCount + extra, this.ids.length * 2));
    grown.set(this.ids.subarray(0, this.idCount));
    this.ids = grown;
  }

  #reserveValues(extra: number): void {
    if (this.valueCount + extra <= this.values.length) return;
    const grown = new Float64Array(Math.max(this.valueCount + extra, this.values.length * 2));
    grown.set(this.values.subarray(0, this.valueCount));
    this.values = grown;
  }
}

function validId(id: number): number {
  return Math.min(id, INVALID_ID);
}

function readFamily(reader: ProtoReader): FamilyDescription {
  const texts = { 1: '', 3: '', 4: '', 5: '' };
  let type = 0;
  while (reader.next()) {
    const { field, wireType } = reader;
    if (wireType === WIRE_VARINT && field === 2) type = reader.varint();
    else if (wireType === WIRE_BYTES && isOneOf(field, [1, 3, 4, 5]))
      texts[field] = reader.string();
    else reader.skip();
  }
  const { 1: name, 3: help, 4: unit, 5: collector } = texts;
  return { name, type: FAMILY_TYPES[type] ?? 'unknown', help, unit, collector };
}

function isOneOf<const N extends number>(value: number, known: readonly N[]): value is N {
  return (known as readonly number[]).includes(value);
}

function readSeries(reader: ProtoReader): SeriesDefinition {
  let id = INVALID_ID;
  let family = '';
  let suffix = '';
  const pairs: string[] = [];
  // Zero is left out on the wire.
  let hasId = false;
  while (reader.next()) {
    const { field, wireType } = reader;
    if (wireType === WIRE_VARINT && field === 1) {
      id = validId(reader.varint());
      hasId = true;
    } else if (wireType === WIRE_BYTES && field === 2) family = reader.string();
    else if (wireType === WIRE_BYTES && field === 4) suffix = reader.string();
    else if (wireType === WIRE_BYTES && field === 3) {
      const [name, value] = readTexts<[string, string]>(reader.message(), ['', '']);
      pairs.push(name, value);
    } else reader.skip();
  }
  return { id: hasId ? id : 0, family, pairs, suffix };
}

function readFailure(reader: ProtoReader): CollectorFailure {
  const [collector, message, instance] = readTexts<[string, string, string]>(reader, ['', '', '']);
  return { collector, message, ...(instance !== '' && { instance }) };
}

/** Reads the texts with the numbers 1, 2, … into `texts`. */
function readTexts<T extends string[]>(reader: ProtoReader, texts: T): T {
  while (reader.next()) {
    const { field, wireType } = reader;
    if (wireType === WIRE_BYTES && field <= texts.length) texts[field - 1] = reader.string();
    else reader.skip();
  }
  return texts;
}
