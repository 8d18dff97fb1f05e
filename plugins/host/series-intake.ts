// Stands between what a plugin says and the sink, which may trust what it gets: numbers of series are dense
// and known, labels are storable, a series comes once in a collection and under one number. What a plugin
// may not send is dropped and counted by reason.

import { Labels, METRIC_NAME } from '../../src/labels/labels.ts';
import { labelsProblem } from '../../src/labels/validate.ts';
import { IntakeRates } from './intake-rates.ts';
import type { PluginLimits } from './plugin-spec.ts';
import { INVALID_ID, type SampleBatch, type SeriesDefinition } from './sample-batch-reader.ts';
import type { FamilyDescription, SampleSink, SampleSource } from './sink.ts';

/** Why something was dropped; the label "reason" of `agent_plugin_dropped_total`. */
export type DropReason =
  | 'series-limit' // the plugin has as many series as it may
  | 'series-rate' // it begins more series than it may
  | 'sample-rate' // it sends more samples than it may
  | 'event-rate' // it sends more events than it may
  | 'label-length' // a label's value is longer than it may be
  | 'answer-bytes' // an answer is larger than it may be
  | 'bad-labels' // labels that cannot be stored
  | 'bad-family' // a family without a usable name, or of another type than before
  | 'unknown-family' // a series of a family that was not described
  | 'bad-id' // a number of a series that is not small and dense
  | 'duplicate-series' // the same labels under two numbers
  | 'unknown-id' // a sample of a series that was not defined
  | 'duplicate-id' // a second sample of a series in one collection
  | 'ragged' // more ids than values, or the other way round
  | 'wrong-time'; // a time of collection that cannot be true

/** All of them. */
export const DROP_REASONS: readonly DropReason[] = [
  ...(['series-limit', 'series-rate', 'sample-rate', 'event-rate'] as const),
  ...(['label-length', 'answer-bytes'] as const),
  ...(['bad-labels', 'bad-family', 'unknown-family', 'bad-id', 'duplicate-series'] as const),
  ...(['unknown-id', 'duplicate-id', 'ragged', 'wrong-time'] as const),
];

export interface IntakeOptions {
  readonly plugin: string;
  readonly sink: SampleSink;
  readonly seriesMax: number;
  /** Those that are absent hold nothing back. */
  readonly limits?: Partial<
    Pick<PluginLimits, 'newSeriesPerMinute' | 'samplesPerSecond' | 'labelValueLength'>
  >;
  /** Told with what was dropped and the first example. */
  readonly onDropped: (reason: DropReason, count: number, example: string) => void;
}

/** UTF-16 units of all labels of a series together. */
const LABELS_LENGTH_MAX = 16 * 1024;
const HELP_LENGTH_MAX = 1024;
/** Numbers a plugin may leave unused for each series it may have. */
const ID_SPREAD = 4;
/** Sink series that have ended may outnumber the living by this before the source is made anew. */
const ENDED_SLACK = 1024;

/** What series' names may have after their family's. */
const SUFFIXES: ReadonlySet<string> = new Set([
  '',
  '_bucket',
  '_sum',
  '_count',
  '_gsum',
  '_gcount',
  '_created',
]);

/** Definitions that were refused for a limit are asked for again after this long. */
const RETRY_MS = 60_000;

const UNDEFINED = -1;
const REFUSED = -2;

interface KnownSeries {
  /** The plugin's number. */
  pluginId: number;
  readonly family: string;
  readonly suffix: string;
  readonly labels: Labels;
  readonly key: string;
  sinkId: number;
}

