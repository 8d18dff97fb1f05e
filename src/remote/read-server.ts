// Remote read as a server: the raw samples of a store for a Prometheus, Thanos or anything else that asks.
// Behaviour: prometheus/prometheus storage/remote/read_handler.go.

import { ProtoWriter } from '../encoding/proto.ts';
import { snappyEncode } from '../encoding/snappy.ts';
import type { Labels } from '../labels/labels.ts';
import { Matcher } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import { encodeColumns } from '../storage/encode-columns.ts';
import type { Queryable } from '../storage/queryable.ts';
import { SampleColumns } from '../storage/samples.ts';
import { type Chunk, ChunkEncoding, type Series, type SeriesSet } from '../storage/series.ts';
import type { Registry } from '../telemetry/metrics.ts';
import { FrameWriter, writeSampledSeries } from './read-encode.ts';
import { ReadGate } from './read-gate.ts';
import { decodeReadRequest, type ReadQuery } from './read-request.ts';

export interface RemoteReadLimits {
  /** Most samples in an answer that comes as samples. */
  readonly samplesMax: number;
  /** Most requests worked on at one time; others wait. */
  readonly requestsMax: number;
  /** Bytes after which a frame ends. */
  readonly frameBytesMax: number;
}

/** Prometheus' defaults. */
export const REMOTE_READ_LIMITS: RemoteReadLimits = {
  samplesMax: 50_000_000,
  requestsMax: 10,
  frameBytesMax: 1024 * 1024,
};

export interface RemoteReadOptions {
  readonly limits?: Partial<RemoteReadLimits>;
  /** Labels that every series is given, and that a client may ask for. */
  readonly externalLabels: () => Labels;
  /** Monotonic time in ms. */
  readonly monotonic: () => number;
  readonly registry: Registry;
}

/** An answer: whole, or in pieces of whole frames. A stream that fails ends inside, without a last piece. */
export interface ReadAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

const PIECE_BYTES = 256 * 1024;
/** Encodings that the protocol has a number for. */
const KNOWN: ReadonlySet<number> = new Set([
  ChunkEncoding.xor,
  ChunkEncoding.histogram,
  ChunkEncoding.floatHistogram,
  ChunkEncoding.xor2,
  ChunkEncoding.histogramStartTime,
  ChunkEncoding.floatHistogramStartTime,
]);

/** Answers remote read requests. */
export class RemoteReadServer {
  readonly #options: RemoteReadOptions;
  readonly #limits: RemoteReadLimits;
  readonly #gate: ReadGate;

  constructor(options: RemoteReadOptions) {
    this.#options = options;
    this.#limits = { ...REMOTE_READ_LIMITS, ...options.limits };
    this.#gate = new ReadGate(this.#limits.requestsMax);
    options.registry.observed(
      {
        name: 'prometheus_api_remote_read_queries',
        help: 'Remote read requests that are worked on or wait.',
      },
      'gauge',
      () => this.#gate.length,
    );
  }

  /**
   * Answers one request over a store. Throws `bad-data` for what is wrong with the request or larger than
   * the limit of samples; what the store throws; `unavailable` where the store warns that a part is missing,
   * since the protocol has no place for warnings.
   */
  async answer(queryable: Queryable, body: Uint8Array, signal: AbortSignal): Promise<ReadAnswer> {
    const { queries, form } = decodeReadRequest(body);
    await this.#gate.enter(signal);
    const reading = new Reading(queryable, {
      queries,
      signal,
      externalLabels: this.#options.externalLabels(),
      slicer: new Slicer(this.#options.monotonic, signal),
    });
    if (form === 'samples') {
      try {
        return await this.#samples(reading);
      } finally {
        reading.close();
        this.#gate.leave();
      }
    }
    const pieces = new Pieces(framesOf(reading, this.#limits.frameBytesMax), () => {
      reading.close();
      this.#gate.leave();
    });
    // What fails before the first piece still has a status of its own.
    await pieces.begin();
    return {
      contentType: 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
      headers: {},
      body: pieces,
    };
  }

  async #samples(reading: Reading): Promise<ReadAnswer> {
    const { samplesMax } = this.#limits;
    const writer = new ProtoWriter(64 * 1024);
    const columns = new SampleColumns();
    let samples = 0;
    for (let index = 0; index < reading.queries; index++) {
      const result = new ProtoWriter(64 * 1024);
      for await (const series of reading.series(index)) {
        columns.clear();
        series.samples(columns);
        samples += columns.length;
        if (samples > samplesMax) {
          throw new OutpostError('bad-data', `exceeded sample limit (${samplesMax})`);
        }
        if (columns.length > 0) {
          writeSampledSeries(result, reading.labelled(series), columns);
        }
      }
      writer.bytesField(1, result.finish());
    }
    return {
      contentType: 'application/x-protobuf',
      headers: { 'content-encoding': 'snappy' },
      body: snappyEncode(writer.finish()),
    };
  }
}

