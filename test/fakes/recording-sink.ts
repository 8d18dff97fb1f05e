// A sink for tests of the plugin host: remembers what plugins delivered, and checks the promises that the
// host makes to its sink.

import { expect } from 'vitest';
import type {
  FamilyDescription,
  SampleSink,
  SampleSource,
  SeriesId,
} from '../../plugins/host/sink.ts';
import type { Labels } from '../../src/labels/labels.ts';

/** One collection: values by series in PromQL notation. */
export interface Collection {
  readonly time: number;
  readonly values: ReadonlyMap<string, number>;
}

/** Everything one source was told. */
export class RecordingSource implements SampleSource {
  readonly families = new Map<string, FamilyDescription>();
  readonly seriesById = new Map<SeriesId, string>();
  readonly collections: Collection[] = [];
  /** Series that a partial answer ended. */
  readonly ended: string[] = [];
  /** When it was closed. */
  closedAt: number | null = null;

  family(family: FamilyDescription): void {
    expect(this.families.has(family.name), `family ${family.name} comes once`).toBe(false);
    this.families.set(family.name, family);
  }

  series(id: SeriesId, familyName: string, labels: Labels, suffix = ''): void {
    expect(this.families.has(familyName), 'the family comes before its series').toBe(true);
    expect(this.seriesById.has(id), 'a series comes once').toBe(false);
    this.seriesById.set(id, labels.with('__name__', familyName + suffix).toString());
  }

  async collected(
    time: number,
    ids: Uint32Array,
    values: Float64Array,
    count: number,
  ): Promise<void> {
    expect(this.closedAt, 'nothing comes after close').toBe(null);
    const byName = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const name = this.seriesById.get(ids[i]!);
      expect(name, 'a sample belongs to a series that was announced').toBeDefined();
      expect(byName.has(name!), 'a series comes once in a collection').toBe(false);
      byName.set(name!, values[i]!);
    }
    this.collections.push({ time, values: byName });
  }

  async added(
    time: number,
    { ids, values, count }: Parameters<SampleSource['added']>[1],
    ended: readonly SeriesId[],
  ): Promise<void> {
    await this.collected(time, ids, values, count);
    this.ended.push(...ended.map(id => this.seriesById.get(id)!));
  }

  async close(time: number): Promise<void> {
    expect(this.closedAt, 'a source is closed once').toBe(null);
    this.closedAt = time;
  }
}

/** Makes recording sources and keeps them in order. */
export class RecordingSink implements SampleSink {
  readonly sources: RecordingSource[] = [];

  source(): SampleSource {
    const source = new RecordingSource();
    this.sources.push(source);
    return source;
  }

  /** All collections of all sources. */
  get collections(): Collection[] {
    return this.sources.flatMap(source => source.collections);
  }
}