/** The series of one plugin process. */
export class SeriesIntake {
  readonly #options: IntakeOptions;
  readonly #rates: IntakeRates;
  readonly #idMax: number;
  readonly #families = new Map<string, FamilyDescription>();
  readonly #byKey = new Map<string, KnownSeries>();
  /** By the plugin's number: the series, for redefinitions. */
  readonly #byPluginId = new Map<number, KnownSeries>();
  /** By the plugin's number: the sink's, UNDEFINED or REFUSED. */
  #sinkIds: Int32Array = new Int32Array(1024).fill(UNDEFINED);
  /** By the sink's number: the collection that last had it. */
  #lastSeen: Uint32Array = new Uint32Array(1024);
  #sinkIdCount = 0;
  #collection = 0;
  #source: SampleSource;
  #outIds: Uint32Array = new Uint32Array(1024);
  #outValues: Float64Array = new Float64Array(0);
  #outCount = 0;
  #lastTime = 0;
  #hasRefused = false;
  #retryAt = 0;
  #closed = false;
  readonly #drops = new Map<DropReason, { count: number; example: string }>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#rates = new IntakeRates(options.seriesMax, options.limits ?? {});
    this.#idMax = options.seriesMax * ID_SPREAD + ENDED_SLACK;
    this.#source = options.sink.source(options.plugin);
  }

  /** Series the plugin has defined and the host has taken. */
  get seriesCount(): number {
    return this.#byKey.size;
  }

  /**
   * Hands one answer to the sink: samples at `time` (Unix ms). Resolves with their number once the sink has
   * taken them; the batch is borrowed until then.
   */
  async take(batch: SampleBatch, time: number): Promise<number> {
    if (this.#closed) return 0;
    this.#rates.advance(time);
    for (const family of batch.families) this.#defineFamily(family);
    for (const series of batch.series) this.#defineSeries(series);
    if (this.#sinkIdCount > 2 * this.#byKey.size + ENDED_SLACK) await this.#renew(time);
    const count = this.#select(batch);
    this.#outCount = count;
    this.#reportDrops();
    this.#lastTime = time;
    if (batch.partial) {
      const columns = { ids: this.#outIds, values: this.#outValues, count };
      await this.#source.added(time, columns, this.#endedIn(batch));
    } else await this.#source.collected(time, this.#outIds, this.#outValues, count);
    return count;
  }

  /** Whether the plugin should define its series again, some having been refused; `now` is monotonic ms. */
  wantsDefinitions(now: number): boolean {
    if (!this.#hasRefused || this.#byKey.size >= this.#options.seriesMax) return false;
    if (this.#retryAt === 0) this.#retryAt = now + RETRY_MS;
    if (now < this.#retryAt) return false;
    this.#retryAt = 0;
    this.#hasRefused = false;
    return true;
  }

  /** Newest values of a family's series by the value of one of their labels. */
  latest(family: string, label: string): ReadonlyMap<string, number> {
    const names = new Map<number, string>();
    for (const series of this.#byKey.values()) {
      if (series.family === family) names.set(series.sinkId, series.labels.get(label) ?? '');
    }
    const found = new Map<string, number>();
    for (let i = 0; i < this.#outCount; i++) {
      const name = names.get(this.#outIds[i]!);
      if (name !== undefined) found.set(name, this.#outValues[i]!);
    }
    return found;
  }

  /** Counts something that was not series or samples, such as a wrong time. */
  drop(reason: DropReason, example: string): void {
    this.#drop(reason, example);
    this.#reportDrops();
  }

  /** Ends all series at `time`. Nothing is taken afterwards. */
  async close(time: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#source.close(time);
  }

  /** The sink's numbers of the series that a partial answer ends. */
  #endedIn({ ended }: SampleBatch): number[] {
    return ended
      .map(id => (id < this.#sinkIds.length ? this.#sinkIds[id]! : UNDEFINED))
      .filter(sinkId => sinkId >= 0);
  }

  #defineFamily(family: FamilyDescription): void {
    const known = this.#families.get(family.name);
    if (known) {
      if (known.type !== family.type) {
        this.#drop('bad-family', `${family.name} was ${known.type} and is ${family.type}`);
      }
      return;
    }
    const problem = familyProblem(family.name);
    if (problem !== null) {
      this.#drop('bad-family', problem);
      return;
    }
    if (this.#families.size >= this.#options.seriesMax) {
      this.#drop('series-limit', `family ${family.name}`);
      return;
    }
    const help = family.help.slice(0, HELP_LENGTH_MAX);
    const taken = { ...family, help, unit: family.unit.slice(0, HELP_LENGTH_MAX) };
    this.#families.set(family.name, taken);
    this.#source.family(taken);
  }

  #defineSeries(definition: SeriesDefinition): void {
    const { id, family, pairs, suffix } = definition;
    if (id > this.#idMax) {
      this.#drop('bad-id', `number ${id} of a ${family.slice(0, 200)}`);
      return;
    }
    this.#reserve(id);
    const labels = readLabels(pairs);
    const full = labels.with(METRIC_NAME, family + suffix);
    const before = this.#byPluginId.get(id);
    // Said again: an answer in between was lost.
    if (before?.key === full.key) return;
    if (before) this.#forget(before);
    // Refused until it turns out well: its samples are then no further fault.
    this.#sinkIds[id] = REFUSED;
    const twin = this.#byKey.get(full.key);
    const refusal = this.#refusal(definition, full, twin);
    if (refusal !== null) {
      this.#hasRefused ||= refusal[0] === 'series-limit' || refusal[0] === 'series-rate';
      this.#drop(...refusal);
      return;
    }
    // It ended under another number and is back under this one.
    if (twin) this.#forget(twin);
    const sinkId = twin?.sinkId ?? this.#announce(definition, labels);
    const series = { pluginId: id, family, suffix, labels, key: full.key, sinkId };
    this.#byKey.set(series.key, series);
    this.#byPluginId.set(id, series);
    this.#sinkIds[id] = sinkId;
  }

  #refusal(
    { family, pairs, suffix }: SeriesDefinition,
    full: Labels,
    twin: KnownSeries | undefined,
  ): [DropReason, string] | null {
    if (!this.#families.has(family)) return ['unknown-family', family.slice(0, 200)];
    if (!SUFFIXES.has(suffix)) return ['bad-family', `${family.slice(0, 200)}, suffix "${suffix}"`];
    const problem = seriesProblem(full, pairs);
    if (problem !== null) return ['bad-labels', `${family.slice(0, 200)}: ${problem}`];
    const { labelValueLength = Infinity } = this.#options.limits ?? {};
    const long = pairs.find((text, i) => i % 2 === 1 && text.length > labelValueLength);
    if (long !== undefined) {
      return ['label-length', `${family.slice(0, 200)}: a value of ${long.length} characters`];
    }
    if (twin) {
      const lives = this.#lastSeen[twin.sinkId] === this.#collection;
      return lives ? ['duplicate-series', full.toString()] : null;
    }
    if (this.#byKey.size >= this.#options.seriesMax) return ['series-limit', full.toString()];
    return this.#rates.admitSeries() ? null : ['series-rate', full.toString()];
  }

  #announce({ family, suffix }: Pick<KnownSeries, 'family' | 'suffix'>, labels: Labels): number {
    const sinkId = this.#sinkIdCount++;
    if (sinkId >= this.#lastSeen.length) {
      const grown = new Uint32Array(this.#lastSeen.length * 2);
      grown.set(this.#lastSeen);
      this.#lastSeen = grown;
    }
    this.#lastSeen[sinkId] = 0;
    this.#source.series(sinkId, family, labels, suffix);
    return sinkId;
  }

  #forget(series: KnownSeries): void {
    this.#byPluginId.delete(series.pluginId);
    this.#byKey.delete(series.key);
    this.#sinkIds[series.pluginId] = UNDEFINED;
  }

  /** The sink forgets what has ended only when a source closes, so a plugin that churns gets a new one. */
  async #renew(time: number): Promise<void> {
    await this.#source.close(Math.min(this.#lastTime + 1, time));
    this.#source = this.#options.sink.source(this.#options.plugin);
    this.#sinkIdCount = 0;
    for (const family of this.#families.values()) this.#source.family(family);
    for (const series of this.#byKey.values()) {
      series.sinkId = this.#announce(series, series.labels);
      this.#sinkIds[series.pluginId] = series.sinkId;
    }
  }

  /** Puts the sink's numbers into #outIds and lets #outValues be the values that go with them. */
  #select(batch: SampleBatch): number {
    const { idCount, valueCount, ids } = batch;
    if (idCount !== valueCount) this.#drop('ragged', `${idCount} ids and ${valueCount} values`);
    const total = Math.min(idCount, valueCount);
    if (total > this.#outIds.length) this.#outIds = new Uint32Array(total * 2);
    this.#collection++;
    this.#outValues = batch.values;
    const countMax = this.#rates.samplesMax;
    let count = 0;
    for (let i = 0; i < total; i++) {
      const sinkId = this.#admit(ids[i]!);
      if (sinkId < 0) continue;
      if (count >= countMax) {
        this.#drop('sample-rate', `more than ${countMax} samples in a collection`);
        continue;
      }
      this.#outIds[count] = sinkId;
      if (count !== i) moveValue(batch.values, i, count);
      count++;
    }
    return count;
  }

  /** The sink's number for a sample, or a negative one where it is dropped. */
  #admit(id: number): number {
    const sinkId = id < this.#sinkIds.length ? this.#sinkIds[id]! : UNDEFINED;
    if (sinkId === UNDEFINED) {
      this.#drop('unknown-id', id === INVALID_ID ? 'no 32-bit number' : String(id));
    }
    if (sinkId < 0) return sinkId;
    if (this.#lastSeen[sinkId] === this.#collection) {
      this.#drop('duplicate-id', String(id));
      return REFUSED;
    }
    this.#lastSeen[sinkId] = this.#collection;
    return sinkId;
  }

  #reserve(id: number): void {
    if (id < this.#sinkIds.length) return;
    const grown = new Int32Array(Math.max(id + 1, this.#sinkIds.length * 2)).fill(UNDEFINED);
    grown.set(this.#sinkIds);
    this.#sinkIds = grown;
  }

  #drop(reason: DropReason, example: string): void {
    const drop = this.#drops.get(reason);
    if (drop) drop.count++;
    else this.#drops.set(reason, { count: 1, example });
  }

  #reportDrops(): void {
    if (this.#drops.size === 0) return;
    for (const [reason, { count, example }] of this.#drops) {
      this.#options.onDropped(reason, count, example);
    }
    this.#drops.clear();
  }
}

function readLabels(pairs: readonly string[]): Labels {
  const entries: [string, string][] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) entries.push([pairs[i]!, pairs[i + 1]!]);
  return Labels.fromPairs(entries);
}

// Bits are moved, for a staleness marker does not survive being a number.
function moveValue(values: Float64Array, from: number, to: number): void {
  values.copyWithin(to, from, from + 1);
}

function familyProblem(name: string): string | null {
  // What a decoder makes of bytes that are no UTF-8.
  if (name.includes('\ufffd')) return `metric name ${JSON.stringify(name)} is not valid UTF-8`;
  return labelsProblem(Labels.fromObject({ [METRIC_NAME]: name }));
}

function seriesProblem(full: Labels, pairs: readonly string[]): string | null {
  const length = pairs.reduce((sum, text) => sum + text.length, 0);
  if (length > LABELS_LENGTH_MAX) {
    return `its labels have ${length} characters, at most ${LABELS_LENGTH_MAX} are taken`;
  }
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i]!.startsWith('__')) return `label "${pairs[i]!.slice(0, 100)}" is reserved`;
  }
  return labelsProblem(full);
}
