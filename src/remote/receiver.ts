// Takes remote write 1.0 and 2.0. Valid samples are stored whatever stands beside them; what is refused is
// counted, exemplified in the answer and never retried into a loop: a sender repeats only 5xx answers.

import { snappyHeader } from '../encoding/snappy.ts';
import { NO_SERIES_REF, ScanStop, WriteIntake } from '../kernels/write-intake.ts';
import type { Labels } from '../labels/labels.ts';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import type { Appendable, Appender, LabelSets, SeriesRef } from '../storage/appender.ts';
import type { Counter, Registry, Vector } from '../telemetry/metrics.ts';
import { CommitParts } from './commit-parts.ts';
import { decodeLabels } from './label-region.ts';
import { storeV2 } from './request-v2.ts';
import { damagedMessage, type RichSeries } from './series-extras.ts';
import { negotiate, type WriteHeaders, type WriteVersion } from './write-headers.ts';
import { decodeMetadata } from './write-metadata.ts';
import { type WriteAnswer, WriteTally } from './write-tally.ts';

export type { WriteHeaders } from './write-headers.ts';

/** Limits with defaults that fit senders of the field. */
export interface RemoteWriteLimits {
  /** Largest body after decompression, in bytes. */
  readonly decodedBytesMax: number;
  /** Most samples, and most series, in one request. */
  readonly samplesMax: number;
  /** Most requests worked on at one time; more are told to come back. */
  readonly requestsMax: number;
  /** Series and bytes of labels remembered; twice as many for a moment. */
  readonly cacheSeriesMax: number;
  readonly cacheBytesMax: number;
}

/** 32 MiB is what Prometheus' receiver takes. */
export const REMOTE_WRITE_LIMITS: RemoteWriteLimits = {
  decodedBytesMax: 32 * 1024 * 1024,
  samplesMax: 1_000_000,
  requestsMax: 32,
  cacheSeriesMax: 1_000_000,
  cacheBytesMax: 256 * 1024 * 1024,
};

export interface RemoteWriteOptions {
  /** References that it gives out are not given to another series later. */
  readonly appendable: Appendable;
  readonly clock: Clock;
  readonly registry: Registry;
  /** A 32-bit number that senders cannot guess. */
  readonly seed: number;
  readonly limits?: Partial<RemoteWriteLimits>;
}

const RETRY_AFTER_S = 5;
const SERIES_PER_LOOK = 64;
/** Half of the usual: the body's arrival holds the event loop, too. */
const SLICE_MS = 5;
/** What one commit takes: little enough to be done in a few milliseconds. */
const COMMIT_SERIES = 512;

