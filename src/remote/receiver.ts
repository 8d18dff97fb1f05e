// Takes remote write 1.0. Valid samples are stored whatever stands beside them; what is refused is
// counted, exemplified in the answer and never retried into a loop: a sender repeats only 5xx answers.

import { snappyDecode } from '../encoding/snappy.ts';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import type { Appendable, Appender, CommitResult } from '../storage/appender.ts';
import type { Counter, Registry, Vector } from '../telemetry/metrics.ts';
import { decodeLabels, type LabelRegion } from './label-region.ts';
import { NO_SERIES_REF, SeriesCache } from './series-cache.ts';
import { WriteColumns } from './write-columns.ts';
import { WriteRequestScanner } from './write-request.ts';
import { type WriteAnswer, WriteTally } from './write-tally.ts';

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

/** Headers of a request, as far as the protocol looks at them. */
export interface WriteHeaders {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

const RETRY_AFTER_S = 5;
const SERIES_PER_LOOK = 64;
const POOL_MAX = 8;
const POOLED_SAMPLES_MAX = 65_536;
const V1_MESSAGE = 'prometheus.WriteRequest';

/** One store's receiver. */
export class RemoteWriteReceiver {
  readonly #options: RemoteWriteOptions;
  readonly #limits: RemoteWriteLimits;
  readonly #cache: SeriesCache;
  readonly #pool: WriteColumns[] = [];
  readonly #stored: Counter;
  readonly #refused: Vector<Counter>;
  readonly #exemplars: Counter;
  #requests = 0;

