// From one target's expositions to the store: samples in columns, series by reference, markers where series
// end. A steady scrape allocates nothing per sample.

import { ByteTable } from '../exposition/scan/byte-table.ts';
import type { SampleScanner } from '../exposition/scan/scanner.ts';
import { type Labels, METRIC_NAME } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type {
  Appendable,
  Appender,
  CommitResult,
  MetricMetadata,
  SeriesRef,
} from '../storage/appender.ts';
import type { FloatHistogram } from '../storage/histogram.ts';
import { reduceResolution } from '../storage/histogram-chunk/resolution.ts';
import type { ScrapeConfig } from './config.ts';
import { DROPPED, SeriesCache, UNRESOLVED } from './series-cache.ts';
import { SeriesLabels } from './series-labels.ts';

const SCHEMA_MIN = -4;
const METADATA_MAX = 20_000;

/** What a scrape brought. */
export interface ScrapeCounts {
  /** Samples in the body, and those that relabelling left. */
  readonly scraped: number;
  readonly kept: number;
  /** Series that the scrape before did not have. */
  readonly added: number;
}

/** A number that is stored about the scrape itself. */
export type ReportSample = readonly [metricName: string, value: number];

export interface TargetStoreOptions {
  readonly storage: Appendable;
  readonly config: ScrapeConfig;
  /** Of every series of the target. */
  readonly labels: Labels;
  /** Any 32 bits that the target does not know. */
  readonly seed: number;
  /** Gets every commit's result, for counting. */
  readonly onCommit: (result: CommitResult) => void;
}

/** One target's place in the store. Calls come one after another. */
export class TargetStore {
  /** What the target has told of its metrics, by family. */
  readonly metadata: Map<string, MetricMetadata> = new Map();
  readonly #options: TargetStoreOptions;
  readonly #cache: SeriesCache;
  readonly #labels: SeriesLabels;
  readonly #reports = new Map<string, SeriesRef>();
  #entries: ByteTable;
  readonly #described = new Set<string>();
  #refs = new Uint32Array(64);
  #times = new Float64Array(64);
  #values = new Float64Array(64);
  #queued = 0;
  #isPartial = false;
  /** What a scrape costs in samples, while it is read. */
  #scraped = 0;
  #kept = 0;
  #added = 0;

  constructor(options: TargetStoreOptions) {
    this.#options = options;
    this.#cache = new SeriesCache(options.seed);
    this.#labels = new SeriesLabels(options.labels, options.config);
    this.#entries = new ByteTable(options.seed);
  }

  /** Series known of the target. */
  get seriesCount(): number {
    return this.#cache.size;
  }

