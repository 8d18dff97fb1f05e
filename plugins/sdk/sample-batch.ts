// Writes outpost.plugin.v1.CollectResponse by hand, straight from the metric table's columns. The field
// numbers are those of proto/outpost/plugin/v1/plugin.proto.

import { ProtoWriter } from '../../src/encoding/proto.ts';
import type { FamilyDefinition, FamilyType, MetricTable, Series } from './metrics.ts';

/** Field numbers of the hot message and its parts. */
export const BATCH_FIELDS = {
  timeMs: 1,
  definitionSeq: 2,
  families: 3,
  series: 4,
  ids: 5,
  values: 6,
  failures: 7,
  partial: 8,
  ended: 9,
} as const;

/** Family.Type of the interface. */
export const FAMILY_TYPES: readonly FamilyType[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'summary',
  'info',
  'stateset',
  'gaugehistogram',
];

/** A collector that gave nothing, or not everything. */
export interface CollectorFailure {
  readonly collector: string;
  readonly message: string;
  /** Which instance of it, where it has a name. */
  readonly instance?: string;
}

/** Turns each collection of one table into bytes; its buffers are used again. */
export class SampleBatchWriter {
  readonly #writer = new ProtoWriter(16 * 1024);
  #ids = new Uint32Array(1024);
  #values = new Float64Array(1024);

  /**
   * The answer to a request that knows the definitions up to `knownSeq`. The bytes are the caller's.
   */
  encode(table: MetricTable, knownSeq: number, failures: readonly CollectorFailure[]): Uint8Array {
    const writer = this.#writer;
    writer.reset();
    if (this.#ids.length < table.series.length) {
      this.#ids = new Uint32Array(table.values.length);
      this.#values = new Float64Array(table.values.length);
    }
    const count = table.gather(this.#ids, this.#values);
    writer.varintField(BATCH_FIELDS.definitionSeq, table.definitionSeq);
    if (knownSeq !== table.definitionSeq) this.#definitions(table, knownSeq);
    this.#samples(count);
    for (const { collector, message, instance } of failures) {
      writer.messageField(BATCH_FIELDS.failures, () => {
        writer.stringField(1, collector);
        writer.stringField(2, message);
        if (instance) writer.stringField(3, instance);
      });
    }
    return writer.finish();
  }

  #definitions(table: MetricTable, knownSeq: number): void {
    // A peer that knows more than was ever defined here speaks of another process: it is told everything.
    const after = knownSeq > table.definitionSeq ? 0 : knownSeq;
    for (const family of table.families) {
      if (family.definedAt > after) this.#family(family);
    }
    for (let slot = 0; slot < table.series.length; slot++) {
      const series = table.series[slot];
      if (series && series.definedAt > after) this.#series(slot, series);
    }
  }

  #family(family: FamilyDefinition): void {
    const writer = this.#writer;
    writer.messageField(BATCH_FIELDS.families, () => {
      writer.stringField(1, family.name);
      writer.varintField(2, FAMILY_TYPES.indexOf(family.type));
      writer.stringField(3, family.help);
      writer.stringField(4, family.unit);
      writer.stringField(5, family.collector);
    });
  }

  #series(slot: number, series: Series): void {
    const writer = this.#writer;
    writer.messageField(BATCH_FIELDS.series, () => {
      writer.varintField(1, slot);
      writer.stringField(2, series.family.name);
      for (const [name, value] of series.labels) {
        writer.messageField(3, () => {
          writer.stringField(1, name);
          writer.stringField(2, value);
        });
      }
      if (series.family.suffix !== '') writer.stringField(4, series.family.suffix);
    });
  }

  #samples(count: number): void {
    const writer = this.#writer;
    const ids = this.#ids;
    writer.messageField(BATCH_FIELDS.ids, () => {
      for (let i = 0; i < count; i++) writer.varint(ids[i]!);
    });
    // Hosts are little-endian, as the wire is, so the column's bytes are the packed field.
    writer.bytesField(BATCH_FIELDS.values, new Uint8Array(this.#values.buffer, 0, count * 8));
  }
}