  constructor(options: RemoteWriteOptions) {
    const { registry, seed } = options;
    this.#options = options;
    this.#limits = { ...REMOTE_WRITE_LIMITS, ...options.limits };
    const { cacheSeriesMax: entriesMax, cacheBytesMax: bytesMax } = this.#limits;
    this.#cache = new SeriesCache({ entriesMax, bytesMax, seed });
    this.#stored = registry.counter({
      name: 'outpost_remote_write_samples_stored_total',
      help: 'Samples taken over remote write and stored.',
    });
    this.#refused = registry.counterVector({
      name: 'outpost_remote_write_samples_refused_total',
      help: 'Samples that came over remote write and were not stored.',
      labelNames: ['reason'],
    });
    this.#exemplars = registry.counter({
      name: 'outpost_remote_write_exemplars_dropped_total',
      help: 'Exemplars that came over remote write; they are not stored.',
    });
    registry.observed(
      { name: 'outpost_remote_write_cached_series', help: 'Series known by their label bytes.' },
      'gauge',
      () => this.#cache.size,
    );
  }

  /** Works on one request. Never rejects: every outcome is an answer. */
  async receive(body: Uint8Array, headers: WriteHeaders): Promise<WriteAnswer> {
    const unsupported = headersProblem(headers);
    if (unsupported !== null) return { status: 415, message: unsupported, headers: {} };
    if (this.#requests >= this.#limits.requestsMax) {
      return errorAnswer(
        new OutpostError('unavailable', `remote write: ${this.#requests} requests are in work`),
      );
    }
    this.#requests++;
    const columns = this.#pool.pop() ?? new WriteColumns();
    try {
      const bytes = snappyDecode(body, this.#limits.decodedBytesMax);
      return await this.#store(bytes, columns);
    } catch (error) {
      return errorAnswer(error);
    } finally {
      this.#requests--;
      const keep = this.#pool.length < POOL_MAX && columns.times.length <= POOLED_SAMPLES_MAX;
      if (keep) this.#pool.push(columns);
    }
  }

  async #store(bytes: Uint8Array, columns: WriteColumns): Promise<WriteAnswer> {
    const tally = new WriteTally();
    const result = await this.#pass(bytes, columns, { tally, isRepeat: false });
    const forgotten = result.refused.get('unknown-series') ?? 0;
    tally.add(result, 'unknown-series');
    // The store has dropped series since they were cached: those, and only those, are sent again.
    if (forgotten > 0) tally.add(await this.#pass(bytes, columns, { tally, isRepeat: true }));
    this.#stored.inc(tally.stored);
    this.#exemplars.inc(tally.exemplars);
    for (const [reason, count] of tally.refused) this.#refused.with(reason).inc(count);
    return tally.answer();
  }

  async #pass(bytes: Uint8Array, columns: WriteColumns, pass: Pass): Promise<CommitResult> {
    const appender = this.#options.appendable.appender();
    try {
      await this.#queue(new WriteRequestScanner(bytes, columns), { ...pass, appender, columns });
    } catch (error) {
      appender.rollback();
      if (!(error instanceof RangeError)) throw error;
      const cause = { cause: error };
      throw new OutpostError('bad-data', `read the write request: ${error.message}`, cause);
    }
    return appender.commit();
  }

  async #queue(scanner: WriteRequestScanner, work: Work): Promise<void> {
    const { appender, columns, isRepeat } = work;
    const slicer = new Slicer(() => this.#options.clock.monotonic());
    let position = 0;
    columns.length = 0;
    for (let entry = scanner.next(); entry !== 'end'; entry = scanner.next()) {
      if (entry === 'series') this.#queueSeries(scanner, work, position++);
      else if (!isRepeat && scanner.metricName !== '')
        appender.metadata(scanner.metricName, scanner.metadata);
      this.#checkSize(Math.max(position, columns.length));
      if (position % SERIES_PER_LOOK === 0 && slicer.due) await slicer.pause();
    }
    appender.appendColumns(columns.refs, columns.times, columns.values, columns.length);
  }

  #queueSeries(scanner: WriteRequestScanner, work: Work, position: number): void {
    const { columns, tally, isRepeat } = work;
    const count = columns.length - scanner.firstSample;
    const before = isRepeat ? columns.seriesRefs[position]! : NO_SERIES_REF;
    let ref = isRepeat ? NO_SERIES_REF : this.#cache.get(scanner.labels);
    if (ref === NO_SERIES_REF && !(isRepeat && before === NO_SERIES_REF)) {
      ref = this.#resolve(scanner.labels, work, count + scanner.histograms);
    }
    if (!isRepeat) {
      columns.setSeriesRef(position, ref);
      tally.exemplars += scanner.exemplars;
      if (ref !== NO_SERIES_REF) {
        tally.refuse('histogram', scanner.histograms, () =>
          decodeLabels(scanner.labels).toString(),
        );
      }
    }
    if (ref === NO_SERIES_REF || (isRepeat && ref === before)) columns.length = scanner.firstSample;
    else columns.refs.fill(ref, scanner.firstSample, columns.length);
  }

  /** Finds a series by its labels; NO_SERIES_REF where they cannot be stored, which is then tallied. */
  #resolve(region: LabelRegion, { appender, tally }: Work, samples: number): number {
    let shown = '';
    try {
      const labels = decodeLabels(region);
      shown = labels.toString();
      const ref = appender.series(labels);
      this.#cache.set(region, ref);
      return ref;
    } catch (error) {
      if (!(error instanceof OutpostError)) throw error;
      if (error.code !== 'bad-data' && error.code !== 'limit-exceeded') throw error;
      const reason = error.code === 'bad-data' ? 'invalid-labels' : 'series-limit';
      tally.refuse(reason, samples, () => `${shown} (${error.message})`.trimStart());
      return NO_SERIES_REF;
    }
  }

  #checkSize(count: number): void {
    const { samplesMax } = this.#limits;
    if (count <= samplesMax) return;
    throw new OutpostError(
      'limit-exceeded',
      `read the write request: more than ${samplesMax} samples or series in one request; send smaller batches`,
    );
  }
}

interface Pass {
  readonly tally: WriteTally;
  readonly isRepeat: boolean;
}

interface Work extends Pass {
  readonly appender: Appender;
  readonly columns: WriteColumns;
}

function headersProblem({ contentType, contentEncoding }: WriteHeaders): string | null {
  const encoding = (contentEncoding ?? 'snappy').trim().toLowerCase();
  if (encoding !== 'snappy') {
    return `remote write: content encoding ${JSON.stringify(contentEncoding)} is not supported; send snappy (block format)`;
  }
  const [type = '', ...parameters] = (contentType ?? 'application/x-protobuf').split(';');
  const proto = parameters.map(part => /^\s*proto\s*=\s*(\S+)\s*$/.exec(part)?.[1]).find(Boolean);
  const isProtobuf = type.trim().toLowerCase() === 'application/x-protobuf';
  if (isProtobuf && (proto === undefined || proto === V1_MESSAGE)) return null;
  return `remote write: content type ${JSON.stringify(contentType)} is not supported; send application/x-protobuf;proto=${V1_MESSAGE} (remote write 1.0)`;
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