  /**
   * Reads a body and stores it at a time (Unix ms). Rejects where the body or a limit fails the scrape as a
   * whole: nothing of it is stored then, and `fail` has to follow. `newScanner` may be called twice.
   */
  async store(newScanner: () => SampleScanner, time: number): Promise<ScrapeCounts> {
    const first = await this.#pass(newScanner(), time);
    const counts = { scraped: this.#scraped, kept: this.#kept, added: this.#added };
    // Series were collected as empty since they became known; they are made anew and asked for again.
    if (first.refused.has('unknown-series')) {
      this.#cache.forgetRefs();
      this.#reports.clear();
      this.#options.onCommit(await this.#pass(newScanner(), time));
    } else this.#options.onCommit(first);
    return counts;
  }

  /** Ends all series of the last scrape at a time, because this one has failed. */
  async fail(time: number): Promise<void> {
    await this.#end(this.#failed(), time);
  }

  /** Ends all series, those about scrapes included: the target is gone. */
  async end(time: number): Promise<void> {
    await this.#end([...this.#failed(), ...this.#reports.values()], time);
  }

  /** A scrape that failed half way has begun already. */
  #failed(): SeriesRef[] {
    if (!this.#isPartial) this.#cache.begin();
    this.#isPartial = false;
    return this.#cache.fail();
  }

  /** Stores numbers about the scrape under the target's labels. */
  async report(samples: readonly ReportSample[], time: number): Promise<void> {
    const appender = this.#options.storage.appender();
    for (const [name, value] of samples) {
      let ref = this.#reports.get(name);
      if (ref === undefined) {
        ref = appender.series(this.#options.labels.with(METRIC_NAME, name));
        this.#reports.set(name, ref);
      }
      appender.append(ref, time, value);
    }
    const result = await appender.commit();
    if (result.refused.has('unknown-series')) this.#reports.clear();
    this.#options.onCommit(result);
  }

  async #end(refs: readonly SeriesRef[], time: number): Promise<void> {
    if (refs.length === 0) return;
    const appender = this.#options.storage.appender();
    for (const ref of refs) appender.appendStale(ref, time);
    await appender.commit();
  }

  async #pass(scanner: SampleScanner, time: number): Promise<CommitResult> {
    const appender = this.#options.storage.appender();
    this.#cache.begin();
    this.#isPartial = false;
    this.#entries.rewind();
    this.#queued = this.#scraped = this.#kept = this.#added = 0;
    try {
      this.#read(scanner, appender, time);
      this.#limitSamples();
    } catch (error) {
      appender.rollback();
      this.#isPartial = true;
      throw error;
    }
    appender.appendColumns(this.#refs, this.#times, this.#values, this.#queued);
    for (const ref of this.#cache.ended()) appender.appendStale(ref, time);
    this.#describe(appender);
    const result = await appender.commit();
    this.#described.clear();
    this.#cache.finish();
    return result;
  }

  #read(scanner: SampleScanner, appender: Appender, time: number): void {
    for (let kind = scanner.next(); kind !== 'end'; kind = scanner.next()) {
      if (kind === 'sample' || kind === 'histogram') {
        this.#scraped++;
        const slot = this.#cache.slotOf(scanner);
        const ref = this.#resolve(slot, scanner, appender);
        if (ref >= 0) this.#take(scanner, { appender, slot, ref, time, kind });
      } else this.#learn(kind, scanner);
    }
  }

  #take(scanner: SampleScanner, { appender, slot, ref, time, kind }: Taken): void {
    const { honorTimestamps, trackTimestampsStaleness } = this.#options.config;
    const hasTime = honorTimestamps && !Number.isNaN(scanner.time);
    const at = hasTime ? scanner.time : time;
    this.#kept++;
    if ((!hasTime || trackTimestampsStaleness) && this.#cache.track(slot)) this.#added++;
    if (kind === 'histogram') appender.appendHistogram(ref, at, this.#histogram(scanner));
    else this.#queue(ref, at, scanner.value);
    if (!scanner.hasExemplars) return;
    for (const exemplar of scanner.exemplars()) {
      appender.appendExemplar(ref, { ...exemplar, time: exemplar.time ?? at });
    }
  }

  #queue(ref: SeriesRef, time: number, value: Float64Array): void {
    if (this.#queued === this.#refs.length) this.#grow();
    this.#refs[this.#queued] = ref;
    this.#times[this.#queued] = time;
    this.#values[this.#queued++] = value[0]!;
  }

  #resolve(slot: number, scanner: SampleScanner, appender: Appender): number {
    const known = this.#cache.refOf(slot);
    if (known !== UNRESOLVED) return known;
    const labels = this.#labels.stored(scanner.labels());
    const ref = labels === null ? DROPPED : appender.series(labels);
    this.#cache.resolve(slot, ref);
    return ref;
  }

  /** The whole body is read before the scrape fails, so that the error says how far beyond it is. */
  #limitSamples(): void {
    const { samples } = this.#options.config.limits;
    if (samples === 0 || this.#kept <= samples) return;
    throw new OutpostError(
      'limit-exceeded',
      `sample_limit exceeded: ${this.#kept} samples after relabelling, the limit is ${samples}`,
    );
  }

  #histogram(scanner: SampleScanner): FloatHistogram {
    const histogram = scanner.histogram();
    const { histogramBuckets: most } = this.#options.config.limits;
    let reduced = histogram;
    while (most > 0 && bucketCount(reduced) > most) {
      if (reduced.schema <= SCHEMA_MIN) {
        const text = `native_histogram_bucket_limit exceeded: the limit is ${most} buckets`;
        throw new OutpostError('limit-exceeded', text);
      }
      reduced = reduceResolution(reduced, reduced.schema - 1);
    }
    return reduced;
  }

  #learn(kind: 'type' | 'help' | 'unit', scanner: SampleScanner): void {
    const { keyBytes, keyStart, keyEnd } = scanner;
    if (this.#entries.slotOf(keyBytes, keyStart, keyEnd) >= 0) return;
    if (this.#entries.size >= METADATA_MAX) this.#entries = new ByteTable(this.#options.seed);
    this.#entries.add(keyBytes, keyStart, keyEnd);
    const name = scanner.metricName();
    const known = this.metadata.get(name);
    if (!known && this.metadata.size >= METADATA_MAX) return;
    const { type = 'unknown', help = '', unit = '' } = known ?? {};
    this.metadata.set(name, {
      type: kind === 'type' ? scanner.type : type,
      help: kind === 'help' ? scanner.text() : help,
      unit: kind === 'unit' ? scanner.text() : unit,
    });
    this.#described.add(name);
  }

  #describe(appender: Appender): void {
    for (const name of this.#described) appender.metadata(name, this.metadata.get(name)!);
  }

  #grow(): void {
    const length = this.#refs.length * 2;
    const [refs, times, values] = [this.#refs, this.#times, this.#values];
    (this.#refs = new Uint32Array(length)).set(refs);
    (this.#times = new Float64Array(length)).set(times);
    (this.#values = new Float64Array(length)).set(values);
  }
}

interface Taken {
  readonly appender: Appender;
  readonly slot: number;
  readonly ref: SeriesRef;
  readonly time: number;
  readonly kind: 'sample' | 'histogram';
}

function bucketCount({ positiveBuckets, negativeBuckets }: FloatHistogram): number {
  return positiveBuckets.length + negativeBuckets.length;
}
