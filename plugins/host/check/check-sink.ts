// Stands in for the agent's database during a check: remembers which series there are and what the host
// would have refused.

import type { Labels } from '../../../src/labels/labels.ts';
import { SampleBatch } from '../sample-batch-reader.ts';
import { type DropReason, SeriesIntake } from '../series-intake.ts';
import type { FamilyDescription, SampleSink, SampleSource } from '../sink.ts';

/** Series a plugin may have in a check. */
const SERIES_MAX = 1_000_000;

/** Takes answers of one connection. */
export class CheckSink implements SampleSink, SampleSource {
  readonly families = new Map<string, FamilyDescription>();
  /** By the host's number: what the series is called, with labels. */
  readonly names: string[] = [];
  readonly familyOf: string[] = [];
  /** The newest collection: values by name. */
  values = new Map<string, number>();
  readonly drops = new Map<DropReason, string>();
  readonly batch: SampleBatch = new SampleBatch();
  readonly #intake: SeriesIntake;

  constructor(plugin: string) {
    this.#intake = new SeriesIntake({
      plugin,
      sink: this,
      seriesMax: SERIES_MAX,
      onDropped: (reason, count, example) => {
        this.drops.set(reason, `${count} (${reason}), first: ${example}`);
      },
    });
  }

  /** Takes an encoded answer as the host would. Throws RangeError where it cannot be read. */
  async take(answer: Uint8Array, time: number): Promise<void> {
    this.batch.decode(answer);
    await this.#intake.take(this.batch, time);
  }

  source(): SampleSource {
    return this;
  }

  family(family: FamilyDescription): void {
    this.families.set(family.name, family);
  }

  series(id: number, familyName: string, labels: Labels, suffix = ''): void {
    this.names[id] = `${familyName}${suffix}${labels.toString()}`;
    this.familyOf[id] = familyName;
  }

  async collected(_: number, ids: Uint32Array, values: Float64Array, count: number): Promise<void> {
    this.values = new Map();
    for (let i = 0; i < count; i++) this.values.set(this.names[ids[i]!]!, values[i]!);
  }

  async added(time: number, { ids, values, count }: Parameters<SampleSource['added']>[1]) {
    await this.collected(time, ids, values, count);
  }

  async close(): Promise<void> {}
}