interface ReadingOptions {
  readonly queries: readonly ReadQuery[];
  readonly externalLabels: Labels;
  readonly signal: AbortSignal;
  readonly slicer: Slicer;
}

/** The series of one request, query by query. */
class Reading {
  readonly #queryable: Queryable;
  readonly #options: ReadingOptions;
  #set: SeriesSet | null = null;
  #closeQuerier: () => void = () => {};

  constructor(queryable: Queryable, options: ReadingOptions) {
    this.#queryable = queryable;
    this.#options = options;
  }

  get queries(): number {
    return this.#options.queries.length;
  }

  /** Its labels, and the external ones that it has not. */
  labelled(series: Series): Labels {
    return this.#options.externalLabels.merge(series.labels);
  }

  /** The series of a query by label order, each valid until the next. */
  async *series(index: number): AsyncGenerator<Series> {
    const { queries, signal, slicer, externalLabels } = this.#options;
    const { minTime, maxTime, matchers, func = '', stepMs = 0 } = queries[index]!;
    if (minTime > maxTime) return;
    const querier = this.#queryable.querier(minTime, maxTime);
    this.#closeQuerier = () => querier.close();
    const hints = { func, stepMs, sorted: true };
    const set = await querier.select(withoutExternal(matchers, externalLabels), { hints, signal });
    this.#set = set;
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        yield series;
        if (slicer.due) await slicer.pause();
      }
    }
    const { warnings } = set;
    this.close();
    if (warnings.length === 0) return;
    throw new OutpostError('unavailable', `remote read is not complete: ${warnings.join('; ')}`);
  }

  /** Safe at any time. */
  close(): void {
    this.#set?.close();
    this.#closeQuerier();
    this.#set = null;
    this.#closeQuerier = () => {};
  }
}

/** An equality with an external label asks for this store, whose series do not have the label. */
function withoutExternal(matchers: readonly Matcher[], external: Labels): Matcher[] {
  return matchers.map(matcher => {
    const { type, name, value } = matcher;
    const isOurs = type === '=' && value !== '' && external.get(name) === value;
    return isOurs ? new Matcher('=', name, '') : matcher;
  });
}

async function* framesOf(reading: Reading, frameBytesMax: number): AsyncGenerator<Uint8Array> {
  const frames = new FrameWriter(frameBytesMax);
  const columns = new SampleColumns();
  for (let index = 0; index < reading.queries; index++) {
    for await (const series of reading.series(index)) {
      frames.series(reading.labelled(series), chunksOf(series, columns), index);
      if (frames.length >= PIECE_BYTES) yield frames.take();
    }
  }
  if (frames.length > 0) yield frames.take();
}

/** Stored chunks as they are; what exists only decoded, or in an encoding of our own, is encoded again. */
function chunksOf(series: Series, columns: SampleColumns): readonly Chunk[] {
  const stored = series.chunks();
  if (stored?.every(({ encoding }) => KNOWN.has(encoding))) return stored;
  columns.clear();
  series.samples(columns);
  return encodeColumns(columns);
}

/** A stream whose first piece is made ahead, and which tells when it has ended, however it ends. */
class Pieces implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncGenerator<Uint8Array>;
  readonly #release: () => void;
  #first: IteratorResult<Uint8Array> | null = null;
  #ended = false;

  constructor(source: AsyncGenerator<Uint8Array>, release: () => void) {
    this.#source = source;
    this.#release = release;
  }

  async begin(): Promise<void> {
    this.#first = await this.#pull();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const first = this.#first;
    this.#first = null;
    return first ?? (await this.#pull());
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#source.return(undefined).catch(() => {}); // nobody is left to be told
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #pull(): Promise<IteratorResult<Uint8Array>> {
    try {
      const result = await this.#source.next();
      if (result.done) this.#end();
      return result;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
  }
}