/** One store's receiver. */
export class RemoteWriteReceiver {
  readonly #options: RemoteWriteOptions;
  readonly #limits: RemoteWriteLimits;
  readonly #intake: WriteIntake;
  readonly #stored: Counter;
  readonly #refused: Vector<Counter>;
  readonly #histograms: Counter;
  readonly #exemplars: Counter;
  readonly #exemplarsDropped: Counter;
  /** Requests at work: one in the intake, the others waiting for their turn. */
  #requests = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: RemoteWriteOptions) {
    const { registry, seed } = options;
    this.#options = options;
    this.#limits = { ...REMOTE_WRITE_LIMITS, ...options.limits };
    const { decodedBytesMax, samplesMax, cacheSeriesMax, cacheBytesMax } = this.#limits;
    this.#intake = new WriteIntake({
      bodyBytesMax: decodedBytesMax,
      samplesMax,
      seriesMax: cacheSeriesMax,
      labelBytesMax: cacheBytesMax,
      seed,
    });
    this.#stored = registry.counter({
      name: 'outpost_remote_write_samples_stored_total',
      help: 'Samples taken over remote write and stored, histograms included.',
    });
    this.#histograms = registry.counter({
      name: 'outpost_remote_write_histograms_stored_total',
      help: 'Native histograms taken over remote write and stored.',
    });
    this.#exemplars = registry.counter({
      name: 'outpost_remote_write_exemplars_stored_total',
      help: 'Exemplars taken over remote write and stored.',
    });
    this.#refused = registry.counterVector({
      name: 'outpost_remote_write_samples_refused_total',
      help: 'Samples that came over remote write and were not stored.',
      labelNames: ['reason'],
    });
    this.#exemplarsDropped = registry.counter({
      name: 'outpost_remote_write_exemplars_dropped_total',
      help: 'Exemplars that came over remote write and were not stored.',
    });
    registry.observed(
      { name: 'outpost_remote_write_cached_series', help: 'Series known by their label bytes.' },
      'gauge',
      () => this.#intake.knownSeries,
    );
  }

  /** Works on one request. Never rejects: every outcome is an answer. */
  async receive(body: Uint8Array, headers: WriteHeaders): Promise<WriteAnswer> {
    const version = negotiate(headers);
    if (typeof version === 'string') return { status: 415, message: version, headers: {} };
    if (this.#requests >= this.#limits.requestsMax) {
      return errorAnswer(
        new OutpostError('unavailable', `remote write: ${this.#requests} requests are in work`),
      );
    }
    const isFirst = this.#requests++ === 0;
    try {
      if (!isFirst) await new Promise<void>(resolve => this.#waiting.push(resolve));
      return await this.#store(body, version);
    } finally {
      this.#requests--;
      this.#waiting.shift()?.();
    }
  }

  async #store(body: Uint8Array, version: WriteVersion): Promise<WriteAnswer> {
    const tally = new WriteTally();
    const slicer = new Slicer(() => this.#options.clock.monotonic(), undefined, SLICE_MS);
    try {
      if (version === 1) await this.#storeV1(body, { tally, slicer });
      else await storeV2(body, { tally, slicer, ...this.#options, limits: this.#limits });
      return tally.answer();
    } catch (error) {
      const answer = errorAnswer(error);
      const tells = version === 2 && answer.status < 500;
      return tells ? { ...answer, headers: { ...tally.headers(), ...answer.headers } } : answer;
    } finally {
      this.#stored.inc(tally.stored);
      this.#histograms.inc(tally.histograms);
      this.#exemplars.inc(tally.exemplars);
      this.#exemplarsDropped.inc(tally.exemplarsRefused);
      for (const [reason, count] of tally.refused) this.#refused.with(reason).inc(count);
    }
  }

  async #storeV1(body: Uint8Array, work: Omit<Pass, 'isRepeat'>): Promise<void> {
    const { bytes, length } = snappyHeader(body, this.#limits.decodedBytesMax);
    this.#intake.load(body.subarray(bytes), length);
    while (!this.#intake.decode()) if (work.slicer.due) await work.slicer.pause();
    const forgotten = await this.#pass({ ...work, isRepeat: false });
    // The store has dropped series since they became known: those, and only those, are sent again.
    if (forgotten > 0) await this.#pass({ ...work, isRepeat: true });
  }

  /** Reads the request and stores its samples; how many of them were of series that the store had dropped. */
  async #pass(pass: Pass): Promise<number> {
    const { appendable } = this.#options;
    const appender = appendable.appender();
    const newcomers = new Newcomers(appendable);
    const rich: RichSeries[] = [];
    try {
      await this.#scan({ ...pass, appender, newcomers, rich, extras: 0 });
      await newcomers.commit();
    } catch (error) {
      appender.rollback();
      newcomers.rollback();
      throw damagedMessage(error);
    }
    return await this.#commit(appender, rich, pass);
  }

  async #scan(work: Work): Promise<void> {
    const intake = this.#intake;
    intake.start();
    let seen = 0;
    for (let stop = intake.scan(work.isRepeat); stop !== ScanStop.end; ) {
      if (stop === ScanStop.series && work.isRepeat) this.#takeAgain(work, seen);
      else if (stop === ScanStop.series) this.#take(work);
      else if (stop === ScanStop.metadata) takeMetadata(intake.found, work);
      else if (stop === ScanStop.newcomers) this.#welcome(work);
      else if (stop !== ScanStop.more) throw this.#refusal(stop);
      if (stop === ScanStop.series) seen++;
      if (work.newcomers.count >= COMMIT_SERIES) await work.newcomers.commit();
      const isLook =
        stop === ScanStop.more || stop === ScanStop.newcomers || seen % SERIES_PER_LOOK === 0;
      if (isLook && work.slicer.due) await work.slicer.pause();
      stop = intake.scan(work.isRepeat);
    }
  }

  /** Finds or makes many series at once; those for which that fails are asked for one by one. */
  #welcome(work: Work): void {
    const intake = this.#intake;
    const sets = intake.newcomers();
    const refs = new Uint32Array(sets.count).fill(NO_SERIES_REF);
    work.newcomers.seriesOf(sets, refs);
    for (let i = refs.indexOf(NO_SERIES_REF); i >= 0; i = refs.indexOf(NO_SERIES_REF, i + 1)) {
      const { labels, samples } = intake.newcomer(i);
      refs[i] = this.#resolve(labels, samples, work);
    }
    intake.settleNewcomers(refs);
  }

  /** Decides about a series that is new or has more than floats. */
  #take(work: Work): void {
    const intake = this.#intake;
    let ref = intake.foundRef;
    if (ref === NO_SERIES_REF) {
      ref = this.#resolve(intake.found, intake.foundSamples + intake.foundHistograms, work);
      if (ref !== NO_SERIES_REF) intake.remember(ref);
    }
    this.#settle(ref, work);
  }

  /** Goes on with a reference; the series' histograms and exemplars wait for its floats' turn. */
  #settle(ref: SeriesRef, work: Work): void {
    const intake = this.#intake;
    const extras = intake.foundHistograms + intake.foundExemplars;
    if (extras > 0 && ref !== NO_SERIES_REF) {
      work.extras += extras;
      if (work.extras > this.#limits.samplesMax) throw this.#refusal(ScanStop.tooMany);
      const floats = intake.length - intake.foundSamples;
      const { foundSeriesAt: start, foundSeries } = intake;
      work.rich.push({ ref, floats, start, length: foundSeries.length });
    }
    intake.settle(ref);
  }

  /** Decides about a series of a request that is read again: only where its reference changed is it sent. */
  #takeAgain(work: Work, position: number): void {
    const intake = this.#intake;
    const before = intake.seriesRefs[position]!;
    const samples = intake.foundSamples + intake.foundHistograms;
    const isAsked = before !== NO_SERIES_REF;
    const ref = isAsked ? this.#resolve(intake.found, samples, work) : before;
    if (isAsked && ref !== NO_SERIES_REF) intake.remember(ref);
    if (ref === before) intake.drop(ref);
    else this.#settle(ref, work);
  }

  /** Finds a series by its labels; NO_SERIES_REF where they cannot be stored, which is then tallied. */
  #resolve(region: Uint8Array, samples: number, { newcomers, tally }: Work): number {
    let labels: Labels | null = null;
    try {
      labels = decodeLabels(region);
      return newcomers.series(labels);
    } catch (error) {
      if (!(error instanceof OutpostError)) throw error;
      if (error.code !== 'bad-data' && error.code !== 'limit-exceeded') throw error;
      const reason = error.code === 'bad-data' ? 'invalid-labels' : 'series-limit';
      tally.refuse(reason, samples, () => `${labels ?? ''} (${error.message})`.trimStart());
      return NO_SERIES_REF;
    }
  }

  /**
   * Commits what was read, in parts; the first part goes with what the appender has seen. Returns how many
   * samples were of series that the store had dropped.
   */
  async #commit(first: Appender, rich: readonly RichSeries[], pass: Pass): Promise<number> {
    const { tally, slicer, isRepeat } = pass;
    const parts = new CommitParts(this.#intake, rich);
    let forgotten = 0;
    let appender = first;
    for (;;) {
      const isLast = fill(parts, appender, tally);
      const result = await appender.commit();
      forgotten += result.refused.get('unknown-series') ?? 0;
      tally.add(result, isRepeat ? undefined : 'unknown-series');
      if (isLast) return forgotten;
      if (slicer.due) await slicer.pause();
      appender = this.#options.appendable.appender();
    }
  }

  #refusal(stop: number): OutpostError {
    if (stop !== ScanStop.tooMany) {
      return new OutpostError('bad-data', 'read the write request: the message is damaged');
    }
    return new OutpostError(
      'limit-exceeded',
      `read the write request: more than ${this.#limits.samplesMax} samples or series in one request; send smaller batches`,
    );
  }
}

function fill(parts: CommitParts, appender: Appender, tally: WriteTally): boolean {
  try {
    return parts.fill(appender, tally);
  } catch (error) {
    appender.rollback();
    throw error;
  }
}

interface Pass {
  readonly tally: WriteTally;
  readonly slicer: Slicer;
  /** True where the request is read a second time, for series that the store had dropped. */
  readonly isRepeat: boolean;
}

interface Work extends Pass {
  /** Takes the samples and the metadata, which wait until all of the request has been read. */
  readonly appender: Appender;
  readonly newcomers: Newcomers;
  /** Series with histograms or exemplars, and how many of these there are. */
  readonly rich: RichSeries[];
  extras: number;
}

/** Series that are not known here. They are logged as they come, not all at once with the samples. */
class Newcomers {
  /** Series since the last commit. */
  count = 0;
  readonly #appendable: Appendable;
  #appender: Appender | null = null;

  constructor(appendable: Appendable) {
    this.#appendable = appendable;
  }

  series(labels: Labels): SeriesRef {
    this.#appender ??= this.#appendable.appender();
    this.count++;
    return this.#appender.series(labels);
  }

  /** As the appender's, where it has it. */
  seriesOf(sets: LabelSets, refs: Uint32Array): void {
    this.#appender ??= this.#appendable.appender();
    this.count += sets.count;
    this.#appender.seriesOf?.(sets, refs);
  }

  async commit(): Promise<void> {
    const appender = this.#appender;
    this.#appender = null;
    this.count = 0;
    await appender?.commit();
  }

  rollback(): void {
    this.#appender?.rollback();
  }
}

function takeMetadata(bytes: Uint8Array, { appender, isRepeat }: Work): void {
  const { metricName, metadata } = decodeMetadata(bytes);
  if (!isRepeat && metricName !== '') appender.metadata(metricName, metadata);
}

// The one place where errors become statuses of this protocol.
function errorAnswer(thrown: unknown): WriteAnswer {
  const error = OutpostError.from(thrown);
  switch (error.code) {
    case 'bad-data':
    case 'limit-exceeded':
    case 'corrupt':
      return { status: 400, message: error.message, headers: {} };
    case 'unavailable':
    case 'timeout':
    case 'canceled':
    case 'locked':
      return {
        status: 503,
        message: error.message,
        headers: { 'Retry-After': String(RETRY_AFTER_S) },
      };
    default:
      return { status: 500, message: error.message, headers: {} };
  }
}
